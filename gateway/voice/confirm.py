"""A second opinion on a spotted answer, off the trigger path: it may veto within a second, no more."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from queue import SimpleQueue

from gateway.voice.engine import Samples
from gateway.voice.phrases import Phrase
from gateway.voice.ring import Ring
from gateway.voice.spotter import Spotted

log = logging.getLogger(__name__)

ALLOWED_S = 1.0
BEFORE_S, AFTER_S = 2.0, 0.3
"""The answer lies in this stretch around its last word; what has not been heard yet is not waited for."""

Agrees = Callable[[Phrase, Samples], bool]
"""Whether a recogniser hears this answer too; may take long, and may raise anything."""
Send = Callable[[Spotted], None]


class Confirmer:
    """Holds an answer until it is confirmed, for a second at most; a failure or a late word is no veto.

    `hold` is called by the microphone's thread; the answer is sent by a thread of the confirmer's own.
    """

    def __init__(self, agrees: Agrees, send: Send, allowed_s: float = ALLOWED_S) -> None:
        self._agrees, self._send, self._allowed_s = agrees, send, allowed_s
        self._ring = Ring(BEFORE_S + AFTER_S + 1.0)
        self._workers = ThreadPoolExecutor(1, thread_name_prefix="confirm")
        self._held: SimpleQueue[tuple[Spotted, Phrase, Samples, float] | None] = SimpleQueue()
        self.vetoed = self.late = self.failed = 0
        self._thread = threading.Thread(target=self._run, name="confirmed", daemon=True)
        self._thread.start()

    def push(self, start: int, samples: Samples, end_s: float) -> None:
        """Remember the sound of the last seconds."""
        self._ring.push(start, samples, end_s)

    def hold(self, spotted: Spotted, phrase: Phrase) -> None:
        """Send it once it is confirmed, or when the time is over."""
        sound, _ = self._ring.cut(spotted.end_s - BEFORE_S, spotted.end_s + AFTER_S)
        self._held.put((spotted, phrase, sound, time.monotonic() + self._allowed_s))

    def close(self) -> None:
        """Decide on what is held, then end."""
        self._held.put(None)
        self._thread.join()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def figures(self) -> dict[str, object]:
        """For `health`."""
        return {"vetoed": self.vetoed, "confirm_late": self.late, "confirm_failed": self.failed}

    def _run(self) -> None:
        while held := self._held.get():
            spotted, phrase, sound, due_s = held
            if self._may_go(phrase, sound, due_s):
                self._send(spotted)

    def _may_go(self, phrase: Phrase, sound: Samples, due_s: float) -> bool:
        try:
            agrees = self._workers.submit(self._agrees, phrase, sound)
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
