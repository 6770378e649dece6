"""The journal's first reader: fuses what arrived and writes the records that follow from it."""

from __future__ import annotations

import logging
import threading
import time
from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from gateway.clock import Clock
from gateway.config import Site
from gateway.corrections import corrections, late_by_point
from gateway.events import Event, Health, Press, Reading, Spoken
from gateway.fusion import Contact, Fusion, PointEvents
from gateway.fusion.emotion import Emotion, EmotionLimits, Window, read_emotion
from gateway.fusion.ratings import LATE_MS
from gateway.journal import Journal, Note, Row
from gateway.measurements import contact_record, device_record, phrase_record, press_record
from gateway.records import Record
from gateway.standing import Standing

log = logging.getLogger(__name__)

READER = "fusion"
LATEST = 2**62
IDLE_S = 5.0
TIDY_LEAST = 100
TAKE = 10_000
FLOOD = 100  # in a flood the acknowledgements come first: few large steps, and a rest after each
REST, REST_MAX_S = 4.0, 1.0
SIZE_MAX = 20_000
REACHES = (
    "window_after_s",
    "window_post_s",
    "window_silent_s",
    "burst_gap_s",
    "cancel_s",
    "phrase_merge_s",
)

Op = tuple[str, Record]


class EmotionMemory:
    """Remembers what was read in a window, as long as no further reading falls into it."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Window, int], Emotion] = {}

    def read(self, readings: Sequence[Reading], window: Window, limits: EmotionLimits) -> Emotion:
        """The same as `read_emotion`."""
        key = (window, len(readings))
        if key not in self._seen:
            self._seen[key] = read_emotion(readings, window, limits)
        return self._seen[key]

    def forget(self) -> None:
        """Start afresh."""
        self._seen.clear()


class RecordMemory:
    """Remembers the records that were made: what has not changed since has the very same record."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._contacts: dict[int, tuple[Contact, Record]] = {}
        self._presses: dict[tuple[str, int, int], tuple[str, Record]] = {}

    def contact(self, contact: Contact) -> Record:
        """The same as `contact_record`; for the contacts of one point."""
        kept = self._contacts.get(contact.asked)
        if kept is None or kept[0] != contact:
            kept = self._contacts[contact.asked] = (contact, contact_record(contact, self._site))
        return kept[1]

    def press(self, press: Press, states: Mapping[tuple[str, int, int], str]) -> Record:
        """The same as `press_record`; a press without a state is of a terminal in test mode."""
        name = (press.device, press.boot, press.seq)
        state = states.get(name, "test")
        kept = self._presses.get(name)
        if kept is None or kept[0] != state:
            kept = self._presses[name] = (state, press_record(press, state, self._site))
        return kept[1]

    def forget(self) -> None:
        """Start afresh."""
        self._contacts.clear()
        self._presses.clear()


