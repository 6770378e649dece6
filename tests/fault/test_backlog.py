"""Many devices at once, and a hub that was away: the backlog arrives, and every minute stays right."""

import threading
import time
from collections.abc import Callable

from firmware import wire
from gateway.bus import BrokerAddress, Bus, Message
from tests.fault.shop import (
    OWN_TIME_MS,
    Happening,
    Hub,
    Identity,
    Witness,
    every_acknowledged_event_is_stored_once_at_its_own_time,
    followed,
    points,
)
from tests.servers import Server
from tests.waiting import wait_for

MakeHub = Callable[..., Hub]
Connect = Callable[..., list[Witness]]

DEVICES, QUEUED = 50, 300
MINUTE_MS = 60_000
POINT = '[points.p-{n}.devices]\nbig-{n} = {{ kind = "terminal", keys = 3 }}\n'


class Flusher:
    """A device with a day's queue; sends as the firmware does: eight at a time, again after a second."""

    def __init__(self, broker: Server, name: str, moments: dict[int, Happening]) -> None:
        self._name, self._moments, self._waiting = name, moments, dict(moments)
        self._lock = threading.Lock()
        self._bus = Bus(BrokerAddress(port=broker.port), f"shop-1-{name}", on_message=self._ack)
        self._bus.subscribe(wire.topic("shop-1", name, "ack"))
        self._bus.start()

    @property
    def waiting(self) -> dict[int, Happening]:
        """What is not acknowledged."""
        return self._waiting

    def acknowledged(self) -> dict[Identity, Happening]:
        """By identity: what the hub has said it keeps."""
        done = self._moments.keys() - self._waiting.keys()
        return {(self._name, 1, seq): self._moments[seq] for seq in done}

    def flush(self) -> None:
        """Send until everything is acknowledged."""
        sent_s: dict[int, float] = {}
        while self._waiting:
            with self._lock:
                window = sorted(self._waiting)[:8]
            for seq in window:
                if time.monotonic() - sent_s.get(seq, 0.0) > 1.0 and self._send(seq):
                    sent_s[seq] = time.monotonic()
            time.sleep(0.01)
        self._bus.stop()

    def _send(self, seq: int) -> bool:
        what = self._moments[seq]
        age = time.time_ns() // 1_000_000 - what.ms
        event = wire.make_event(what.kind, 1, seq, age, dict(what.fields))
        return self._bus.publish(wire.topic("shop-1", self._name, "event"), event)

    def _ack(self, message: Message) -> None:
        _, seqs = wire.parse_ack(message.payload) or (0, [])
        with self._lock:
            for seq in seqs:
                self._waiting.pop(seq, None)


def day(now_ms: int) -> dict[int, Happening]:
    """A press every two minutes of the ten hours up to now."""
    return {
        seq: Happening(now_ms - (QUEUED - seq + 1) * 2 * MINUTE_MS, "press", {"key": seq % 3 + 1})
        for seq in range(1, QUEUED + 1)
    }


def test_fifty_devices_flush_a_days_queue_at_once(make_hub: MakeHub, broker: Server, influx: Server) -> None:
    extra = "".join(POINT.format(n=n) for n in range(DEVICES))
    hub, now_ms = make_hub(influx.url, extra=extra), time.time_ns() // 1_000_000
    journal = hub.journal()
    devices = [Flusher(broker, f"big-{n}", day(now_ms)) for n in range(DEVICES)]
    began = time.monotonic()
    threads = [threading.Thread(target=device.flush) for device in devices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    print(f"{DEVICES} × {QUEUED} events acknowledged in {time.monotonic() - began:.1f} s")
    assert not any(device.waiting for device in devices)
    followed(journal)
    print(f"in the database after {time.monotonic() - began:.1f} s")
    assert journal.gaps() == 0
    journal.close()
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices, influx)


def test_ten_minutes_without_a_hub_leave_every_minute_right(
    make_hub: MakeHub, broker: Server, influx: Server
) -> None:
    """Compressed: the devices' ages say that ten minutes have passed, the hub itself is down for seconds."""
    hub = make_hub(influx.url)
    journal = hub.journal()
    hub.kill()
    now_ms = time.time_ns() // 1_000_000
    asked = [now_ms - minute * MINUTE_MS for minute in range(10, 0, -1)]
    clicks = {n: Happening(ms, "click", {"pattern": "single"}) for n, ms in enumerate(asked, 1)}
    presses = {n: Happening(ms + 1000, "press", {"key": n % 3 + 1}) for n, ms in enumerate(asked, 1)}
    devices = [Flusher(broker, "term-1", presses), Flusher(broker, "fob-1", clicks)]
    hub.start()
    for device in devices:  # all answers before all questions: every contact is a correction
        device.flush()
    followed(journal)
    wait_for(lambda: len(journal.records("contact")) == len(asked), "a contact a minute")
    contacts = journal.records("contact")
    assert all(abs(contact.time_ms - ms) < OWN_TIME_MS for contact, ms in zip(contacts, asked, strict=True))
    assert [contact.fields["rating"] for contact in contacts] == ["middle", "low", "top"] * 3 + ["middle"]
    assert all(abs(float(contact.fields["answer_s"] or 0) - 1.0) < 0.5 for contact in contacts)
    journal.close()
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices, influx)
    assert len(points(influx, "contact")) == len(asked)
