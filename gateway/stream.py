"""The live end of one point: its latest events, and the records that follow from them."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from gateway.config import Site
from gateway.events import Click, Event, Press, Prompt, Reading, Spoken
from gateway.fusion import Contact, Fusion, PointEvents
from gateway.fusion.asks import CLICK_MERGE_MS, PROMPT_MS, merge_clicks
from gateway.fusion.contacts import SETTLE_MS
from gateway.fusion.emotion import Emotion, EmotionLimits, Window, read_emotion
from gateway.fusion.ratings import LATE_MS
from gateway.journal import Journal
from gateway.measurements import contact_record, press_record
from gateway.moments import EMOTION, EVERYBODY, MomentMemory
from gateway.prompts import sender
from gateway.records import Op, Record, difference
from gateway.standing import Standing

LATEST = 2**62
TIDY_LEAST = 100
DAY_LONGEST_MS = 26 * 3_600_000  # 25 h when the clocks go back
SENDERS: dict[type[Event], str] = {
    Press: "terminal",
    Click: "keyfob",
    Reading: "camera",
    Spoken: "microphone",
}
REACHES = (
    "window_after_s",
    "window_post_s",
    "window_silent_s",
    "burst_gap_s",
    "cancel_s",
    "phrase_merge_s",
)


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


@dataclass(frozen=True, slots=True)
class Settled:
    """A record that stands (or None where none does), and how its events would be judged today."""

    kept: Record | None
    judged: Record | None


class PointStream:
    """The live end of one point: its events since the last long quiet, and the records they made."""

    def __init__(self, journal: Journal, site: Site, point: str) -> None:
        self._journal, self._site, self._point = journal, site, point
        self._memory, self._made = EmotionMemory(), RecordMemory(site)
        self._standing = Standing(self._memory.read)
        self._fusion = Fusion(site, point, self._standing.read)
        self._moments = MomentMemory(site, point, self._fusion.emotion_limits)
        self._events = PointEvents()
        self.known: dict[str, Record] = {}
        self._settled: dict[str, Settled] = {}
        self._since = LATEST
        self._taken = self._tidy_at = 0
        self.closes: int | None = None
        self.watch_until: int | None = None

    @cached_property
    def quiet_ms(self) -> int:
        """After a quiet as long as this nothing that happened before has an effect."""
        reach = max(self._site.timeout_ms(self._point), LATE_MS)
        return reach + sum(self._site.defaults.ms(name) for name in REACHES)

    @cached_property
    def _pause_ms(self) -> int:
        """An ask that is opened after a pause as long as this owes nothing to what happened before."""
        limits = self._site.defaults
        return max(limits.ms("burst_gap_s"), limits.ms("phrase_merge_s"), CLICK_MERGE_MS, SETTLE_MS)

    @property
    def size(self) -> int:
        """How many events it holds."""
        events = self._events
        return len(events.clicks) + len(events.presses) + len(events.spoken) + len(events.readings)

    def resume(self, position: int, now: int) -> None:
        """Take up the last stretch again: an ask may have been open when the hub stopped."""
        self._load(LATEST, position, position, now)

    def add(self, events: Sequence[Event], before: int, position: int, now: int) -> None:
        """Take events that stand in the journal after its place `before`, up to `position`."""
        self._taken += len(events)
        earliest = min(event.t for event in events)
        if earliest < self._since:
            self._load(earliest, before, position, now)
        for event in events:
            self._put(event)

    def _load(self, t: int, before: int, position: int, now: int) -> None:
        """Begin again from the quiet before t, with the events up to `before`.

        At the start, and when an event is very late; nothing is done when no more stands there than is known.
        """
        devices = list(self._site.points[self._point].devices)
        since = self._journal.quiet_before(devices, t, self.quiet_ms, position)
        if since is None or since >= self._since:
            return
        self._since = since
        self._events = PointEvents()
        self._memory.forget()
        self._made.forget()
        self._moments.forget()
        for event in self._earlier(devices, since, before):
            self._put(event)
        newest = since
        for event in self._journal.events_between(devices, since, LATEST, before):
            self._put(event)
            newest = event.t
        kept = (
            self._journal.records(name, since, point=self._point) for name in ("contact", "press", *EMOTION)
        )
        others = EVERYBODY  # has a writer of its own
        self.known = {r.id: r for records in kept for r in records if r.tags.get("scope") != others}
        self._standing.load(self._journal.gone(self._point), self.known.values())
        self._settle(newest, now)

    def _earlier(self, devices: Sequence[str], since: int, before: int) -> Iterator[Event]:
        """What reaches into the stretch from before it: sign-ons of the day, prompts of the last minute."""
        between, point = self._journal.events_between, self._site.points[self._point]
        if any(one.keyfob in point.devices for one in self._site.staff.values()):
            keyfobs = [name for name in devices if point.devices[name].kind == "keyfob"]
            events = between(keyfobs, since - DAY_LONGEST_MS, since - 1, before)
            yield from (e for e in events if isinstance(e, Click) and e.pattern == "long")
        yield from between(map(sender, devices), since - PROMPT_MS, LATEST, before)

    def _settle(self, newest: int, now: int) -> None:
        """Note what stands though the same events would be judged otherwise today.

        A changed configuration (or version) judges what comes, never again what it was not there for.
        """
        then, today = self._judge(newest), self._judge(now)
        self._settled = {
            name: Settled(self.known.get(name), today.get(name))
            for name in {*self.known, *then, *today}
            if self.known.get(name) not in (then.get(name), today.get(name))
        }

    def _put(self, event: Event) -> None:
        if isinstance(event, Prompt):
            self._events.add(event)
            return
        device = self._site.devices[event.device]
        if SENDERS.get(type(event)) != device.kind or (device.test and not isinstance(event, Press)):
            return
        if isinstance(event, Press) and event.key > (device.keys or 0):
            return
        if isinstance(event, Reading) and event.t >= self._since:
            insort(self._events.readings, event, key=lambda reading: reading.t)
        elif not isinstance(event, Reading):
            self._events.add(event)

    def changes(self, now: int) -> list[Op]:
        """What has to change in the records so that they say what the events say at `now`."""
        fresh = self._judge(now)
        for name, settled in self._settled.items():
            if fresh.get(name) == settled.judged:
                fresh.pop(name, None)
                if settled.kept:
                    fresh[name] = settled.kept
        ops = [op for op in difference(self.known, fresh) if not self._standing.covers(op[1])]
        self.known = fresh
        return ops

    def _judge(self, now: int) -> dict[str, Record]:
        """The records that the events make at `now`."""
        events = self._trusted()
        fused = self._fusion.fuse(events, now)
        self.closes, self.watch_until = fused.closes, fused.watch_until
        records = [self._made.contact(contact) for contact in fused.contacts]
        records += [self._made.press(press, fused.states) for press in self._events.presses]
        for contact, window in zip(fused.contacts, fused.windows, strict=True):
            records += self._moments.records(contact, window, events)
        return {record.id: record for record in records}

    def _trusted(self) -> PointEvents:
        """The events without the presses of terminals in test mode."""
        events = self._events
        presses = [press for press in events.presses if not self._site.devices[press.device].test]
        return PointEvents(
            events.clicks, presses, events.spoken, events.readings, events.signs, events.prompts
        )

    def forget(self, now: int) -> None:
        """Let go of what lies before the last quiet that ended long enough ago; looks once in a while."""
        if self._taken < self._tidy_at:
            return
        self._tidy_at = self._taken + max(TIDY_LEAST, self.size // 8)
        quiet_ms = self.quiet_ms
        horizon = now - quiet_ms - self._site.defaults.ms("lateness_s")
        events = self._events
        times = sorted(event.t for event in (*events.clicks, *events.presses, *events.spoken))
        pause_ms, asked = (
            self._pause_ms,
            {r.time_ms for r in self.known.values() if r.measurement == "contact"},
        )
        ends = [
            b
            for a, b in pairwise(times)
            if b < horizon and (b - a > quiet_ms or (b - a > pause_ms and b in asked))
        ]
        if horizon - max(times, default=-LATEST) > quiet_ms:  # faces alone; nobody was asked for long
            ends.append(horizon)
        if not ends or ends[-1] <= self._since:
            return
        self._since = since = ends[-1]
        self._memory.forget()
        self._made.forget()
        self._moments.forget()
        clicked = [c.t for c in merge_clicks(events.clicks) if c.pattern == "single" and c.t < since]
        self._events = PointEvents(
            [event for event in events.clicks if event.t >= since],
            [event for event in events.presses if event.t >= since],
            [event for event in events.spoken if event.t >= since],
            [event for event in events.readings if event.t >= since],
            [event for event in events.signs if event.t >= since - DAY_LONGEST_MS],
            [t for t in events.prompts if t >= max([since - PROMPT_MS, *clicked])],
        )
        self.known = {name: record for name, record in self.known.items() if record.time_ms >= since}
        self._settled.clear()
