"""Embeddings of whole recordings: the engine's numbers, in large pieces and five times as fast.

The embedding model is a convolution, so one run over many frames gives what the streaming engine gives frame
by frame, to the last bit (tests/unit/voice/test_training.py). The mel model is not: it scales to the loudest
point of what it is given, so it gets its pieces one by one here too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.tflite import Model
from gateway.voice.engine import EMBEDDING, FRAME, HALF, MEL_STEP, MEL_WINDOW, MELS, OVERLAP, Samples
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
        return self._embed(self._mels(samples), 0)

    def embed_twice(self, samples: Samples) -> tuple[Floats, Floats]:
        """As `embed`, and those that end 40 ms before each, as `Features.between` gives them."""
        mels = self._mels(samples)
        return self._embed(mels, 0), self._embed(mels, HALF)

    def _embed(self, mels: Floats, back: int) -> Floats:
        """Of windows that end so many rows before each frame does."""
        count, piece = len(mels) // MEL_STEP, MEL_STEP * self.frames
        pieces, past = -(-count // self.frames), MEL_WINDOW - MEL_STEP
        padded = np.zeros((back + past + pieces * piece, MELS), np.float32)
        padded[back + past :][: len(mels)] = mels
        parts = [np.zeros((0, EMBEDDING), np.float32)]
        for start in range(0, pieces * piece, piece):
            rows = padded[None, start : start + past + piece, :, None]
            parts.append(self._embedding.run(rows)[0].reshape(-1, EMBEDDING))
        return np.concatenate(parts)[:count]

    def _mels(self, samples: Samples) -> Floats:
        """Mel rows (8 n, 32) of the n whole frames of `samples`."""
        count = len(samples) // FRAME
        sound = np.concatenate([np.zeros(OVERLAP, np.float32), samples[: count * FRAME]], dtype=np.float32)
        rows = [np.zeros((0, MELS), np.float32)]
        for start in range(0, count * FRAME, FRAME):
            piece = sound[None, start : start + FRAME + OVERLAP]
            rows.append(self._mel.run(piece)[0].reshape(-1, MELS))
        return np.asarray(np.concatenate(rows) / 10 + 2, np.float32)


def pcm(sound: NDArray[np.floating]) -> Samples:
    """−1…1 as int16."""
    return np.asarray(np.clip(sound * 32768, -32768, 32767), np.int16)
