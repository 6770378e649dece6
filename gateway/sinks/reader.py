"""The loop between journal and sink: a thread and a cursor for each, so a dead target holds up nobody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.records import Change
from gateway.sinks import Answer, Rejected, RetryAfter, Sink

BATCH = 1000
BATCH_MIN = 10
IDLE_WAIT_S = 5.0

log = logging.getLogger(__name__)


class Journal(Protocol):
    """What a reader asks of the journal (`gateway.journal`); called from the reader's thread."""

    @property
    def version(self) -> int:
        """Grows with every commit."""
        ...

    def wait(self, seen: int, timeout_s: float) -> int:
        """Sleeps until the version is not `seen`, or the time is up."""
        ...

    def changes_after(self, position: int, limit: int) -> Sequence[Change]:
        """The next changes in order of position, at most limit."""
        ...

    def cursor(self, name: str) -> int:
        """Up to where that sink has followed; 0 for one that is new."""
        ...

    def set_cursor(self, name: str, position: int) -> None:
        """Commits how far that sink has followed."""
        ...

    def reject(self, name: str, change: Change, why: str) -> None:
        """Quarantines a change that the sink can never take; the same one again changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class State:
    """For page and doctor: the cursor, how many were rejected since the start, why it waits (or None)."""

    position: int
    rejected: int = 0
    waiting: str | None = None


class SinkReader:
    """Follows the journal for one sink; `run` is a thread of its own.

    After an answer that failed it asks for less at once: a slow database gets through with a small part.
    """

    def __init__(self, journal: Journal, sink: Sink, *, batch: int = BATCH) -> None:
        self._journal = journal
        self._sink = sink
        self._batch = self._batch_max = batch
        self._state = State(0)

    @property
    def name(self) -> str:
        """The sink's name, which is its cursor's."""
        return self._sink.name

    @property
    def state(self) -> State:
        """Where the reader stands; any thread may ask."""
        return self._state

    def run(self, stopping: threading.Event) -> None:
        """Steps until stopping is set; waits for the journal when done, for the target when it is down."""
        while not stopping.is_set():
            seen = self._journal.version
            answer = self.step()
            if isinstance(answer, RetryAfter):
                stopping.wait(answer.seconds)
            elif answer is None:
                self._journal.wait(seen, IDLE_WAIT_S)

    def step(self) -> Answer | None:
        """One batch to the sink, its answer committed; None when the sink has everything."""
        position = self._journal.cursor(self._sink.name)
        changes = self._journal.changes_after(position, self._batch)
        if not changes:
            self._state = State(position, self._state.rejected)
            return None
        answer = self._sink.write(changes)
        self._commit(position, answer)
        return answer

    def _commit(self, position: int, answer: Answer) -> None:
        rejected = self._state.rejected
        if isinstance(answer, RetryAfter):
            self._wait_said(answer)
            self._batch = min(self._batch, max(BATCH_MIN, self._batch // 2))
            self._state = State(position, rejected, answer.why)
            return
        if isinstance(answer, Rejected):
            rejected += self._quarantine(answer)
        self._journal.set_cursor(self._sink.name, answer.position)
        self._batch = min(self._batch_max, self._batch * 2)
        self._state = State(answer.position, rejected)

    def _quarantine(self, answer: Rejected) -> int:
        for refused in answer.refused:
            log.warning("%s does not take %s: %s", self._sink.name, refused.change.record.id, refused.why)
            self._journal.reject(self._sink.name, refused.change, refused.why)
        return len(answer.refused)

    def _wait_said(self, answer: RetryAfter) -> None:
        if answer.why != self._state.waiting:
            log.warning("%s waits: %s", self._sink.name, answer.why)
