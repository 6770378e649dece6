"""Quantiles and intervals that several indices share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import atan2, exp, fsum, lgamma, log1p, pi, sqrt
from statistics import NormalDist, fmean, stdev

Z = 1.96
LEVEL = 0.95
FEW_DF = 1000


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Wilson 1927), n > 0."""
    share, z2 = hits / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean ± t(0.975, n−1) · s/√n, n > 1."""
    n, mean = len(values), fmean(values)
    half = student_t(n - 1) * stdev(values) / sqrt(n)
    return mean - half, mean + half


@cache
def student_t(df: int) -> float:
    """t(0.975, df), df ≥ 1, to 1e-13: a test holds it to scipy's, whose import costs a third of a second."""
    t = _expansion(df)
    while df <= FEW_DF:
        step = (_inside(t, df) - LEVEL) / (2 * _density(t, df))
        t -= step
        if abs(step) < 1e-12 * t:
            break
    return t


def _expansion(df: int) -> float:
    """Cornish and Fisher's expansion in 1/df (Abramowitz and Stegun 26.7.5); off by O(df⁻⁵)."""
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return fsum(term / df**power for power, term in enumerate(terms))


def _inside(t: float, df: int) -> float:
    """P(−t ≤ T ≤ t): a finite sum, for degrees are whole (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    odd = df % 2
    sine, cosine2 = t / sqrt(df + t * t), df / (df + t * t)
    term = sqrt(cosine2) if odd else 1.0
    terms = []
    for k in range(2 + odd, df + 1, 2):
        terms.append(term)
        term *= cosine2 * (k - 1) / k
    total = sine * fsum(terms)
    return 2 / pi * (atan2(t, sqrt(df)) + total) if odd else total


def _density(t: float, df: int) -> float:
    height = exp(lgamma((df + 1) / 2) - lgamma(df / 2)) / sqrt(df * pi)
    return height * exp(-(df + 1) / 2 * log1p(t * t / df))


def clip(value: float, low: float, high: float) -> float:
    """The nearest value in low … high."""
    return min(max(value, low), high)
