"""A second opinion on a spotted answer, off the trigger path: it may veto, and has its time for that."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from math import inf
from queue import SimpleQueue
from typing import Protocol

from gateway.voice.engine import Samples
from gateway.voice.phrases import Phrase
from gateway.voice.ring import Ring
from gateway.voice.spotter import Spotted

log = logging.getLogger(__name__)

Send = Callable[[Spotted], None]


class OpinionError(Exception):
    """A second opinion cannot be had; the text says what to do next."""


class Recogniser(Protocol):
    """A second opinion: one that is installed, see opinion.py. Called by one thread at a time."""

    before_s: float
    after_s: float
    """The answer lies in so much sound around the end of its last word; what comes after is waited for."""
    allowed_s: float
    """Then a veto comes too late."""

    def agrees(self, phrase: Phrase, sound: Samples) -> bool:
        """Whether it hears this answer too; may take long, and may raise anything."""
        ...

    def close(self) -> None:
        """It is asked no more."""
        ...


class Confirmer:
    """Holds an answer until it is confirmed, as long as is allowed; a failure or a late word is no veto.

    `push` and `hold` are called by the microphone's thread; the answer is sent by one of the confirmer's own.
    """

    def __init__(self, recogniser: Recogniser, send: Send) -> None:
        self._recogniser, self._send = recogniser, send
        self._ring = Ring(recogniser.before_s + recogniser.after_s + 1.0)
        self._end_s = -inf
        self._spoken: list[tuple[Spotted, Phrase]] = []
        self._workers = ThreadPoolExecutor(1, thread_name_prefix="confirm")
        self._held: SimpleQueue[tuple[Spotted, Phrase, Samples, float] | None] = SimpleQueue()
        self.vetoed = self.late = self.failed = 0
        self._thread = threading.Thread(target=self._run, name="confirmed", daemon=True)
        self._thread.start()

    def push(self, start: int, samples: Samples, end_s: float) -> None:
        """Remember the sound of the last seconds, and ask about answers that lie back far enough."""
        self._ring.push(start, samples, end_s)
        self._end_s = end_s
        self._cut(end_s - self._recogniser.after_s)

    def tick(self, now_s: float) -> None:
        """No sound comes, as when a card is lost: ask with what was heard once its time has come."""
        self._cut(now_s - self._recogniser.after_s)

    def hold(self, spotted: Spotted, phrase: Phrase) -> None:
        """Send it once it is confirmed, or when the time is over."""
        self._spoken.append((spotted, phrase))
        self._cut(self._end_s - self._recogniser.after_s)

    def close(self) -> None:
        """Decide on what is held, then end."""
        self._cut(inf)
        self._held.put(None)
        self._thread.join()
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._recogniser.close()

    def figures(self) -> dict[str, object]:
        """For `health`."""
        return {"vetoed": self.vetoed, "confirm_late": self.late, "confirm_failed": self.failed}

    def _cut(self, until_s: float) -> None:
        """Hand on the answers that ended until then, each with its sound."""
        due = [each for each in self._spoken if each[0].end_s <= until_s]
        self._spoken = [each for each in self._spoken if each[0].end_s > until_s]
        for spotted, phrase in due:
            sound = self._around(spotted)
            self._held.put((spotted, phrase, sound, time.monotonic() + self._recogniser.allowed_s))

    def _around(self, spotted: Spotted) -> Samples:
        ears = self._recogniser
        return self._ring.cut(spotted.end_s - ears.before_s, spotted.end_s + ears.after_s)[0]

    def _run(self) -> None:
        while held := self._held.get():
            spotted, phrase, sound, due_s = held
            if self._may_go(phrase, sound, due_s):
                self._send(spotted)

    def _may_go(self, phrase: Phrase, sound: Samples, due_s: float) -> bool:
        try:
            agrees = self._workers.submit(self._recogniser.agrees, phrase, sound)
            if agrees.result(max(0.0, due_s - time.monotonic())):
                return True
        except LateError:
            self.late += 1
            return True
        except Exception:  # a foreign recogniser may fail in any way; then nobody vetoes
            self.failed += 1
            log.warning("an answer could not be confirmed; it counts all the same", exc_info=self.failed == 1)
            return True
        self.vetoed += 1
        return False
