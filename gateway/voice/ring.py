"""The last seconds of sound, in memory only; indexed by absolute sample: a gap never shifts a time."""

from __future__ import annotations

import numpy as np

from gateway.voice.engine import RATE, Samples


class Ring:
    """Sound of the last `seconds`; what was never heard (a gap) is silence."""

    def __init__(self, seconds: float) -> None:
        self._sound = np.zeros(round(seconds * RATE), np.int16)
        self._first = self._end = 0
        self._end_s = 0.0

    def push(self, start: int, samples: Samples, end_s: float) -> None:
        """Take `samples` that begin at absolute sample `start` and end at monotonic `end_s`."""
        if start < self._end or start - self._end >= len(self._sound):  # a new count, or nothing old is left
            self._sound[:] = 0
            self._first = start
        else:
            self._fill(self._end, np.zeros(start - self._end, np.int16))
        self._fill(start, samples)
        self._end, self._end_s = start + len(samples), end_s

    def cut(self, from_s: float, to_s: float) -> tuple[Samples, float]:
        """The sound between two monotonic times, as far as it is there, and when it begins."""
        oldest = max(self._first, self._end - len(self._sound))
        first, last = (min(max(self._at(t), oldest), self._end) for t in (from_s, to_s))
        places = np.arange(first, max(first, last)) % len(self._sound)
        return self._sound[places], self._end_s - (self._end - first) / RATE

    def _at(self, t_s: float) -> int:
        return self._end - round((self._end_s - t_s) * RATE)

    def _fill(self, start: int, samples: Samples) -> None:
        self._sound[np.arange(start, start + len(samples)) % len(self._sound)] = samples
