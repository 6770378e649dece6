"""Negativity: low presses against what they could have come from (spec 4, Others)."""

from __future__ import annotations

from scipy.special import chdtri


def negativity(low_presses: int, exposure: float, per: float = 1.0) -> tuple[float, float, float]:
    """Low presses per `per` served (or hours): value, exact Poisson low and high (Garwood 1936)."""
    scale = per / exposure
    low = float(chdtri(2 * low_presses, 0.975)) / 2 if low_presses else 0.0
    high = float(chdtri(2 * low_presses + 2, 0.025)) / 2
    return low_presses * scale, low * scale, high * scale
