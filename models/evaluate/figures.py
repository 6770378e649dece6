"""Figures of a yes/no reading that comes as a probability, with 95 % intervals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gateway.indices.intervals import Z, wilson

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]
Interval = tuple[float, float]

BINS = 10


def auc(scores: Floats, truths: Truths) -> float | None:
    """The chance that a positive has the higher score (ties count half); None without both classes."""
    if truths.all() or not truths.any():
        return None
    return float(_placements(scores[truths], scores[~truths]).mean())


def auc_interval(scores: Floats, truths: Truths) -> Interval | None:
    """95 % interval of the AUC (DeLong, DeLong, Clarke-Pearson 1988); None below two of each class."""
    if min(truths.sum(), (~truths).sum()) < 2:
        return None
    up, down = _placements(scores[truths], scores[~truths]), _placements(scores[~truths], scores[truths])
    half = Z * math.sqrt(up.var(ddof=1) / len(up) + down.var(ddof=1) / len(down))
    area = float(up.mean())
    return max(0.0, area - half), min(1.0, area + half)


def _placements(these: Floats, others: Floats) -> Floats:
    """The share of `others` below each of `these`, ties half."""
    ranked = np.sort(others)
    both = np.searchsorted(ranked, these, "left") + np.searchsorted(ranked, these, "right")
    return np.asarray(both / 2 / len(ranked), np.float64)


def share(hits: Truths) -> float | None:
    """The share of true ones; None of none."""
    return float(hits.mean()) if len(hits) else None


def share_interval(hits: Truths) -> Interval | None:
    """Its 95 % interval (Wilson)."""
    return wilson(int(hits.sum()), len(hits)) if len(hits) else None


def ece(scores: Floats, truths: Truths) -> float | None:
    """Expected calibration error, ten equal bins of the probability (Naeini et al. 2015, binary form)."""
    if not len(scores):
        return None
    bins = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = (abs(float(scores[bins == b].sum()) - float(truths[bins == b].sum())) for b in range(BINS))
    return sum(gaps) / len(scores)


def brier(scores: Floats, truths: Truths) -> float | None:
    """Mean squared error of the probability (Brier 1950)."""
    return float(np.mean((scores - truths) ** 2)) if len(scores) else None
