"""Asks microphones for clips of sound around spikes and questions, and purges clips (spec 7, Voice clips)."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from gateway.clips import clips_of
from gateway.clock import Clock
from gateway.config import Site
from gateway.journal import Journal
from gateway.measurements import contact_of
from gateway.privacy import why_no_clips
from gateway.records import Change, Record

log = logging.getLogger(__name__)

PURGE_S = 3600.0
LOOK_S = 5.0
REACH_MS = 110_000  # a microphone remembers the last two minutes
LONGEST_MS = 60_000
KNOWN = 1000

Ask = Callable[[str, str, int, int], bool]
"""Point, reason, from and to in ms before now (to < 0: still to come); False: the link is down."""


class ClipAsks:
    """A stage of the hub. It purges always: also where clips were switched off, and the old ones remain."""

    def __init__(self, journal: Journal, site: Site, clock: Clock, ask: Ask) -> None:
        self._journal, self._site, self._clock, self._ask = journal, site, clock, ask
        self._position = 0
        self._asked: deque[str] = deque(maxlen=KNOWN)

    def run(self, stopping: threading.Event) -> None:
        """Follow the journal's records from now on; purge at once and every hour."""
        voice, due_s = self._site.voice, time.monotonic()
        wanted = not why_no_clips(self._site.region, switched_on=voice.clips, consent=voice.clips_consent)
        self._position = self._journal.last_change()
        while not stopping.is_set():
            seen = self._journal.version
            if time.monotonic() >= due_s:
                self.purge()
                due_s = time.monotonic() + PURGE_S
            if wanted:
                self.step()
            self._journal.wait(seen, LOOK_S)

    def purge(self) -> int:
        """Delete what is older than 72 h; how many."""
        gone = clips_of(self._site).purge(self._clock.now_ms())
        if gone:
            log.info("deleted %s clips of sound that were 72 h old", gone)
        return gone

    def step(self) -> None:
        """Ask for the clips that new records call for."""
        while changes := self._journal.changes_after(self._position):
            for change in changes:
                self._position = change.position
                self._take(change)

    def _take(self, change: Change) -> None:
        record, now = change.record, self._clock.now_ms()
        if change.op != "put" or record.id in self._asked:
            return
        for reason, start, end in self._spans(record):
            start -= round(self._site.voice.clip_before_s * 1000)
            end = min(end + round(self._site.voice.clip_after_s * 1000), start + LONGEST_MS)
            if now - start <= REACH_MS and self._ask(record.tags["point"], reason, now - start, now - end):
                self._asked.append(record.id)

    def _spans(self, record: Record) -> Iterator[tuple[str, int, int]]:
        """(reason, from, to) of what is worth hearing; a question is the ask and its answer."""
        if record.measurement == "spike":
            yield "spike", record.time_ms, record.time_ms
        elif record.measurement == "contact" and record.tags["outcome"] != "cancelled":
            yield "question", record.time_ms, contact_of(record).rated or record.time_ms
