"""Embeddings of whole recordings: the engine's numbers, in large pieces and five times as fast.

The embedding model is a convolution, so one run over many frames gives what the streaming engine gives frame
by frame, to the last bit (tests/unit/voice/test_features.py). The mel model is not: it scales to the loudest
point of what it is given, so it gets its pieces one by one here too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.tflite import Model
from gateway.voice.engine import EMBEDDING, FRAME, MEL_STEP, MEL_WINDOW, MELS, OVERLAP, Samples
from models import fetch

PIECE = 256
Floats = NDArray[np.float32]


class Batch:
    """Base models sized for pieces of up to `frames` frames of 80 ms."""

    def __init__(self, frames: int = PIECE) -> None:
        self.frames = frames
        self._mel = Model(fetch.path("melspectrogram"))
        self._mel.resize((1, FRAME + OVERLAP))
        self._embedding = Model(fetch.path("embedding"))
        self._embedding.resize((1, MEL_WINDOW + MEL_STEP * (frames - 1), MELS, 1))

    def embed(self, samples: Samples) -> Floats:
        """Embeddings (n, 96) of the n whole frames of `samples`, as after `Features.reset`."""
        count = len(samples) // FRAME
        pieces = -(-count // self.frames)
        sound = np.zeros(OVERLAP + pieces * self.frames * FRAME, np.float32)
        sound[OVERLAP : OVERLAP + count * FRAME] = samples[: count * FRAME]
        past, out = np.zeros((MEL_WINDOW - MEL_STEP, MELS), np.float32), np.zeros((0, EMBEDDING), np.float32)
        parts = [out]
        for number in range(pieces):
            mels = np.concatenate([past, self._mels(sound[number * self.frames * FRAME :])])
            parts.append(self._embedding.run(mels[None, :, :, None])[0].reshape(-1, EMBEDDING))
            past = mels[MEL_STEP - MEL_WINDOW :]
        return np.concatenate(parts)[:count]

    def _mels(self, sound: Floats) -> Floats:
        """Mel rows (8 · frames, 32) of the piece that `sound` begins with, its overlap before it."""
        pieces = np.lib.stride_tricks.sliding_window_view(sound, FRAME + OVERLAP)[::FRAME][: self.frames]
        return np.concatenate([self._mel.run(piece[None])[0].reshape(-1, MELS) / 10 + 2 for piece in pieces])


def pcm(sound: NDArray[np.floating]) -> Samples:
    """−1…1 as int16."""
    return np.asarray(np.clip(sound * 32768, -32768, 32767), np.int16)
