"""The load of the benches: a process that publishes events over one plain MQTT socket, as devices do.

    python -m bench.load PORT COUNT --until hub|broker [--kinds faces|presses] [--spread-s 0] [--rate 0]
        [--window 2000]

It keeps at most so many events that are not acknowledged, by the hub's `ack` or by the broker's PUBACK, and
sends again what the hub has not acknowledged within RESEND_S. One JSON line at the end: seconds, latencies.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import struct
import time
from collections.abc import Iterator

from bench.days import SITE_NAME
from firmware import wire

WINDOW = 2000
RESEND_S = 2.0
POINTS = 10
ACK_TAIL = "/ack"
GIVE_UP_S = 120.0


class Link:
    """A socket to the broker that speaks as much MQTT 3.1.1 as the load needs."""

    def __init__(self, port: int, name: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._send(0x10, _text("MQTT") + bytes((4, 2)) + struct.pack(">H", 0) + _text(name))
        while not any(kind == 0x20 for kind, _ in self.read(1.0)):
            pass

    def subscribe(self, topic: str) -> None:
        """QoS 0 is enough: what is lost is sent again."""
        self._send(0x82, struct.pack(">H", 1) + _text(topic) + b"\0")
        while not any(kind == 0x90 for kind, _ in self.read(1.0)):
            pass

    def publish(self, packets: list[bytes]) -> None:
        """Send packets made by `publish_packet`."""
        self._socket.sendall(b"".join(packets))

    def read(self, timeout_s: float) -> Iterator[tuple[int, bytes]]:
        """(type, body) of the packets that have arrived; waits for the first at most that long."""
        if not select.select([self._socket], [], [], timeout_s)[0]:
            return
        data = self._socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the broker closed the connection of the load")
        self._buffer += data
        while (packet := self._packet()) is not None:
            yield packet

    def _packet(self) -> tuple[int, bytes] | None:
        length, shift, place, buffer = 0, 0, 1, self._buffer
        while place < len(buffer):
            length |= (buffer[place] & 127) << shift
            shift, place = shift + 7, place + 1
            if buffer[place - 1] < 128:
                break
        else:
            return None
        if len(buffer) < place + length:
            return None
        kind, body = buffer[0], bytes(buffer[place : place + length])
        del buffer[: place + length]
        return kind & 0xF0, body

    def _send(self, kind: int, body: bytes) -> None:
        self._socket.sendall(bytes((kind,)) + _length(len(body)) + body)


def publish_packet(topic: bytes, payload: bytes, packet_id: int) -> bytes:
    """A QoS 1 PUBLISH."""
    body = struct.pack(">H", len(topic)) + topic + struct.pack(">H", packet_id) + payload
    return b"\x32" + _length(len(body)) + body


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def _length(number: int) -> bytes:
    found = bytearray()
    while True:
        number, digit = number >> 7, number & 127
        found.append(digit | (128 if number else 0))
        if not number:
            return bytes(found)


class Events:
    """Event number n: whose it is, what it says, and how old it is when it is sent."""

    def __init__(self, count: int, kinds: str, spread_s: float, boot: int) -> None:
        self._count, self._kinds, self._spread_s, self._boot = count, kinds, spread_s, boot
        self._start = time.monotonic()

    def packet(self, n: int) -> bytes:
        """The PUBLISH of event n; its time lies evenly in the last spread_s, or is now."""
        point, seq = n % POINTS + 1, n // POINTS + 1
        if self._kinds == "faces" and seq % 50 not in (1, 2):
            device, kind = f"cam-{point}", "face"
            said = f'"track":{seq // 50},"smile":0.{seq % 90 + 10},"px":140.5,"yaw":4.2,"ok":true'
        elif self._kinds == "faces" and seq % 50 == 1:
            device, kind, said = f"fob-{point}", "click", '"pattern":"single"'
        else:
            device, kind, said = f"term-{point}", "press", f'"key":{seq % 3 + 1}'
        topic = f"emobox/v1/{SITE_NAME}/{device}/event".encode()
        payload = f'{{"v":1,"boot":{self._boot},"seq":{seq},"age":{self._age_ms(n)},"kind":"{kind}",{said}}}'
        return publish_packet(topic, payload.encode(), n % 65_535 + 1)

    def device(self, name: str, seq: int) -> int:
        """The event's number, from the device that sent it."""
        return (seq - 1) * POINTS + int(name.rpartition("-")[2]) - 1

    def _age_ms(self, n: int) -> int:
        if not self._spread_s:
            return 0
        happened_s = self._start - self._spread_s * (1 - n / self._count)
        return round((time.monotonic() - happened_s) * 1000)


