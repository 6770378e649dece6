"""MQTT 3.1.1 packets as bytes. Pure: no socket, no clock."""

import struct

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 0x20, 0x30, 0x40, 0x90, 0xD0
_CLEAN_WITH_WILL = 0x02 | 0x04 | 0x08 | 0x20  # clean session, will, its QoS 1, its retain
PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
REFUSALS = {
    1: "the broker does not speak MQTT 3.1.1",
    2: "the broker refuses this client id",
    3: "the broker is not available",
    4: "wrong user or password: see broker.user and broker.password in config.json",
    5: "this device may not log in: see the broker's password file",
}


class PacketError(Exception):
    """The other side sent what is not MQTT 3.1.1."""


def connect(client_id, keepalive_s, will_topic, will_payload, user=None, password=None):
    """A clean session with a retained last will (QoS 1); user and password are text or None."""
    flags = _CLEAN_WITH_WILL | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    body = _text("MQTT") + bytes([4, flags]) + struct.pack(">H", keepalive_s)
    body += _text(client_id) + _text(will_topic) + _text(will_payload)
    for part in (user, password):
        if part is not None:
            body += _text(part)
    return _packet(0x10, body)


def publish(topic, payload, packet_id=None, retain=False):
    """QoS 1 with a packet id, QoS 0 without."""
    head = PUBLISH | (0x02 if packet_id is not None else 0) | (0x01 if retain else 0)
    body = _text(topic)
    if packet_id is not None:
        body += struct.pack(">H", packet_id)
    return _packet(head, body + payload)


def subscribe(packet_id, topics):
    """Ask for these topics at QoS 1."""
    body = struct.pack(">H", packet_id)
    for topic in topics:
        body += _text(topic) + b"\x01"
    return _packet(0x82, body)


def puback(packet_id):
    """Confirm a QoS 1 message of the broker."""
    return struct.pack(">BBH", PUBACK, 2, packet_id)


def parse_publish(head, body):
    """(topic, payload, packet id or None, retain) of a PUBLISH."""
    if len(body) < 2:
        raise PacketError("a PUBLISH without a topic")
    end = start = 2 + struct.unpack_from(">H", body)[0]
    packet_id = None
    if head & 0x06:
        packet_id, start = parse_id(body, end), end + 2
    return _decode(body[2:end]), body[start:], packet_id, bool(head & 0x01)


def parse_id(body, start=0):
    """The packet id at a place of a body, uncopied: a large one fits into RAM only once or twice."""
    if len(body) < start + 2:
        raise PacketError("a packet without its id")
    return struct.unpack_from(">H", body, start)[0]


def parse_connack(body):
    """None when the broker lets us in, else why not."""
    if len(body) != 2:
        raise PacketError("a CONNACK of " + str(len(body)) + " bytes")
    return REFUSALS.get(body[1], "refused with code " + str(body[1])) if body[1] else None


def encode_length(length):
    """The remaining length: 7 bits a byte, lowest first."""
    out = bytearray()
    while True:
        length, low = length >> 7, length & 0x7F
        out.append(low | (0x80 if length else 0))
        if not length:
            return bytes(out)


class PacketIds:
    """1 to 65535, round and round; 0 is not allowed and an id in flight is not given twice."""

    def __init__(self, last=0):
        self._last = last

    def take(self, in_flight):
        """The next free id."""
        for _ in range(65535):
            self._last = self._last % 65535 + 1
            if self._last not in in_flight:
                return self._last
        raise PacketError("65535 messages without an answer")


def _packet(head, body):
    return bytes([head]) + encode_length(len(body)) + body


def _text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(data)) + data


def _decode(data):
    try:
        return str(bytes(data), "utf-8")
    except UnicodeError as error:
        raise PacketError("a topic that is not UTF-8") from error
