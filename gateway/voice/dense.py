"""Plain phrase heads (dense, ReLU, dense, logistic) by numpy: what an interpreter gives, in half the memory.

A head's weights are read from its .tflite and kept as int16, a scale for each hidden unit. A file is taken
for a plain head only where that gives the scores of the interpreter itself on sound of chance; every other
shape stays with its interpreter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gateway.tflite import Array, Model

Floats = NDArray[np.float32]

STEPS = 32_767
AT_ONCE = 32
"""Hidden units that become float32 together: what the processor's cache holds."""
PROBES = tuple(np.repeat((0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0), 3))
"""Deviations of the embeddings on which both are compared; those of speech have about 10."""
ENOUGH = 3
TELLING = (1e-30, 0.999)
"""Scores whose log-odds float32 still tells."""
TOLERANCE = 2e-3
"""Of log-odds, and of 1 + their size: 0.0005 of a score."""


@dataclass(frozen=True)
class Dense:
    """One head: rows · scale are the weights of its first layer (hidden, inputs)."""

    rows: NDArray[np.int16]
    scale: Floats
    b1: Floats
    w2: Floats
    b2: float

    def logit(self, x: Floats) -> float:
        """The log-odds of the score of `x` (inputs,)."""
        hidden = np.maximum(self.rows.astype(np.float32) @ x * self.scale + self.b1, 0)
        return float(hidden @ self.w2) + self.b2


def read(model: Model) -> Dense | None:
    """The weights of `model`, a head; None when it is of another shape than a plain one."""
    inputs = int(np.prod(model.input_shape))
    rng = np.random.default_rng(0)
    probes = [np.asarray(rng.normal(0, size, inputs), np.float32) for size in PROBES]
    scores = [float(model.run(x.reshape(model.input_shape))[0].ravel()[0]) for x in probes]
    known = [(x, float(np.log(s / (1 - s)))) for x, s in zip(probes, scores, strict=True) if _tells(s)]
    if len(known) < ENOUGH:
        return None
    candidates = _candidates(model.floats(), inputs)
    return next((head for head in candidates if all(_agrees(head, x, logit) for x, logit in known)), None)


def _tells(score: float) -> bool:
    return TELLING[0] < score < TELLING[1]


def _agrees(head: Dense, x: Floats, logit: float) -> bool:
    return abs(head.logit(x) - logit) <= TOLERANCE * (1 + abs(logit))


def _candidates(tensors: list[Array], inputs: int) -> Iterator[Dense]:
    """What fits by its shapes; a layer's output may have the shape of its successor's weights."""
    for w1 in tensors:
        if w1.ndim == 2 and w1.shape[1] == inputs and len(w1) > 1:
            hidden = len(w1)
            kinds = ((hidden,), (1, hidden), (1,))
            for b1, w2, b2 in product(*([t for t in tensors if t.shape == kind] for kind in kinds)):
                yield _dense(w1, b1, w2, b2)


def _dense(w1: Array, b1: Array, w2: Array, b2: Array) -> Dense:
    scale = np.maximum(np.abs(w1).max(1), 1e-30) / STEPS
    rows = np.round(w1 / scale[:, None]).astype(np.int16)
    return Dense(rows, scale.astype(np.float32), b1, w2[0], float(b2[0]))


class Stack:
    """Plain heads that look at equally many embeddings, scored together."""

    def __init__(self, heads: Mapping[str, Dense]) -> None:
        self._names = list(heads)
        found = list(heads.values())
        self._rows = [head.rows for head in found]
        self._starts = np.cumsum([0, *map(len, self._rows)])[:-1]
        self._scale, self._b1, self._w2 = (
            np.concatenate([getattr(head, part) for head in found]) for part in ("scale", "b1", "w2")
        )
        self._b2 = np.array([head.b2 for head in found], np.float32)
        self._sums = np.zeros(len(self._b1), np.float32)
        self._floats = np.zeros((AT_ONCE, self._rows[0].shape[1]), np.float32)

    def scores(self, x: Floats) -> dict[str, float]:
        """Scores 0…1 by name of the embeddings `x` (inputs,)."""
        for rows, first in zip(self._rows, self._starts, strict=True):
            self._sum(rows, x, self._sums[first : first + len(rows)])
        hidden = np.maximum(self._sums * self._scale + self._b1, 0)
        logits = np.add.reduceat(hidden * self._w2, self._starts) + self._b2
        scores = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
        return dict(zip(self._names, scores.tolist(), strict=True))

    def _sum(self, rows: NDArray[np.int16], x: Floats, out: Floats) -> None:
        """rows · x into `out`."""
        for first in range(0, len(rows), AT_ONCE):
            piece = rows[first : first + AT_ONCE]
            part = self._floats[: len(piece)]
            np.copyto(part, piece)
            np.dot(part, x, out=out[first : first + len(piece)])
