"""The MQTT client against brokers that misbehave: whatever they do, it ends with a reason, in time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest
from net import mqtt, packets
from net.mqtt import Client, LinkError

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x04\x00\x01\x01\x01"
Broker = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RealClock:
    """Milliseconds that pass."""

    def now_ms(self) -> int:
        """Now."""
        return time.monotonic_ns() // 1_000_000


async def with_broker(broker: Broker, keepalive_s: int = 20, stay_s: float = 5.0) -> tuple[str, list[Any]]:
    """(why the connection ended, messages) of a client that meets this broker."""
    heard: list[Any] = []
    server = await asyncio.start_server(broker, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    options = {"host": host, "port": port, "client_id": "x", "keepalive_s": keepalive_s, "will": ("s", b"{}")}
    client = Client(options, RealClock(), lambda topic, payload: heard.append((topic, payload)))
    try:
        await client.open(["a", "b"])
        await asyncio.wait_for(client.run(), stay_s)
    except (LinkError, OSError, EOFError) as error:
        return str(error), heard
    finally:
        client.close()
        server.close()
    return "", heard


def meet(broker: Broker, **settings: Any) -> tuple[str, list[Any]]:
    return asyncio.run(with_broker(broker, **settings))


def says(*parts: bytes, hold_s: float = 0.0) -> Broker:
    """A broker that answers the log-in and the subscription, then says this, then hangs up."""

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)
        await reader.read(1000)
        for part in (SUBACK, *parts):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        await asyncio.sleep(hold_s)
        writer.close()

    return broker


def test_hears_messages_that_come_in_single_bytes() -> None:
    message = packets.publish("a", b"hello", 5)
    _, heard = meet(says(*(bytes([byte]) for byte in message)))
    assert heard == [("a", b"hello")]


def test_hears_a_message_that_arrives_before_the_subscription_is_confirmed() -> None:
    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)
        await reader.read(1000)
        writer.write(packets.publish("a", b"early") + SUBACK)
        await asyncio.sleep(0.05)
        writer.close()

    assert meet(broker)[1] == [("a", b"early")]


def test_ignores_what_is_retained() -> None:
    message = packets.publish("a", b"old", retain=True) + packets.publish("a", b"new")
    assert meet(says(message))[1] == [("a", b"new")]


def test_reads_past_a_packet_that_is_too_large_and_hears_the_next() -> None:
    large = packets.publish("a", b"x" * 300_000)
    assert meet(says(large, packets.publish("a", b"small")))[1] == [("a", b"small")]


@pytest.mark.parametrize(
    "broken",
    [
        b"\x32\x03\x00\x09a",
        b"\x30\xff\xff\xff\xff\x01",
        b"\x40\x00",
        b"\x30\x00",
        b"\x32\x04\x00\x02\xff\xfe",
    ],
    ids=["topic too long", "length of 5 bytes", "PUBACK without id", "empty", "not UTF-8"],
)
def test_ends_with_a_reason_at_a_broken_packet(broken: bytes) -> None:
    began_s = time.monotonic()
    assert meet(says(broken, hold_s=3.0))[0]
    assert time.monotonic() - began_s < 2.0


def test_ends_when_the_broker_hangs_up() -> None:
    assert meet(says())[0]


@pytest.mark.parametrize(
    ("answer", "told"),
    [(b"\x20\x02\x00\x05", "may not log in"), (b"\xd0\x00", "no CONNACK"), (b"\x20\x01\x00", "CONNACK")],
)
def test_a_refused_log_in_says_why(answer: bytes, told: str) -> None:
    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        await asyncio.sleep(0.2)
        writer.close()

    with pytest.raises((LinkError, packets.PacketError), match=told):
        raise_reason(*meet_any(broker))


def meet_any(broker: Broker) -> tuple[str, list[Any]]:
    """Like meet(); a PacketError counts as a reason too."""
    try:
        return meet(broker)
    except packets.PacketError as error:
        return str(error), []


def raise_reason(why: str, _: list[Any]) -> None:
    raise LinkError(why)


def test_a_refused_subscription_is_told() -> None:
    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)
        await reader.read(1000)
        writer.write(b"\x90\x04\x00\x01\x01\x80")
        await asyncio.sleep(0.2)
        writer.close()

    assert "access list" in meet(broker)[0]


@pytest.mark.parametrize("after", ["connect", "log-in"])
def test_a_broker_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch, after: str) -> None:
    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        if after == "log-in":
            writer.write(CONNACK)
        await asyncio.sleep(3.0)
        writer.close()

    monkeypatch.setattr(mqtt, "REPLY_S", 0.3)
    began_s = time.monotonic()
    assert "does not answer" in meet(broker)[0]
    assert time.monotonic() - began_s < 2.0


def test_a_broker_that_falls_silent_is_given_up_after_the_keep_alive() -> None:
    began_s = time.monotonic()
    assert meet(says(hold_s=30.0), keepalive_s=1, stay_s=10.0)[0] == "the broker is silent"
    assert time.monotonic() - began_s < 5.0


def test_a_missing_puback_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async def publish_into_silence() -> str:
        server = await asyncio.start_server(says(hold_s=30.0), "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        options = {"host": host, "port": port, "client_id": "x", "keepalive_s": 60, "will": ("s", b"{}")}
        client = Client(options, RealClock(), lambda topic, payload: None)
        await client.open(["a", "b"])
        await client.publish("t", b"x")
        with pytest.raises(LinkError) as error:
            await asyncio.wait_for(client.run(), 10.0)
        client.close()
        server.close()
        return str(error.value)

    monkeypatch.setattr(mqtt, "REPLY_S", 0.5)
    assert asyncio.run(publish_into_silence()) == "no PUBACK"


def test_each_packet_is_one_write() -> None:
    class Writer:
        """Counts writes."""

        writes: ClassVar[list[bytes]] = []

        def write(self, data: bytes) -> None:
            """One more."""
            self.writes.append(data)

        async def drain(self) -> None:
            """Nothing waits."""

    client = Client({"keepalive_s": 20}, RealClock(), print)
    client._writer = Writer()
    asyncio.run(client.publish("topic", b"payload"))
    assert Writer.writes == [packets.publish("topic", b"payload", 1)]
