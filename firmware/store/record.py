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
    head = struct.pack(_HEAD, len(body), seq, happened_ms)
    return head + body + struct.pack("<I", _crc(head, body, boot))


def read(file, at, boot):
    """(seq, happened_ms, body) of the record at this place, or None where no whole record starts.

    A heap in pieces has no room for a whole segment, but for a record.
    """
    file.seek(at)
    head = file.read(_HEAD_SIZE)
    if len(head) < _HEAD_SIZE:
        return None
    size, seq, happened_ms = struct.unpack(_HEAD, head)
    if size > MAX_BODY:
        return None
    body, crc = file.read(size), file.read(4)
    if len(crc) < 4 or struct.unpack("<I", crc)[0] != _crc(head, body, boot):
        return None
    return seq, happened_ms, body


def size(body):
    """Bytes that a record with this body takes."""
    return _HEAD_SIZE + len(body) + 4


def _crc(head, body, boot):
    return crc32(body, crc32(head, crc32(str(boot).encode())))
