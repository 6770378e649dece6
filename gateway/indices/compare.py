"""Comparing and rolling up figures: never an average of indices (spec 4, Roll-up)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from scipy.special import bdtrc

from gateway.indices.intervals import Z
from gateway.indices.nps import Counts, correction

ANOMALY_P = 0.001
ANOMALY_LEAST = 3


@dataclass(frozen=True, slots=True)
class Stratum:
    """One point of a report: its counts, and the customers served there."""

    counts: Counts
    served: float


def weighted(strata: Sequence[Stratum], *, corrected: bool = True) -> tuple[float, float]:
    """EmoNPS over points with unequal sampling and its half-width: each weighs by its customers served.

    `corrected`: they were served in the very time of the counts, so that the population is finite.
    """
    total = sum(stratum.served for stratum in strata)
    value, variance = 0.0, 0.0
    for stratum in strata:
        weight = stratum.served / total
        counts = stratum.counts
        _, own = counts.adjusted(counts.loyal)
        value += weight * counts.score(counts.loyal)
        variance += weight**2 * own * (correction(counts.n, stratum.served) if corrected else 1) ** 2
    return value, 100 * Z * sqrt(variance)


def differ(a: Counts, b: Counts) -> bool:
    """Whether an arrow or a rank between two EmoNPS may be shown: |z| > 1.96."""
    variance = sum(one.adjusted(one.loyal)[1] for one in (a, b))
    return abs(a.score(a.loyal) - b.score(b.loyal)) > 100 * Z * sqrt(variance)


def is_anomaly(critics: int, n: int, usual_share: float) -> bool:
    """Critic share of the last 60 min against the usual one of this weekday-hour: exact binomial p < .001."""
    if critics < ANOMALY_LEAST:
        return False
    return float(bdtrc(critics - 1, n, usual_share)) < ANOMALY_P
