"""scope=all: whoever a camera sees in opening hours, where that was chosen (spec 4, 7); a track is a contact.

Its series bear names of their own and are never mixed with those of the customers who were asked.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain

from gateway.audit import ERASURE
from gateway.clock import Clock
from gateway.config import Site
from gateway.events import Reading
from gateway.fusion import Fusion
from gateway.fusion.emotion import HOLD_MS, Emotion, hold, read_track, tracks_of
from gateway.fusion.moments import MEAN_MS, means
from gateway.indexer import ALL, HOUR_MS, RESUME_MS, SETTLED_MS, Period, periods
from gateway.indices import hidden
from gateway.indices.smile import Smiles, smiles_of
from gateway.journal import FACES, Journal, Row
from gateway.measurements import Figure, index_record
from gateway.moments import EVERYBODY, smile_record
from gateway.privacy import why_no_scope_all
from gateway.records import Op, Record, difference

READER = "crowd"
IDLE_S = 5.0
TAKE = 1000
LATE_MS = 2_000  # camera events are of the moment; a resend takes longer only when the link was down
MINUTE_MS = 60_000
RENEW_MS = 300_000  # a watch lasts 10 min at most, so that a lost word never leaves the lens on
NAMES = ("smile_index_all", "smile_rate_all")


def watch_until(site: Site, now: int) -> int:
    """Until when (ms) every camera is needed by this choice alone; 0 without it or outside opening hours."""
    if site.scope_all is None or why_no_scope_all(site) or not site.is_open(now):
        return 0
    end = (now // RENEW_MS + 2) * RENEW_MS
    minutes = range((now // MINUTE_MS + 1) * MINUTE_MS, end, MINUTE_MS)
    return next((t for t in minutes if not site.is_open(t)), end)


class Crowd:
    """A stage of the hub where scope=all was chosen: follows the face readings by its own cursor."""

    def __init__(self, journal: Journal, site: Site, clock: Clock) -> None:
        self._journal, self._site, self._clock = journal, site, clock
        self._limits = {point: Fusion(site, point).emotion_limits for point in site.points}
        self._due: set[Period] = set()
        self._shrunk = 0

    def run(self, stopping: threading.Event) -> None:
        """Follow the journal until told to stop."""
        self.resume()
        while not stopping.is_set():
            if not self.step():
                stopping.wait(IDLE_S)

    def resume(self) -> None:
        """Periods that may have been open when the hub stopped are due, and what was erased."""
        self._shrunk = self._journal.shrunk()
        self._due.update(self._erased())
        start = self._clock.now_ms() - RESUME_MS
        for record in self._journal.records("smile", start):
            if record.tags["scope"] == EVERYBODY:
                self._due.update(periods(self._site, record.time_ms))

    def step(self) -> bool:
        """Take the readings of what is over by now, and write its means and figures; False: nothing taken."""
        if self._shrunk != self._journal.shrunk():
            self.resume()
        position, now = self._journal.cursor(READER), self._clock.now_ms()
        rows = list(self._over(self._journal.events_after(position, TAKE), now))
        touched = {self._place(row.event) for row in rows if isinstance(row.event, Reading)}
        ops = list(chain.from_iterable(self._smiles(point, start) for point, start in sorted(touched)))
        for _, record in ops:
            self._due.update(periods(self._site, record.time_ms))
        closed = [period for period in sorted(self._due) if period.end <= now - SETTLED_MS]
        ops += chain.from_iterable(self._figures(period) for period in closed)
        if rows or ops:
            self._journal.record(READER, rows[-1].n if rows else position, ops)
        self._due.difference_update(closed)
        return bool(rows)

    def _erased(self) -> Iterator[Period]:
        """Hours and days of what was erased, as far as their readings are still kept."""
        kept = self._journal.horizon(FACES)
        for entry in self._journal.audit(ERASURE):
            note = json.loads(entry.detail)
            start, end = (
                round(datetime.fromisoformat(note[key]).timestamp() * 1000) for key in ("from", "to")
            )
            for t in range(max(start, kept), end + HOUR_MS, HOUR_MS):
                yield from (period for period in periods(self._site, t) if period.start >= kept)

    def _over(self, rows: Iterable[Row], now: int) -> Iterator[Row]:
        """Up to the first reading whose 10 s are not over: a restart begins there."""
        for row in rows:
            if isinstance(row.event, Reading) and self._start(row.event.t) + MEAN_MS + LATE_MS > now:
                return
            yield row

    @staticmethod
    def _start(t: int) -> int:
        return t // MEAN_MS * MEAN_MS

    def _place(self, reading: Reading) -> tuple[str, int]:
        return self._site.point_of.get(reading.device, ""), self._start(reading.t)

    def _smiles(self, point: str, start: int) -> Iterator[Op]:
        """What has to change in the 10 s of a point."""
        if point not in self._site.points:
            return
        end, limits = start + MEAN_MS, self._limits[point]
        tracks = tracks_of(self._readings(point, start, end + HOLD_MS))
        held = [[one for one in hold(track, end + HOLD_MS, limits) if one.t < end] for track in tracks]
        fresh = [smile_record(mean, self._site, point, EVERYBODY, point) for mean in means(held, start)]
        kept = self._journal.records("smile", start, start + 1, point=point)
        known = {record.id: record for record in kept if record.tags["scope"] == EVERYBODY}
        yield from difference(known, {record.id: record for record in fresh})

    def _readings(self, point: str, start: int, end: int) -> list[Reading]:
        """Of cameras that are not in test mode, start ≤ t < end, while the shop was open."""
        devices = self._site.points[point].devices
        cameras = [name for name, one in devices.items() if one.kind == "camera" and not one.test]
        found = self._journal.events_between(cameras, start, end - 1)
        return [one for one in found if isinstance(one, Reading) and self._site.is_open(one.t)]

    def _figures(self, period: Period) -> Iterator[Op]:
        """Smile-Index and smile rate of a period, of each point and of all."""
        by_point = {point: self._emotions(point, period) for point in self._site.points}
        few = hidden({point: smiles_of(group).known for point, group in by_point.items()})
        shown = {point: group for point, group in by_point.items() if point not in few}
        groups = shown | {ALL: list(chain.from_iterable(by_point.values()))}
        fresh = chain.from_iterable(self._index(point, period, group) for point, group in groups.items())
        kept = self._journal.records("index", period.start, period.start + 1)
        mine = (r for r in kept if r.tags["period"] == period.name and r.tags["name"] in NAMES)
        yield from difference({r.id: r for r in mine}, {r.id: r for r in fresh})

    def _emotions(self, point: str, period: Period) -> list[Emotion]:
        """Of every track, hour by hour: whoever stays over a full hour is a contact of both."""
        found: list[Emotion] = []
        for start in range(period.start, period.end, HOUR_MS):
            readings = self._readings(point, start, min(start + HOUR_MS, period.end))
            found += [read_track(track, self._limits[point]) for track in tracks_of(readings)]
        return found

    def _index(self, point: str, period: Period, group: Sequence[Emotion]) -> Iterator[Record]:
        found = smiles_of(group)
        coverage = found.known / len(group) if group else None
        for name, figure in zip(NAMES, _values(found), strict=True):
            record = index_record(
                self._site, point, period.name, period.start, name, figure, found.known, coverage, None
            )
            if record:
                yield record


def _values(found: Smiles) -> Iterator[Figure]:
    yield found.smile_index, found.smile_low, found.smile_high
    yield found.smile_rate, found.rate_low, found.rate_high
