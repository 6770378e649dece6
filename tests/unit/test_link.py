"""The link's socket that is read ahead: nothing is lost, cut, swapped or late, in the clear and over TLS."""

import os
import random
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessage

from gateway.bus import ROUTES_MAX, BrokerAddress, Bus, Message
from gateway.link import PIECE_BYTES, UNSENT_BYTES, Buffered
from tests.servers import ANONYMOUS_BROKER, make_certificate, start_mosquitto
from tests.waiting import wait_for


@pytest.fixture(params=["plain", "tls"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerAddress]:
    secret, key = make_certificate(tmp_path) if request.param == "tls" else (None, None)
    # root, where it starts it: else it could not read the key
    more = ["user root", f"certfile {secret}", f"keyfile {key}"] if secret else []
    with start_mosquitto(tmp_path, settings=[*ANONYMOUS_BROKER, "max_queued_messages 0", *more]) as broker:
        yield BrokerAddress(port=broker.port, ca_file=secret)


@pytest.fixture
def heard() -> list[Message]:
    return []


@pytest.fixture
def bus(address: BrokerAddress, heard: list[Message]) -> Iterator[Bus]:
    bus = Bus(address, "test", on_message=heard.append)
    bus.subscribe("emobox/#")
    bus.start()
    wait_for(lambda: bus.connected, "the broker")
    yield bus
    bus.stop()


def test_a_flood_of_small_and_of_larger_than_a_piece_comes_back_whole_and_in_order(
    bus: Bus, heard: list[Message]
) -> None:
    dice = random.Random(7)
    sizes = [dice.choice((0, 1, 90, 130, 16_400, PIECE_BYTES - 1, 3 * PIECE_BYTES)) for _ in range(300)]
    sent = [dice.randbytes(size) for size in sizes]
    for payload in sent:
        assert bus.publish("emobox/flood", payload)
    wait_for(lambda: len(heard) >= len(sent), "the flood", 30)
    assert [message.payload for message in heard] == sent


def test_what_is_published_while_nothing_moves_goes_out_at_once(bus: Bus, heard: list[Message]) -> None:
    start = time.monotonic()
    for n in range(1, 9):
        assert bus.publish("emobox/one", b"x")
        wait_for(partial(has, heard, n), "the echo")
    assert time.monotonic() - start < 3  # one look at the network a second would take 8


def test_the_kernel_holds_no_small_message_back(bus: Bus) -> None:
    """Nagle's algorithm kept an acknowledgement until the next press came: 10 ms at 100 presses a second."""
    link = bus._client.socket()
    with socket.socket(fileno=os.dup(link.fileno())) as same:  # type: ignore[union-attr]
        assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def has(heard: list[Message], count: int) -> bool:
    return len(heard) == count


def test_what_is_said_just_before_the_end_is_heard(
    address: BrokerAddress, bus: Bus, heard: list[Message]
) -> None:
    other = Bus(address, "other")
    other.start()
    wait_for(lambda: other.connected, "the broker")
    for n in range(100):
        other.publish("emobox/last", str(n).encode())
    other.stop()
    wait_for(lambda: len(heard) == 100, "the last words")


def test_a_message_goes_to_all_whom_its_topic_concerns_and_else_to_the_general_ear(
    bus: Bus, heard: list[Message]
) -> None:
    status: list[str] = []
    bus.publish("emobox/a/status", b"")
    wait_for(lambda: len(heard) == 1, "the echo")
    bus.listen("emobox/+/status", lambda message: status.append("any"))
    bus.listen("emobox/a/status", lambda message: status.append("a"))
    for topic in ("emobox/a/status", "emobox/b/status", "emobox/b/event"):
        bus.publish(topic, b"")
    wait_for(lambda: len(heard) == 2, "the last")
    assert heard[-1].topic == "emobox/b/event"
    assert status == ["any", "a", "any"]


def test_a_link_that_is_stopped_while_it_connects_is_not_left_open(address: BrokerAddress) -> None:
    came = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=let_in_late, args=(door, address.port, came), daemon=True).start()
        bus = Bus(replace(address, port=door.getsockname()[1]), "late")
        bus.start()
        assert came.wait(10)
        bus.stop()
    assert not bus._client._runner.is_alive()
    assert not bus.connected


def let_in_late(door: socket.socket, port: int, came: threading.Event) -> None:
    """Forward the first who comes to a broker, a second late."""
    near, _ = door.accept()
    came.set()
    time.sleep(1)
    with suppress(OSError), near, socket.create_connection(("127.0.0.1", port)) as far:
        other = {near: far, far: near}
        while True:
            for one in select.select([near, far], [], [])[0]:
                if not (data := one.recv(1 << 16)):
                    return
                other[one].sendall(data)


def test_a_topic_that_no_broker_should_let_through_ends_nothing(bus: Bus, heard: list[Message]) -> None:
    bus._received(bus._client, None, MQTTMessage(topic=b"emobox/\xff"))
    bus.publish("emobox/after", b"")
    wait_for(partial(has, heard, 1), "the next message")


def test_a_stranger_who_invents_topics_makes_no_memory_grow(bus: Bus, heard: list[Message]) -> None:
    for n in range(ROUTES_MAX + 50):
        bus.publish(f"emobox/{n}", b"")
    wait_for(lambda: len(heard) == ROUTES_MAX + 50, "the last")
    assert len(bus._routes) <= ROUTES_MAX


def test_a_socket_that_takes_nothing_is_told_of_and_loses_nothing() -> None:
    near, far = socket.socketpair()
    near.setblocking(False)
    kept, given = Buffered(near), 0
    while not kept.unsent:
        given += kept.send(bytes(1000))
        kept.flush()
    given += kept.send(bytes(UNSENT_BYTES))
    with pytest.raises(BlockingIOError):
        kept.send(b"x")
    far.setblocking(False)
    got = 0
    while got < given:
        kept.flush()
        got += len(far.recv(1 << 20))
    assert not kept.unsent
    near.close()
    assert far.recv(1) == b""
    far.close()
