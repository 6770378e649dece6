"""The journal's first reader: fuses what arrived and writes the records that follow from it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from gateway.clock import Clock
from gateway.config import Site
from gateway.corrections import corrections, late_by_point
from gateway.crowd import watch_until
from gateway.events import Event, Health, Spoken
from gateway.journal import Journal, Note, Row
from gateway.measurements import device_record, phrase_record
from gateway.prompts import sender
from gateway.records import Op
from gateway.stream import PointStream

log = logging.getLogger(__name__)

READER = "fusion"
IDLE_S = 5.0
TAKE = 10_000
FLOOD = 100  # in a flood the acknowledgements come first: few large steps, and a rest after each
REST, REST_MAX_S, REST_STEP_S = 4.0, 1.0, 0.1
SIZE_MAX = 4_000


class Recorder:
    """Reads events by its own cursor and keeps the records true.

    `on_watch(point, kind, for_ms)` hears for how long the point's cameras or microphones are still needed.
    """

    def __init__(
        self,
        journal: Journal,
        site: Site,
        clock: Clock,
        on_watch: Callable[[str, str, int], bool] = lambda point, kind, for_ms: True,
    ) -> None:
        self._journal, self._site, self._clock, self._on_watch = journal, site, clock, on_watch
        self._point_of = site.point_of | {sender(name): point for name, point in site.point_of.items()}
        self._streams: dict[str, PointStream] = {}
        self._shrunk = -1
        self._watched: dict[tuple[str, str], int] = {}

    def run(self, stopping: threading.Event) -> None:
        """Follow the journal until told to stop."""
        self.resume()
        while not stopping.is_set():
            seen, start = self._journal.version, time.monotonic()
            taken = self.step()
            if taken > FLOOD:
                self._rest(stopping, min(REST_MAX_S, REST * (time.monotonic() - start)))
            elif not taken:
                self._journal.wait(seen, self._idle_s())

    def _rest(self, stopping: threading.Event, seconds: float) -> None:
        """Leave the processor to the acknowledgements while the flood goes on, so long at most."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            seen = self._journal.version
            if stopping.wait(REST_STEP_S) or self._journal.version == seen:
                return

    def resume(self) -> None:
        """Take up where the last run of the hub stopped, or start afresh after events were deleted."""
        self._shrunk = self._journal.shrunk()
        position, now, ops = self._journal.cursor(READER), self._clock.now_ms(), list[Op]()
        self._streams = {point: PointStream(self._journal, self._site, point) for point in self._site.points}
        for stream in self._streams.values():
            stream.resume(position, now)
            ops += stream.changes(now)
        if ops:
            self._write(position, ops)

    def step(self) -> int:
        """Take the next events, or what is due by time alone; how many were taken."""
        if self._shrunk != self._journal.shrunk():
            self.resume()
        position = self._journal.cursor(READER)
        rows = self._journal.events_after(position, TAKE)
        now, before, position = self._clock.now_ms(), position, rows[-1].n if rows else position
        touched = self._take(rows, before, position, now)
        touched |= {name for name, s in self._streams.items() if s.closes is not None and s.closes < now}
        late = late_by_point(rows, self._site)
        ops, notes = self._direct(rows), list[Note]()
        for point in touched:
            stream = self._streams[point]
            known, changes = stream.known, stream.changes(now)
            if len(rows) <= FLOOD or stream.size > SIZE_MAX:  # what a flood brings next is of the same hours
                stream.forget(now)
            ops += changes
            notes += corrections(now, point, late.get(point, ()), known, changes, stream.quiet_ms)
        if rows or ops:
            self._write(position, ops, notes)
        self._watch(now)
        return len(rows)

    def _write(self, position: int, ops: Sequence[Op], notes: Sequence[Note] = ()) -> None:
        """Nothing is written when events were deleted meanwhile: the next step begins afresh."""
        self._journal.record(READER, position, ops, notes, shrunk=self._shrunk)

    def _take(self, rows: Sequence[Row], before: int, position: int, now: int) -> set[str]:
        by_point: dict[str, list[Event]] = {}
        for row in rows:
            if row.event and row.device in self._point_of and not isinstance(row.event, Health):
                by_point.setdefault(self._point_of[row.device], []).append(row.event)
        for point, events in by_point.items():
            self._streams[point].add(events, before, position, now)
        return set(by_point)

    def _direct(self, rows: Sequence[Row]) -> list[Op]:
        """Records that follow from one event alone."""
        ops: list[Op] = []
        for event in (row.event for row in rows if row.device in self._site.devices):
            if isinstance(event, Health):
                ops.append(("put", device_record(event, self._journal.gaps_of(event.device), self._site)))
            elif isinstance(event, Spoken) and not self._site.devices[event.device].test:
                ops.append(("put", phrase_record(event, self._site)))
        return ops

    def watch_again(self, point: str, kind: str) -> None:
        """A device of the point has come (back): it was not there when it was told. Any thread may call."""
        self._watched.pop((point, kind), None)
        self._journal.wake()

    def _watch(self, now: int) -> None:
        """Tell cameras and microphones of every point what has changed; the unheard are told again."""
        for point, stream in self._streams.items():
            self._tell((point, "camera"), max(stream.watch_until or 0, watch_until(self._site, now)), now)
            if self._site.points[point].technology == "voice":
                self._tell((point, "microphone"), stream.closes or 0, now)

    def _tell(self, whom: tuple[str, str], until: int, now: int) -> None:
        told = self._watched.get(whom, 0)
        if until != told and max(until, told) > now and self._on_watch(*whom, max(0, until - now)):
            self._watched[whom] = until

    def _idle_s(self) -> float:
        due = [stream.closes for stream in self._streams.values() if stream.closes is not None]
        if not due:
            return IDLE_S
        return max(0.0, min(IDLE_S, (min(due) + 1 - self._clock.now_ms()) / 1000))
