"""Quantiles and intervals that several indices share."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

from scipy.special import stdtrit

Z = 1.96


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Wilson 1927), n > 0."""
    share, z2 = hits / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean ± t(0.975, n−1) · s/√n, n > 1."""
    n, mean = len(values), fmean(values)
    half = float(stdtrit(n - 1, 0.975)) * stdev(values) / sqrt(n)
    return mean - half, mean + half


def clip(value: float, low: float, high: float) -> float:
    """The nearest value in low … high."""
    return min(max(value, low), high)
