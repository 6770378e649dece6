"""From the bus to the journal: commits what waits, in one go, and only then acknowledges it."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Iterable, Iterator

from firmware import wire
from gateway import prompts
from gateway.bus import Bus, Message
from gateway.clock import Clock
from gateway.config import Site
from gateway.events import Arrival, Quarantined
from gateway.inspector import Inspector
from gateway.journal import Journal, JournalError

log = logging.getLogger(__name__)

WAITING_MAX = 20_000
BATCH_MAX = 1000
ACK_MAX = 50
QUIET_S = 120
PROMPT, COMMAND = b'"prompt"', "/command"
OWN_LEAVES = ("/ack", "/command", "/status")


class Ingest:
    """From the bus to the journal: commits what waits, in one go, and only then acknowledges it."""

    def __init__(self, bus: Bus, journal: Journal, site: Site, clock: Clock) -> None:
        self._bus, self._journal, self._site, self._clock = bus, journal, site, clock
        self._inspector = Inspector(site)
        self._waiting: queue.Queue[tuple[int, Message]] = queue.Queue(WAITING_MAX)

    def receive(self, message: Message) -> None:
        """Take a message from the network thread; when too many wait it is left to the device's re-send."""
        if message.retain or message.topic.endswith(OWN_LEAVES):
            return
        self._queue(message)

    def overhear(self, message: Message) -> None:
        """Take a command that went out, if it is a prompt: what followed from it is to be known later."""
        if PROMPT in message.payload and not message.retain:
            self._queue(message)

    def _queue(self, message: Message) -> None:
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait((self._clock.now_ms(), message))

    def run(self, stopping: threading.Event) -> None:
        """Commit and acknowledge until told to stop."""
        busy_until_s = time.monotonic() + self._quiet_s if self._clock.carried else 0.0
        while not stopping.is_set():
            if any(map(_is_by_a_person, self._take())):
                busy_until_s = time.monotonic() + self._quiet_s
            elif time.monotonic() > busy_until_s:
                self._adopt_clock()

    def _next_batch(self) -> list[tuple[int, Message]]:
        """What waits by now; blocks for the first."""
        try:
            batch = [self._waiting.get(timeout=0.5)]
        except queue.Empty:
            return []
        with contextlib.suppress(queue.Empty):
            while len(batch) < BATCH_MAX:
                batch.append(self._waiting.get_nowait())
        return batch

    def _take(self) -> list[Arrival | Quarantined]:
        """What came, committed and acknowledged as far as there is room for it."""
        found = [self._inspect(at, message) for at, message in self._next_batch()]
        items = [item for item in found if item]
        if items:
            self._store(items)
        return items

    def _inspect(self, at: int, message: Message) -> Arrival | Quarantined | None:
        if message.topic.endswith(COMMAND):
            return prompts.heard(self._site, at, message.topic, message.payload)
        return self._inspector.inspect(at, message.topic, message.payload)

    def _store(self, items: list[Arrival | Quarantined]) -> None:
        try:
            self._journal.append(items)
        except JournalError as error:
            log.error("nothing is acknowledged, devices keep their events: %s", error)
            time.sleep(1)
            return
        for device, boot, seqs in receipts(items):
            topic = wire.topic(self._site.site, device, "ack")
            self._bus.publish(topic, wire.make_ack(boot, seqs))

    @property
    def _quiet_s(self) -> float:
        """After a quiet as long as this nobody is being asked."""
        return max(QUIET_S, *(2 * self._site.timeout_ms(point) / 1000 for point in self._site.points))

    def _adopt_clock(self) -> None:
        step_ms = self._clock.adopt()
        if abs(step_ms) > 1000:
            log.warning(
                "the system's clock was set by %+.1f s; followed while the shop was quiet", step_ms / 1000
            )


def _is_by_a_person(item: Arrival | Quarantined) -> bool:
    """Whether it belongs to an ask; devices say how they fare in an empty shop too."""
    return isinstance(item, Arrival) and item.kind in ("press", "click", "phrase", "prompt")


def receipts(items: Iterable[Arrival | Quarantined]) -> Iterator[tuple[str, int, list[int]]]:
    """(device, boot, [seq, …]) to acknowledge, a few at a time so that a small device can read it."""
    seqs: dict[tuple[str, int], list[int]] = {}
    for item in items:
        if isinstance(item, Arrival):
            if item.kind != "prompt":  # nobody waits for that
                seqs.setdefault((item.device, item.boot), []).append(item.seq)
        elif item.device is not None and item.identity is not None:
            seqs.setdefault((item.device, item.identity[0]), []).append(item.identity[1])
    for (device, boot), all_of_boot in seqs.items():
        for start in range(0, len(all_of_boot), ACK_MAX):
            yield device, boot, all_of_boot[start : start + ACK_MAX]
