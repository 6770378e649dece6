"""The loop between journal and sink: a thread and a cursor for each, so a dead target holds up nobody."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.records import Change
from gateway.sinks import Answer, Done, Rejected, RetryAfter, Sink

BATCH = 1000
IDLE_WAIT_S = 1.0  # also without a notice: one may fall between the look and the wait

log = logging.getLogger(__name__)


class Journal(Protocol):
    """What a reader asks of the journal (`gateway.journal`); called from the reader's thread."""

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


class SinkReader(threading.Thread):
    """Follows the journal for one sink; the hub notifies `notify` after each commit; `stop` ends it."""

    def __init__(
        self, journal: Journal, sink: Sink, notify: threading.Condition, *, batch: int = BATCH
    ) -> None:
        super().__init__(name=f"sink-{sink.name}", daemon=True)
        self._journal = journal
        self._sink = sink
        self._notify = notify
        self._batch = batch
        self._stopping = threading.Event()
        self._state = State(0)

    @property
    def state(self) -> State:
        """Where the reader stands."""
        return self._state

    def run(self) -> None:
        """Steps until stopped; waits for news when there is nothing to do, for the target when it is down."""
        while not self._stopping.is_set():
            answer = self.step()
            if isinstance(answer, RetryAfter):
                self._stopping.wait(answer.seconds)
            elif answer is None:
                self._wait_for_news()

    def stop(self, timeout_s: float = 15.0) -> bool:
        """Ends the thread after the write it is in; False when that takes longer than timeout_s."""
        self._stopping.set()
        with self._notify:
            self._notify.notify_all()
        if self.is_alive():
            self.join(timeout_s)
        return not self.is_alive()

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
            self._state = State(position, rejected, answer.why)
            return
        if isinstance(answer, Rejected):
            rejected += self._quarantine(answer)
        self._journal.set_cursor(self._sink.name, answer.position)
        self._state = State(answer.position, rejected)

    def _quarantine(self, answer: Rejected) -> int:
        for refused in answer.refused:
            log.warning("%s does not take %s: %s", self._sink.name, refused.change.record.id, refused.why)
            self._journal.reject(self._sink.name, refused.change, refused.why)
        return len(answer.refused)

    def _wait_said(self, answer: RetryAfter) -> None:
        if answer.why != self._state.waiting:
            log.warning("%s waits: %s", self._sink.name, answer.why)

    def _wait_for_news(self) -> None:
        with self._notify:
            self._notify.wait_for(self._stopping.is_set, IDLE_WAIT_S)


__all__ = ["BATCH", "Done", "Journal", "SinkReader", "State"]