class Load:
    """Sends all, waits until all are acknowledged, keeps when each was."""

    def __init__(self, link: Link, events: Events, count: int, until: str, rate: float, window: int) -> None:
        self._link, self._events, self._count, self._until, self._rate = link, events, count, until, rate
        self._window = window
        self._sent = 0
        self._waiting: dict[int, tuple[float, float]] = {}  # number: first and latest sending
        self.acked_s: list[float] = [0.0] * count
        self.sent_at_s: list[float] = []
        self.resent = 0

    def run(self) -> float:
        """Seconds from the first event to the last acknowledgement; TimeoutError when it never ends."""
        start = last = time.monotonic()
        while self._sent < self._count or self._waiting:
            self._send(start)
            before = len(self._waiting)
            for kind, body in self._link.read(self._pause_s(start)):
                self._take(kind, body)
            now = time.monotonic()
            last = now if len(self._waiting) != before else last
            self._send_again(now)
            if now - last > GIVE_UP_S:
                raise TimeoutError(f"{len(self._waiting)} events were never acknowledged")
        return time.monotonic() - start

    def _pause_s(self, start: float) -> float:
        if not self._rate or self._sent == self._count:
            return 0.2
        return max(0.0, start + self._sent / self._rate - time.monotonic())

    def _due(self, start: float) -> int:
        if not self._rate:
            return self._count
        return min(self._count, 1 + int((time.monotonic() - start) * self._rate))

    def _send(self, start: float) -> None:
        end = min(self._due(start), self._sent + min(200, self._window - len(self._waiting)))
        if end <= self._sent:
            return
        now = time.monotonic()
        fresh = range(self._sent, end)
        self._waiting.update((n, (now, now)) for n in fresh)
        self.sent_at_s += [now] * len(fresh)
        self._sent = end
        self._link.publish([self._events.packet(n) for n in fresh])

    def _send_again(self, now: float) -> None:
        if not self._waiting or now - next(iter(self._waiting.values()))[1] < RESEND_S:
            return
        if self._until == "broker":
            return
        stale = [n for n, (_, latest) in self._waiting.items() if now - latest > RESEND_S][:500]
        for n in stale:
            self._waiting[n] = (self._waiting.pop(n)[0], now)
        self.resent += len(stale)
        self._link.publish([self._events.packet(n) for n in stale])

    def _take(self, kind: int, body: bytes) -> None:
        if kind == 0x40 and self._until == "broker":
            self._acked(self._by_packet_id(struct.unpack(">H", body[:2])[0]))
        elif kind == 0x30:
            length = struct.unpack(">H", body[:2])[0]
            topic, ack = body[2 : 2 + length].decode(), wire.parse_ack(body[2 + length :])
            name = topic.split("/")[3]
            for seq in ack[1] if ack else ():
                self._acked(self._events.device(name, seq))

    def _by_packet_id(self, packet_id: int) -> int:
        """The newest event that was sent with this packet id."""
        newest = self._sent - 1
        return newest - (newest - (packet_id - 1)) % 65_535

    def _acked(self, n: int) -> None:
        sent = self._waiting.pop(n, None)
        if sent:
            self.acked_s[n] = time.monotonic() - sent[0]


def main() -> None:
    """One load, one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--until", choices=["hub", "broker"], default="hub")
    parser.add_argument("--kinds", choices=["faces", "presses"], default="presses")
    parser.add_argument("--spread-s", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--window", type=int, default=WINDOW)
    parser.add_argument("--boot", type=int, default=1)
    args = parser.parse_args()
    link = Link(args.port, "bench-load")
    link.subscribe(f"emobox/v1/{SITE_NAME}/+{ACK_TAIL}")
    events = Events(args.count, args.kinds, args.spread_s, args.boot)
    load = Load(link, events, args.count, args.until, args.rate, args.window)
    seconds = load.run()
    times = {"latencies_s": load.acked_s, "sent_at_s": load.sent_at_s}
    print(json.dumps({"seconds": seconds, "resent": load.resent, **times}))


if __name__ == "__main__":
    main()
