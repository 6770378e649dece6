"""One event as bytes on flash: length, seq, moment, body, CRC32 (over the boot number too)."""

import struct
from binascii import crc32

MAX_BODY = 1024
_HEAD = "<HIQ"  # length of the body, seq, milliseconds since the boot
_HEAD_SIZE = struct.calcsize(_HEAD)


def pack(boot, seq, happened_ms, body):
    """The bytes of one record; ValueError when the body is too long."""
    if len(body) > MAX_BODY:
        raise ValueError("an event has at most " + str(MAX_BODY) + " bytes")
    data = struct.pack(_HEAD, len(body), seq, happened_ms) + body
    return data + struct.pack("<I", _crc(data, boot))


def unpack(data, at, boot):
    """(seq, happened_ms, body), or None where no whole record starts."""
    if at + _HEAD_SIZE > len(data):
        return None
    size, seq, happened_ms = struct.unpack_from(_HEAD, data, at)
    end = at + _HEAD_SIZE + size
    if size > MAX_BODY or end + 4 > len(data):
        return None
    if struct.unpack_from("<I", data, end)[0] != _crc(data[at:end], boot):
        return None
    return seq, happened_ms, bytes(data[at + _HEAD_SIZE : end])


def size(body):
    """Bytes that a record with this body takes."""
    return _HEAD_SIZE + len(body) + 4


def _crc(data, boot):
    return crc32(data, crc32(str(boot).encode()))
