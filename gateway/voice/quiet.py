"""Whether somebody goes on speaking: how loud the last moment was, against the last seconds."""

from __future__ import annotations

from collections import deque

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


class Quiet:
    """Takes frames; loud and quiet are a tenth of the pieces each."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=KEPT)

    def reset(self) -> None:
        """Forget what was heard (after a gap in the sound)."""
        self._levels.clear()

    def push(self, samples: Samples) -> None:
        """Take 80 ms of sound (int16)."""
        pieces = samples.reshape(PIECES, -1).astype(np.float64)
        self._levels.extend(10 * np.log10(np.mean(pieces**2, axis=1) + 1))

    def is_quiet(self) -> bool:
        """Whether nobody has spoken for 0.2 s; in steady noise somebody always may."""
        if len(self._levels) < LAST:
            return False
        low, high = np.percentile(self._levels, (10, 90))
        floor = max(low, high - RANGE_DB)
        return bool(max(list(self._levels)[-LAST:]) <= floor + SHARE * (high - floor))
