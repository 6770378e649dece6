"""How loud the microphone hears, in figures for `health`; gateway/sound.py puts them into words."""

from __future__ import annotations

from collections import deque
from math import log10

import numpy as np

from gateway.sound import SILENCE_DB
from gateway.voice.engine import FRAME_S, Samples

PERIOD_S = 60.0
FULL = 32_768
RAIL = 32_700
"""A sample this far out is cut off by the card."""


class Level:
    """Loudest frame, floor and clipping of the last minute."""

    def __init__(self, period_s: float = PERIOD_S) -> None:
        self._frames: deque[tuple[float, float]] = deque(maxlen=max(1, round(period_s / FRAME_S)))

    def push(self, samples: Samples) -> None:
        """Take 80 ms of sound (int16)."""
        size = np.abs(samples.astype(np.int32))
        power = float(np.mean(np.square(size, dtype=np.float64)))
        self._frames.append((power, float(np.mean(size >= RAIL))))

    def figures(self) -> dict[str, object]:
        """`level_db` (loudest frame), `floor_db` (a tenth of the frames is quieter), `clipped` (a share)."""
        if not self._frames:
            return {}
        powers, clipped = zip(*self._frames, strict=True)
        return {
            "level_db": _db(max(powers)),
            # not numpy.percentile, which brings 1.4 MiB of code into memory
            "floor_db": _db(sorted(powers)[len(powers) // 10]),
            "clipped": round(sum(clipped) / len(clipped), 6),
        }


def _db(power: float) -> float:
    """Power re full scale in dB; −100 for digital silence."""
    return round(max(SILENCE_DB, 10 * log10(power / FULL**2)), 1) if power > 0 else SILENCE_DB