class PointStream:
    """The live end of one point: its events since the last long quiet, and the records they made."""

    def __init__(self, journal: Journal, site: Site, point: str) -> None:
        self._journal, self._site, self._point = journal, site, point
        self._memory, self._made = EmotionMemory(), RecordMemory(site)
        self._standing = Standing(self._memory.read)
        self._fusion = Fusion(site, point, self._standing.read)
        self._events = PointEvents()
        self.known: dict[str, Record] = {}
        self._since = LATEST
        self._taken = self._tidy_at = 0
        self.closes: int | None = None
        self.watch_until: int | None = None

    @cached_property
    def quiet_ms(self) -> int:
        """After a quiet as long as this nothing that happened before has an effect."""
        reach = max(self._site.timeout_ms(self._point), LATE_MS)
        return reach + sum(self._site.defaults.ms(name) for name in REACHES)

    @property
    def size(self) -> int:
        """How many events it holds."""
        events = self._events
        return len(events.clicks) + len(events.presses) + len(events.spoken) + len(events.readings)

    def resume(self, position: int) -> None:
        """Take up the last stretch again: an ask may have been open when the hub stopped."""
        self._load(LATEST, position)

    def add(self, events: Sequence[Event], position: int) -> None:
        """Take events that stand in the journal up to its place `position`."""
        self._taken += len(events)
        earliest = min(event.t for event in events)
        if earliest >= self._since or not self._load(earliest, position):
            for event in events:
                self._put(event)

    def _load(self, t: int, position: int) -> bool:
        """Begin again from the quiet before t: at the start, and when an event is very late.

        False when nothing stands there that is not known, as before a face ahead of every ask.
        """
        devices = list(self._site.points[self._point].devices)
        since = self._journal.quiet_before(devices, t, self.quiet_ms, position)
        if since is None or since >= self._since:
            return False
        self._since = since
        self._events = PointEvents()
        self._memory.forget()
        self._made.forget()
        for event in self._journal.events_between(devices, since, LATEST, position):
            self._put(event)
        kept = (self._journal.records(name, since, point=self._point) for name in ("contact", "press"))
        self.known = {record.id: record for records in kept for record in records}
        self._standing.load(self._journal.gone(self._point), self.known.values())
        return True

    def _put(self, event: Event) -> None:
        if self._site.devices[event.device].test and not isinstance(event, Press):
            return
        if isinstance(event, Reading) and event.t >= self._since:
            insort(self._events.readings, event, key=lambda reading: reading.t)
        elif not isinstance(event, Reading):
            self._events.add(event)

    def changes(self, now: int) -> list[Op]:
        """What has to change in the records so that they say what the events say at `now`."""
        fused = self._fusion.fuse(self._trusted(), now)
        self.closes, self.watch_until = fused.closes, fused.watch_until
        records = [self._made.contact(contact) for contact in fused.contacts]
        records += [self._made.press(press, fused.states) for press in self._events.presses]
        fresh = {record.id: record for record in records}
        ops = [op for op in difference(self.known, fresh) if not self._standing.covers(op[1].time_ms)]
        self.known = fresh
        return ops

    def _trusted(self) -> PointEvents:
        """The events without the presses of terminals in test mode."""
        events = self._events
        presses = [press for press in events.presses if not self._site.devices[press.device].test]
        return PointEvents(events.clicks, presses, events.spoken, events.readings)

    def forget(self, now: int) -> None:
        """Let go of what lies before the last quiet that ended long enough ago; looks once in a while."""
        if self._taken < self._tidy_at:
            return
        self._tidy_at = self._taken + max(TIDY_LEAST, self.size // 8)
        quiet_ms = self.quiet_ms
        horizon = now - quiet_ms - self._site.defaults.ms("lateness_s")
        events = self._events
        times = sorted(event.t for event in (*events.clicks, *events.presses, *events.spoken))
        ends = [b for a, b in pairwise(times) if b - a > quiet_ms and b < horizon]
        if not ends or ends[-1] <= self._since:
            return
        self._since = since = ends[-1]
        self._memory.forget()
        self._made.forget()
        self._events = PointEvents(
            [event for event in events.clicks if event.t >= since],
            [event for event in events.presses if event.t >= since],
            [event for event in events.spoken if event.t >= since],
            [event for event in events.readings if event.t >= since],
        )
        self.known = {name: record for name, record in self.known.items() if record.time_ms >= since}


def difference(old: dict[str, Record], new: dict[str, Record]) -> Iterable[Op]:
    """Steps from old to new; a record that cannot be overwritten is taken back before it is put again."""
    for name, record in old.items():
        fresh = new.get(name)
        if fresh is not record and (fresh is None or not _overwrites(fresh, record)):
            yield "retract", record
    for name, record in new.items():
        before = old.get(name)
        if before is not record and before != record:
            yield "put", record


def _overwrites(new: Record, old: Record) -> bool:
    """Whether a store that merges fields of one series and time ends up with `new` alone."""
    kept = {name for name, value in old.fields.items() if value is not None}
    given = {name for name, value in new.fields.items() if value is not None}
    return (new.tags, new.time_ms) == (old.tags, old.time_ms) and kept <= given


class Recorder:
    """Reads events by its own cursor and keeps the records true; `on_watch` hears when cameras are needed."""

    def __init__(
        self,
        journal: Journal,
        site: Site,
        clock: Clock,
        on_watch: Callable[[str, int], None] = lambda point, for_ms: None,
    ) -> None:
        self._journal, self._site, self._clock, self._on_watch = journal, site, clock, on_watch
        self._streams: dict[str, PointStream] = {}
        self._shrunk = -1
        self._watched: dict[str, int | None] = {}

    def run(self, stopping: threading.Event) -> None:
        """Follow the journal until told to stop."""
        self.resume()
        while not stopping.is_set():
            seen, start = self._journal.version, time.monotonic()
            taken = self.step()
            if taken > FLOOD:
                stopping.wait(min(REST_MAX_S, REST * (time.monotonic() - start)))
            elif not taken:
                self._journal.wait(seen, self._idle_s())

    def resume(self) -> None:
        """Take up where the last run of the hub stopped, or start afresh after events were deleted."""
        self._shrunk = self._journal.shrunk()
        position, now, ops = self._journal.cursor(READER), self._clock.now_ms(), list[Op]()
        self._streams = {point: PointStream(self._journal, self._site, point) for point in self._site.points}
        for stream in self._streams.values():
            stream.resume(position)
            ops += stream.changes(now)
        if ops:
            self._write(position, ops)

    def step(self) -> int:
        """Take the next events, or what is due by time alone; how many were taken."""
        if self._shrunk != self._journal.shrunk():
            self.resume()
        position = self._journal.cursor(READER)
        rows = self._journal.events_after(position, TAKE)
        now, position = self._clock.now_ms(), rows[-1].n if rows else position
        touched = self._take(rows, position)
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
        for point in touched:
            self._watch(point, now)
        return len(rows)

    def _write(self, position: int, ops: Sequence[Op], notes: Sequence[Note] = ()) -> None:
        """Nothing is written when events were deleted meanwhile: the next step begins afresh."""
        self._journal.record(READER, position, ops, notes, shrunk=self._shrunk)

    def _take(self, rows: Sequence[Row], position: int) -> set[str]:
        by_point: dict[str, list[Event]] = {}
        for row in rows:
            if row.event and row.device in self._site.point_of and not isinstance(row.event, Health):
                by_point.setdefault(self._site.point_of[row.device], []).append(row.event)
        for point, events in by_point.items():
            self._streams[point].add(events, position)
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

    def _watch(self, point: str, now: int) -> None:
        until = self._streams[point].watch_until
        if until != self._watched.get(point):
            self._watched[point] = until
            self._on_watch(point, max(0, (until or 0) - now))

    def _idle_s(self) -> float:
        due = [stream.closes for stream in self._streams.values() if stream.closes is not None]
        if not due:
            return IDLE_S
        return max(0.0, min(IDLE_S, (min(due) + 1 - self._clock.now_ms()) / 1000))
