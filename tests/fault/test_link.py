"""The link itself: what a dying broker took with it is not sent again with an age that has grown old."""

import signal
import time
from collections.abc import Iterator

import pytest

from gateway.bus import BrokerAddress, Bus, Message
from tests.servers import Server
from tests.waiting import wait_for


@pytest.fixture
def sender(broker: Server) -> Iterator[Bus]:
    bus = Bus(BrokerAddress(port=broker.port), "sender")
    bus.start()
    wait_for(lambda: bus.connected, "the broker")
    yield bus
    bus.stop()


@pytest.fixture
def heard(broker: Server) -> Iterator[list[Message]]:
    messages: list[Message] = []
    bus = Bus(BrokerAddress(port=broker.port), "listener", on_message=messages.append)
    bus.subscribe("emobox/#")
    bus.start()
    wait_for(lambda: bus.connected, "the broker")
    yield messages
    bus.stop()


def test_nothing_from_before_a_lost_connection_is_sent_after_it(
    broker: Server, sender: Bus, heard: list[Message]
) -> None:
    wait_for(lambda: sender.publish("emobox/early", b"1") and bool(heard), "the listener")
    stop(broker)
    for n in range(100):
        assert sender.publish("emobox/stale", str(n).encode())
    broker.kill()
    broker.start()
    wait_for(lambda: sender.connected and sender.publish("emobox/fresh", b"2"), "the broker again", 30)
    wait_for(
        lambda: sender.publish("emobox/fresh", b"3") and heard[-1].topic == "emobox/fresh", "a fresh one", 30
    )
    time.sleep(0.5)
    assert not [message for message in heard if message.topic == "emobox/stale"]


def test_a_broker_that_stands_still_makes_no_memory_grow(broker: Server, sender: Bus) -> None:
    stop(broker)
    taken = sum(sender.publish("emobox/flood", b"x") for _ in range(30_000))
    assert taken <= 10_000


def stop(broker: Server) -> None:
    """The broker stands still: it takes nothing, and acknowledges nothing."""
    assert broker.process
    broker.process.send_signal(signal.SIGSTOP)
