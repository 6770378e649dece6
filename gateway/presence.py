"""Which devices are there: their retained status messages (spec 2)."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from firmware import wire
from gateway.bus import Message
from gateway.clock import Clock
from gateway.config import Site
from gateway.journal import Journal
from gateway.measurements import status_record

READER = "presence"
WAIT_S = 0.5
REACH_MS = 2 * 3_600_000
LENS = ("watching", "off", "blind")


@dataclass(frozen=True, slots=True)
class Lens:
    """What a camera last said of its lens, and since when by the hub's clock (ms)."""

    says: str
    since: int


class Presence:
    """Online or not, by device; only what a device of this site said itself on this connection."""

    def __init__(
        self,
        site: str,
        link_up: Callable[[], bool] = lambda: True,
        on_said: Callable[[str, bool], None] = lambda device, online: None,
        now_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self._site = site
        self.link_up = link_up
        self._on_said, self._now_ms = on_said, now_ms
        self.online: dict[str, bool] = {}
        self.lens: dict[str, Lens] = {}

    def forget(self) -> None:
        """The link has come anew: a broker that was started again may know nothing of them."""
        self.online.clear()
        self.lens.clear()

    def receive(self, message: Message) -> None:
        """Take one status message; anything else is ignored."""
        parts = wire.split_topic(message.topic)
        if parts is None or parts[0] != self._site or parts[2] != "status":
            return
        try:
            status = json.loads(message.payload)
        except ValueError:
            return
        if isinstance(status, dict) and isinstance(status.get("online"), bool):
            self.online[parts[1]] = status["online"]
            self._look_at_lens(parts[1], status.get("lens"))
            self._on_said(parts[1], status["online"])

    def _look_at_lens(self, device: str, says: object) -> None:
        if says not in LENS:
            self.lens.pop(device, None)
        elif device not in self.lens or self.lens[device].says != says:
            self.lens[device] = Lens(str(says), self._now_ms())


class PresenceLog:
    """Writes each change of a device's status as a `device` record, at the time when the hub heard of it."""

    def __init__(self, journal: Journal, site: Site, clock: Clock) -> None:
        self._journal, self._site, self._clock = journal, site, clock
        self._said: queue.SimpleQueue[tuple[int, str, bool]] = queue.SimpleQueue()
        self._known: dict[str, bool] = {}

    def say(self, device: str, online: bool) -> None:
        """A device has said so; from the network's thread."""
        if device in self._site.devices:
            self._said.put((self._clock.now_ms(), device, online))

    def run(self, stopping: threading.Event) -> None:
        """Write what is said until told to stop."""
        self.resume()
        while not stopping.is_set():
            self.step(WAIT_S)

    def resume(self) -> None:
        """What the latest records say, of the last two hours."""
        for record in self._journal.records("device", self._clock.now_ms() - REACH_MS):
            self._known[record.tags["device"]] = record.fields["online"] is True

    def step(self, wait_s: float = 0) -> None:
        """Take one status, and write it when it is news."""
        try:
            t, device, online = self._said.get(timeout=wait_s) if wait_s else self._said.get_nowait()
        except queue.Empty:
            return
        if self._known.get(device) != online:
            self._journal.record(READER, 0, [("put", status_record(t, device, online, self._site))])
            self._known[device] = online
