"""When a spoken answer may count: while an ask is open, as the hub's `watch` command says."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from math import inf

log = logging.getLogger(__name__)

OPEN_MAX_MS = 600_000  # a lost "closed" must not leave the answers armed for the day
SHORTEST_ANSWER_S = 0.4
"""No answer ends this soon after an ask phrase: what sounds like one is the asker's own last words."""


class Arming:
    """One stretch of time, the newest; set from the bus's thread, read from the microphone's.

    Times are monotonic. `timeout_s` is how long an ask that this microphone heard itself stays open.
    """

    def __init__(self, timeout_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._timeout_s, self._now = timeout_s, now
        self._lock = threading.Lock()
        self._from_s, self._until_s, self._not_before_s = inf, -inf, -inf

    def is_open(self, end_s: float) -> bool:
        """Whether an answer whose last word ended at `end_s` may count."""
        with self._lock:
            return max(self._from_s, self._not_before_s) <= end_s <= self._until_s

    def asked(self, end_s: float) -> None:
        """An ask phrase that ended at `end_s` was heard here: the hub's word would come a moment later."""
        with self._lock:
            self._from_s, self._until_s = end_s, end_s + self._timeout_s
            self._not_before_s = end_s + SHORTEST_ANSWER_S

    def command(self, command: dict[str, object]) -> None:
        """Obeys {"v":1,"command":"watch","for_ms":N,"since_ms":M}: open since M ms ago, for N more.

        N = 0 is closed. The newest holds; what ended before a close may still be judged.
        """
        if command.get("command") != "watch" or command.get("v") != 1 or "clip" in command:
            return
        for_ms, since_ms = command.get("for_ms"), command.get("since_ms", 0)
        if not _is_ms(for_ms) or not _is_ms(since_ms):
            log.warning("ignored a watch command whose for_ms or since_ms is no whole number of milliseconds")
            return
        self._obey(float(str(for_ms)) / 1000, float(str(since_ms)) / 1000)

    def _obey(self, for_s: float, since_s: float) -> None:
        now_s = self._now()
        with self._lock:
            if for_s == 0:
                self._until_s = min(self._until_s, now_s)
            else:
                self._from_s = now_s - min(since_s, OPEN_MAX_MS / 1000)
                self._until_s = now_s + min(for_s, OPEN_MAX_MS / 1000)


def _is_ms(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
