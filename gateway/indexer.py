"""The journal's second reader: indices of closed hours and days, corrected with their contacts.

Of each period no point of under 10 contacts is told, nor to be had from the others of that period. A day less
its other hours may still tell of an hour that is not shown.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.clock import Clock
from gateway.config import Site
from gateway.indices import Indices, conceal, measure
from gateway.journal import RECORDS, Journal
from gateway.measurements import contact_of, index_records
from gateway.records import Change, Record, difference

READER = "indices"
IDLE_S = 30.0
SETTLED_MS = 120_000  # after its end a period's last contacts may still be answered
RESUME_MS = 26 * 3_600_000
ALL = "all"
OTHERS = "_all"  # scope=all has names and a writer of its own
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A local hour, or a business day; start and end in ms since 1970."""

    start: int
    end: int
    name: str


def periods(site: Site, t: int) -> tuple[Period, Period]:
    """The hour and the business day that an instant belongs to."""
    local, shift = site.local(t), timedelta(minutes=site.day_start)
    start = round(local.replace(minute=0, second=0, microsecond=0).timestamp() * 1000)
    day = (local.replace(tzinfo=None) - shift).replace(hour=0, minute=0, second=0, microsecond=0) + shift
    return (
        Period(start, start + HOUR_MS, "hour"),
        Period(_ms(site, day), _ms(site, day + timedelta(days=1)), "day"),
    )


def _ms(site: Site, wall: datetime) -> int:
    return round(wall.replace(tzinfo=site.tz).timestamp() * 1000)


class Indexer:
    """Follows the contacts by its own cursor; a period is written once it is closed."""

    def __init__(self, journal: Journal, site: Site, clock: Clock) -> None:
        self._journal, self._site, self._clock = journal, site, clock
        self._due: set[Period] = set()

    def run(self, stopping: threading.Event) -> None:
        """Follow the journal until told to stop."""
        self.resume()
        while not stopping.is_set():
            seen = self._journal.version
            if not self.step():
                self._journal.wait(seen, IDLE_S)

    def resume(self) -> None:
        """Periods that may have been open when the hub stopped are due."""
        last = self._journal.last_time("contact")
        for record in self._journal.records("contact", last - RESUME_MS):
            self._due.update(periods(self._site, record.time_ms))

    def step(self) -> bool:
        """Take the next changes and write what is closed by now; False when there was nothing to take."""
        position = self._journal.cursor(READER)
        changes = self._journal.changes_after(position)
        self._due.update(self._touched(changes))
        horizon = self._clock.now_ms() - SETTLED_MS
        closed = [period for period in sorted(self._due) if period.end <= horizon]
        ops = [op for period in closed for op in self._changes(period)]
        if changes or ops:
            self._journal.record(READER, changes[-1].position if changes else position, ops)
        self._due.difference_update(closed)
        return bool(changes)

    def _touched(self, changes: Iterable[Change]) -> Iterable[Period]:
        """Periods with a changed contact; one whose contacts were deleted by age keeps its figures."""
        standing = self._journal.horizon(RECORDS)
        for change in changes:
            if change.record.measurement == "contact":
                found = periods(self._site, change.record.time_ms)
                yield from (period for period in found if period.start >= standing)

    def _changes(self, period: Period) -> Iterable[tuple[str, Record]]:
        records = self._journal.records("contact", period.start, period.end)
        contacts = [contact_of(record) for record in records if record.tags["point"] in self._site.points]
        by_point = {
            point: measure([one for one in contacts if one.point == point], self._site)
            for point in self._site.points
        }
        found = conceal(by_point) | {ALL: measure(contacts, self._site)}
        fresh = {
            record.id: record
            for point, indices in found.items()
            for record in self._index(period, point, indices)
        }
        known = {
            record.id: record
            for record in self._journal.records("index", period.start, period.start + 1)
            if record.tags["period"] == period.name and not record.tags["name"].endswith(OTHERS)
        }
        return difference(known, fresh)

    def _index(self, period: Period, point: str, indices: Indices) -> list[Record]:
        k = None if point == ALL else self._site.k_at(point, period.start)
        return index_records(indices, self._site, point, period.name, period.start, k)
