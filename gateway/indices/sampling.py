"""How many customers to ask, and what was achieved (spec 4, Sample size)."""

from __future__ import annotations

from math import ceil, sqrt

from gateway.indices.intervals import Z

WORST_VARIANCE = 0.25


def sample_size(margin: float, served: int | None = None) -> int:
    """Asks for ±margin (a share) at 95 %, of `served` customers where that is known (1500, .05 → 306)."""
    return _of(Z * Z * WORST_VARIANCE / margin**2, served)


def sample_size_nps(points: float, score_variance: float, served: int | None = None) -> int:
    """Asks for ±points of EmoNPS with the site's own variance of the score (−1…+1)."""
    return _of(Z * Z * score_variance / (points / 100) ** 2, served)


def _of(endless: float, served: int | None) -> int:
    """Cochran's correction for a finite population; never more than there are."""
    if served is None:
        return ceil(endless)
    return min(served, ceil(endless / (1 + (endless - 1) / served))) if served else 0


def achieved_margin(n: int, served: int | None = None) -> float:
    """The ± (a share, at worst) that n asks give; n > 0."""
    plain = Z * sqrt(WORST_VARIANCE / n)
    return plain if served is None or served <= 1 else plain * sqrt(max(0, served - n) / (served - 1))
