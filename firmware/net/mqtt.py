"""A small MQTT 3.1.1 client: clean session, QoS 1, one write a packet, a time-out on everything.

One Client is one connection; after a failure a new one is made. Several writes a packet cost 44 ms a publish
(Nagle against delayed acknowledgement), one write 37 us.
"""

import asyncio

from net import packets

REPLY_S = 10  # connect, log in, subscribe; PUBACK of a message
BODY_MAX = 4096 + 256  # a larger packet is read past, not into RAM
_CHUNK = 256


class LinkError(Exception):
    """The connection is of no more use; the text says why."""


# ValueError: how MicroPython's TLS tells of a certificate that it does not trust.
BROKEN = (OSError, EOFError, ValueError, MemoryError, LinkError, packets.PacketError)


class Client:
    """`options`: host, port, client_id, keepalive_s, user, password, will (topic, payload), ssl (or None)."""

    def __init__(self, options, clock, on_message):
        self._options = options
        self._clock = clock
        self._on_message = on_message
        self._ids = packets.PacketIds()
        self._in_flight = {}  # packet id: when it was sent
        self._write_lock = asyncio.Lock()
        self._lost = asyncio.Event()
        self._why = "closed"
        self._reader = None
        self._writer = None
        self._heard_ms = 0

    async def open(self, topics):
        """Connect, log in, subscribe; LinkError or OSError when one of them fails."""
        try:
            await asyncio.wait_for(self._open_stream(), REPLY_S)
            await asyncio.wait_for(self._log_in(), REPLY_S)
            await asyncio.wait_for(self._subscribe(topics), REPLY_S)
        except asyncio.TimeoutError as error:
            raise LinkError("the broker does not answer") from error

    async def run(self):
        """Read and keep alive until the connection fails; always ends with LinkError."""
        tasks = [asyncio.create_task(self._guard(work)) for work in (self._read_on, self._keep_alive)]
        try:
            await self._lost.wait()
        finally:
            for task in tasks:
                task.cancel()
        raise LinkError(self._why)

    async def publish(self, topic, payload, qos=1, retain=False):
        """Write one message; True does not mean that anyone has it. False: the connection is lost."""
        packet_id = None
        if qos:
            packet_id = self._ids.take(self._in_flight)
            self._in_flight[packet_id] = self._clock.now_ms()
        return await self._write(packets.publish(topic, payload, packet_id, retain))

    def fail(self, why):
        """Give the connection up; run() ends."""
        if not self._lost.is_set():
            self._why = why
            self._lost.set()

    def close(self):
        """Close the socket, whatever state it is in."""
        if self._writer is not None:
            try:
                self._writer.close()
            except OSError:
                pass  # it was gone already

    async def _open_stream(self):
        host, port, tls = self._options["host"], self._options["port"], self._options.get("ssl")
        if tls is None:
            self._reader, self._writer = await asyncio.open_connection(host, port)
        else:
            connecting = asyncio.open_connection(host, port, ssl=tls, server_hostname=host)
            self._reader, self._writer = await connecting

    async def _log_in(self):
        options = self._options
        will_topic, will_payload = options["will"]
        who = (options["client_id"], options["keepalive_s"], will_topic, will_payload)
        await self._must_write(packets.connect(*who, options.get("user"), options.get("password")))
        head, body = await self._read_packet()
        if head & 0xF0 != packets.CONNACK:
            raise LinkError("the broker's first packet is no CONNACK")
        refusal = packets.parse_connack(body)
        if refusal:
            raise LinkError(refusal)

    async def _subscribe(self, topics):
        await self._must_write(packets.subscribe(self._ids.take(()), topics))
        while True:
            head, body = await self._read_packet()
            if head & 0xF0 == packets.SUBACK:
                break
            await self._take(head, body)
        if any(code & 0x80 for code in body[2:]):
            raise LinkError("the broker refuses a subscription: see its access list")

    async def _guard(self, work):
        try:
            await work()
        except BROKEN as error:
            self.fail(str(error) or type(error).__name__)
        finally:
            self.fail("stopped")  # whatever it was, a connection without its reader must not look alive

    async def _read_on(self):
        while True:
            await self._take(*await self._read_packet())

    async def _keep_alive(self):
        limit_ms = self._options["keepalive_s"] * 1000
        while True:
            await asyncio.sleep(1)
            now_ms = self._clock.now_ms()
            if any(now_ms - sent_ms > REPLY_S * 1000 for sent_ms in self._in_flight.values()):
                raise LinkError("no PUBACK")
            if now_ms - self._heard_ms > limit_ms * 3 // 2:
                raise LinkError("the broker is silent")
            if now_ms - self._heard_ms > limit_ms // 2:
                await self._write(packets.PINGREQ)

    async def _take(self, head, body):
        kind = head & 0xF0
        if kind == packets.PUBACK:
            self._in_flight.pop(packets.parse_id(body), None)
        elif kind == packets.PUBLISH and body is not None:
            topic, payload, packet_id, retain = packets.parse_publish(head, body)
            if packet_id is not None:
                await self._write(packets.puback(packet_id))
            if not retain:  # nothing that is meant for a device is retained: an old order must not run again
                self._on_message(topic, payload)

    async def _read_packet(self):
        """(head, body); the body is None where it was too large to keep."""
        head = (await self._reader.readexactly(1))[0]
        length = await self._read_length()
        body = await self._read_body(length)
        self._heard_ms = self._clock.now_ms()
        return head, body

    async def _read_length(self):
        length = 0
        for shift in (0, 7, 14, 21):
            byte = (await self._reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return length
        raise LinkError("a packet length of five bytes")

    async def _read_body(self, length):
        if length <= BODY_MAX:
            return await self._reader.readexactly(length) if length else b""
        while length:
            length -= len(await self._reader.readexactly(min(length, _CHUNK)))
        return None

    async def _must_write(self, packet):
        if not await self._write(packet):
            raise LinkError(self._why)

    async def _write(self, packet):
        async with self._write_lock:
            try:
                self._writer.write(packet)
                await asyncio.wait_for(self._writer.drain(), REPLY_S)
                return True
            except (OSError, ValueError, asyncio.TimeoutError) as error:
                self.fail("cannot send: " + (str(error).strip() or type(error).__name__))
                return False
