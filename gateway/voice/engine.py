"""Streaming phrase scores on openWakeWord's base models: sound -> mel -> embedding -> head (components.md).

The mel model scales to the loudest point of what it is given, so the pieces it gets are part of the
contract: 1760 samples a time, as in openWakeWord's own streaming loop. Training uses this very code.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.tflite import Model, ModelError
from models import fetch

RATE = 16_000
FRAME = 1280
FRAME_S = FRAME / RATE
OVERLAP = 480
MELS = 32
MEL_WINDOW = 76
MEL_STEP = 8
HALF = 4
"""Rows of mels: 40 ms, half of the way from one embedding to the next."""
EMBEDDING = 96
HEAD_WINDOW = 16
WARM_UP_FRAMES = 26

Floats = NDArray[np.float32]
Samples = NDArray[np.int16]


class Features:
    """80 ms of sound in, one embedding of 96 numbers out; it covers the last 0.775 s.

    `history`: of so many frames `between` gives embeddings, too.
    """

    def __init__(self, history: int = 1) -> None:
        self._mel = Model(fetch.path("melspectrogram"))
        self._mel.resize((1, FRAME + OVERLAP))
        self._embedding = Model(fetch.path("embedding"))
        self._history = history
        self.reset()

    def reset(self) -> None:
        """Forget all sound heard so far (start, or a gap in the sound)."""
        self._sound = np.zeros(FRAME + OVERLAP, np.float32)
        self._mels = np.zeros((MEL_WINDOW + MEL_STEP * self._history, MELS), np.float32)
        self._between = deque[Floats](maxlen=self._history)
        self._since = 0

    def push(self, frame: Samples) -> Floats:
        """Embedding (96,) after `frame`, 1280 samples of int16."""
        self._sound = np.concatenate([self._sound[FRAME:], frame.astype(np.float32)])
        mels = self._mel.run(self._sound[None])[0].reshape(-1, MELS) / 10 + 2
        self._mels = np.concatenate([self._mels[MEL_STEP:], mels])
        self._since += 1
        return self._embed(0)

    def between(self) -> Floats:
        """Embeddings (history, 96) that end HALF a step before those of the last frames, seldom asked for.

        The first time it takes as long as `history` frames, then as long as there were frames since.
        """
        missing = min(self._since, self._history) if self._between else self._history
        self._between.extend(self._embed(HALF + MEL_STEP * back) for back in reversed(range(missing)))
        self._since = 0
        return np.stack(self._between)

    def _embed(self, back: int) -> Floats:
        """The embedding that ends so many rows of mels ago."""
        end = len(self._mels) - back
        return flat(self._embedding.run(self._mels[None, end - MEL_WINDOW : end, :, None]))


class Head:
    """One openWakeWord phrase head: the last 16 embeddings in, a score 0…1 out."""

    def __init__(self, path: Path) -> None:
        self._model = Model(path, small=True)
        shape = self._model.input_shape
        if len(shape) != 3 or shape[-1] != EMBEDDING:
            raise ModelError(f"{path} is no phrase head: its input is {shape}, needed is (1, n, {EMBEDDING})")
        self.window = shape[1]

    def score(self, embeddings: Floats) -> float:
        """Score of the newest `window` of `embeddings` (at least that many, 96)."""
        return float(flat(self._model.run(embeddings[None, -self.window :]))[0])


class Engine:
    """Scores of all heads after every frame; None while too little has been heard to judge.

    `embeddings` are the last `history` or more, the newest at the end.
    """

    def __init__(self, heads: Mapping[str, Path], history: int = HEAD_WINDOW) -> None:
        self._features = Features(history)
        self._heads = {name: Head(path) for name, path in heads.items()}
        window = max([HEAD_WINDOW, *(head.window for head in self._heads.values())])
        self.embeddings = np.zeros((max(window, history), EMBEDDING), np.float32)
        self._warm_up = max(WARM_UP_FRAMES, MEL_WINDOW // MEL_STEP + window)
        self.reset()

    def reset(self) -> None:
        """Start afresh, as after a gap in the sound."""
        self._features.reset()
        self.embeddings[:] = 0
        self._heard = 0
        self.scores: dict[str, float] = {}

    def between(self) -> Floats:
        """(history, 96): embeddings that end 40 ms before each of the last ones."""
        return self._features.between()

    def push(self, frame: Samples) -> dict[str, float] | None:
        """Scores by phrase id after `frame` (1280 samples of int16); None in the warm-up."""
        self.embeddings = np.roll(self.embeddings, -1, axis=0)
        self.embeddings[-1] = self._features.push(frame)
        self._heard += 1
        if self._heard <= self._warm_up:
            return None
        self.scores = {name: head.score(self.embeddings) for name, head in self._heads.items()}
        return self.scores


def flat(outputs: list[NDArray[Any]]) -> Floats:
    """The first output of a model as a vector of float32."""
    return np.asarray(outputs[0], np.float32).ravel()
