"""What is too old is deleted, a little at a time, once a day (spec 7, Retention)."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from gateway.audit import DELETION
from gateway.clock import Clock
from gateway.config import Site
from gateway.corrections import too_old
from gateway.indexer import READER as INDEXER
from gateway.indexer import periods
from gateway.journal import ALL, FACES, RECORDS, REWRITTEN, Journal
from gateway.prompts import senders
from gateway.recorder import READER as RECORDER
from gateway.stream import PointStream

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
MONTH_MS = 2_629_746_000  # a twelfth of 365.2425 days
AUDIT_MONTHS = 24
EVERY_S = 86_400.0
LOOK_S = 60.0
STEP = 500
PAUSE_S = 0.05
LAG_EVENTS, LAG_CHANGES = 100, 1000
LEAP_MS = 2 * DAY_MS  # a clock that jumped must not delete a shop's history
RAW_RECORDS = ("device", "phrase")
EMOTION_RECORDS = ("smile", "spike", "reaction")
KEPT_RECORDS = ("press", "contact", "index", "card")
SENT = ("records", "versions")
UNTOLD = ("audit", "corrections", "versions")  # the first two say so themselves, the last changes nothing
AGES = (FACES, ALL)

Step = tuple[str, Callable[[], int]]


@dataclass(frozen=True, slots=True)
class Horizons:
    """Before these times, in ms, things are too old."""

    faces: int
    raw: int
    records: int
    audit: int


class Retention:
    """A stage of the hub; `sinks` are the names of the journal's readers that follow its records."""

    def __init__(self, journal: Journal, site: Site, clock: Clock, sinks: Sequence[str]) -> None:
        self._journal, self._site, self._clock = journal, site, clock
        self._readers = [INDEXER, *sinks]
        self._days = 0
        self._compacted = 0

    def run(self, stopping: threading.Event) -> None:
        """Delete soon after the start and once a day, and what erasing left over, until told to stop."""
        due_s, shrunk = time.monotonic(), self._journal.shrunk()
        while not stopping.wait(LOOK_S):
            if time.monotonic() >= due_s:
                self.day(stopping)
                due_s, shrunk = time.monotonic() + EVERY_S, self._journal.shrunk()
            elif shrunk != self._journal.shrunk():
                shrunk = self._journal.shrunk()
                self._take([("versions", self._compact)], stopping)

    def day(self, stopping: threading.Event) -> Counter[str]:
        """One day's deletions, said before and counted after in the audit log; how many of each."""
        now, horizons = self._clock.now_ms(), self._horizons()
        self._days += 1
        done = self._take(self._plan(horizons, now), stopping)
        told = {name: number for name, number in done.items() if name not in UNTOLD}
        if told:
            log.info("deleted by age: %s", told)
            self._journal.note((now, DELETION, {"deleted": told}))
        return done

    def _horizons(self) -> Horizons:
        """By the clock, unless that has leapt: then at most two days more than the last time."""
        limits, journal = self._site.defaults, self._journal
        now = min(self._clock.now_ms(), journal.last_received())
        last = max(journal.horizon(name) + self._age(name) if journal.horizon(name) else 0 for name in AGES)
        if self._days == 0 and 0 < last < now - LEAP_MS:
            now = last + LEAP_MS
        return Horizons(
            now - self._age(FACES),
            now - self._age(ALL),
            now - limits.retention_hourly_months * MONTH_MS,
            now - AUDIT_MONTHS * MONTH_MS,
        )

    def _age(self, name: str) -> int:
        limits = self._site.defaults
        return DAY_MS * (limits.retention_emotion_days if name == FACES else limits.retention_raw_days)

    def _plan(self, horizons: Horizons, now: int) -> Iterator[Step]:
        journal, limit = self._journal, STEP
        records = periods(self._site, horizons.records)[
            1
        ].start  # a whole business day, or its index is wrong
        cuts = {point: self._cuts(point, horizons) for point in self._site.points}
        self._say(horizons, records, cuts, now)
        for point, (faces, raw) in cuts.items():
            devices = senders(self._site, point)
            yield "faces", partial(journal.delete_events, devices, True, faces, limit)
            yield "events", partial(journal.delete_events, devices, False, raw, limit)
        known = {name for point in self._site.points for name in senders(self._site, point)}
        others = [name for name in journal.devices() if name not in known]
        yield "faces", partial(journal.delete_events, others, True, horizons.faces, limit)
        yield "events", partial(journal.delete_events, others, False, horizons.raw, limit)
        yield "events", partial(journal.delete_untrusted, horizons.raw, limit)
        yield "quarantined", partial(journal.delete_quarantine, horizons.raw, limit)
        for names, before in (
            (RAW_RECORDS, horizons.raw),
            (EMOTION_RECORDS, horizons.faces),
            (KEPT_RECORDS, records),
        ):
            yield from (("records", partial(journal.retire, name, before, limit)) for name in names)
        yield "corrections", partial(self._forget_corrections, records, now)
        yield "audit", partial(journal.trim_audit, horizons.audit, now)
        yield "versions", self._compact

    def _say(self, horizons: Horizons, records: int, cuts: dict[str, tuple[int, int]], now: int) -> None:
        """Before anything is deleted: what was concluded from it stands from now on."""
        before = {FACES: horizons.faces, ALL: horizons.raw, RECORDS: records}
        if self._journal.oldest() >= max(before.values()):
            self._journal.begin_deletion(before)
            return
        spans = [(point, FACES, faces) for point, (faces, _) in cuts.items()]
        spans += [(point, ALL, max(raw, records)) for point, (_, raw) in cuts.items()]
        self._journal.begin_deletion(before, spans, [(now, DELETION, {"before": before})])

    def _cuts(self, point: str, horizons: Horizons) -> tuple[int, int]:
        """Faces and all else end where the point had a quiet, so that no contact is cut in two."""
        return self._cut(point, horizons.faces), self._cut(point, horizons.raw)

    def _cut(self, point: str, horizon: int) -> int:
        quiet_ms = PointStream(self._journal, self._site, point).quiet_ms
        start = self._journal.quiet_cut(list(self._site.points[point].devices), horizon, quiet_ms)
        return horizon if start < horizon - DAY_MS else start

    def _forget_corrections(self, before: int, now: int) -> int:
        """What the audit log tells of contacts goes with the contacts; the lines stay."""
        texts = too_old(self._journal, before)
        if not texts:
            return 0
        return self._journal.rewrite(
            texts, lambda seals: (now, DELETION, {"corrections": len(texts), REWRITTEN: seals})
        )

    def _compact(self) -> int:
        """Goes on where it stopped; 0 when it came to the end without finding anything."""
        while True:
            dropped, self._compacted = self._journal.compact(self._readers, self._compacted, STEP)
            if dropped or not self._compacted:
                return dropped

    def _take(self, steps: Iterable[Step], stopping: threading.Event) -> Counter[str]:
        """Every step again until it finds nothing; while the recorder or a sink has to catch up, not now."""
        done = Counter[str]()
        for name, step in steps:
            while not stopping.is_set() and not (name in SENT and self._sinks_lag()):
                if self._recorder_lags():
                    stopping.wait(1)
                elif number := step():
                    done[name] += number
                    stopping.wait(PAUSE_S)
                else:
                    break
        return done

    def _recorder_lags(self) -> bool:
        return self._journal.last_event() - self._journal.cursor(RECORDER) > LAG_EVENTS

    def _sinks_lag(self) -> bool:
        """A database that is down holds up what it must be told, and nothing else."""
        last = self._journal.last_change()
        return any(last - self._journal.cursor(reader) > LAG_CHANGES for reader in self._readers)
