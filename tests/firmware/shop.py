"""A shop around the device: what a gateway hears and answers, and a clock that a test turns."""

import json
import threading
import time
from collections import Counter
from typing import Any

from firmware import wire
from gateway.bus import BrokerAddress, Bus, Message
from tests.waiting import wait_for

SITE = "shop-1"


def device_config(device: str, port: int, **settings: Any) -> dict[str, Any]:
    """A device's config.json for a broker on this machine."""
    broker = {"host": "127.0.0.1", "port": port, **settings.pop("broker", {})}
    return {"site": SITE, "device": device, "broker": broker, **settings}


class FakeClock:
    """Stands still until a test moves it."""

    def __init__(self, now_ms: int = 0) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        """The moment that the test set."""
        return self.ms


class Ear:
    """Collects (arrival time, device, event); acknowledges each event while `acks` is on."""

    def __init__(self, port: int) -> None:
        self.events: list[tuple[float, str, dict[str, Any]]] = []
        self.statuses: list[tuple[str, dict[str, Any]]] = []
        self.acks = False
        self._lock = threading.Lock()
        self._bus = Bus(BrokerAddress(port=port), "ear", on_message=self._hear)

    def start(self) -> None:
        """Connect and listen."""
        self._bus.subscribe("emobox/v1/+/+/event")
        self._bus.subscribe("emobox/v1/+/+/status")
        self._bus.start()
        self.wait_link()

    def wait_link(self) -> None:
        """Until it hears (again) what comes."""
        wait_for(lambda: self._bus.connected, "the broker")
        time.sleep(0.1)  # the subscription is on its way

    def stop(self) -> None:
        """Leave."""
        self._bus.stop()

    def ack(self, device: str, boot: int, seqs: list[int]) -> None:
        """Say that the journal has these events."""
        self.tell(device, "ack", wire.make_ack(boot, seqs))

    def tell(self, device: str, leaf: str, payload: dict[str, Any] | bytes) -> None:
        """Publish something to a device."""
        assert self._bus.publish(wire.topic(SITE, device, leaf), payload)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of this kind in the order of arrival, re-sent ones too."""
        with self._lock:
            return [event for _, _, event in self.events if event["kind"] == kind]

    def wait(self, kind: str, count: int = 1, timeout_s: float = 20.0) -> list[dict[str, Any]]:
        """The first `count` events of this kind."""
        try:
            wait_for(lambda: len(self.of(kind)) >= count, f"{count} × {kind}", timeout_s)
        except AssertionError as error:
            error.add_note(self._heard())
            raise
        return self.of(kind)[:count]

    def _heard(self) -> str:
        with self._lock:
            return f"heard {dict(Counter(event['kind'] for _, _, event in self.events))}, {self.statuses}"

    def _hear(self, message: Message) -> None:
        _, device, leaf = wire.split_topic(message.topic) or ("", "", "")
        payload = json.loads(message.payload)
        if leaf == "status":
            self.statuses.append((device, payload))
            return
        with self._lock:
            self.events.append((time.monotonic(), device, payload))
        if self.acks:
            self.ack(device, payload["boot"], [payload["seq"]])


def identity(event: dict[str, Any]) -> tuple[int, int]:
    """(boot, seq) of an event."""
    return event["boot"], event["seq"]


def without_age(event: dict[str, Any]) -> dict[str, Any]:
    """What must be equal in all copies of an event."""
    return {name: value for name, value in event.items() if name != "age"}
