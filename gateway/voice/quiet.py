"""Whether somebody goes on speaking, and whether in noise: by how loud the last seconds were."""

from __future__ import annotations

from collections import deque
from itertools import islice
from math import log10

import numpy as np

from gateway.voice.engine import Samples

PIECES = 2
"""Of a frame: 40 ms each."""
KEPT, LAST = 80, 5
"""Pieces: 3.2 s, and 0.2 s, longer than the tongue stops the breath in "super dusty"."""
RANGE_DB = 40.0
"""What lies further below the loud pieces is as good as nothing."""
SHARE = 0.3
"""Of the way from the quiet pieces to the loud ones."""
NOISY_DB = 20.0
"""Speech is not this much louder than what is around it."""


class Quiet:
    """Takes frames; loud and quiet are a tenth of the pieces each."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=KEPT)

    def reset(self) -> None:
        """Forget what was heard (after a gap in the sound)."""
        self._levels.clear()

    def push(self, samples: Samples) -> None:
        """Take 80 ms of sound (int16)."""
        powers = np.square(samples, dtype=np.float64).reshape(PIECES, -1).mean(axis=1)
        self._levels.extend(10 * log10(power + 1) for power in powers)

    def is_quiet(self) -> bool:
        """Whether nobody has spoken for 0.2 s.

        Noise that began with the speech, or without speech in the last 3.2 s, may always hide somebody.
        """
        if len(self._levels) < LAST:
            return False
        low, high = self._ends()
        floor = max(low, high - RANGE_DB)
        return max(islice(reversed(self._levels), LAST)) <= floor + SHARE * (high - floor)

    def is_noisy(self) -> bool:
        """Whether noise comes near the loudness of speech; also where nobody has spoken in the last 3.2 s."""
        if len(self._levels) < LAST:
            return False
        low, high = self._ends()
        return high - low < NOISY_DB

    def _ends(self) -> tuple[float, float]:
        """Levels that a tenth of the pieces stays below, and that a tenth exceeds, dB."""
        levels = sorted(self._levels)
        tenth = len(levels) // 10
        return levels[tenth], levels[-1 - tenth]
