"""The smile rate, corrected by what people saw on ribbon cards (product row 14): Rogan and Gladen 1978.

A person scores cards of single contacts from 1 to 5; 4 and 5 are a smile. Against the model's `positive` that
gives its sensitivity and specificity in this very shop, and with them the true share of smiling contacts:
(observed + specificity - 1) / (sensitivity + specificity - 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from gateway.indices.intervals import Z, clip

SMILE_FROM = 4
MIN_CARDS = 50  # product row 14


@dataclass(frozen=True, slots=True)
class Cards:
    """Cards by what the person saw and what the model said: tp smile and positive, fn smile and not, …"""

    tp: int = 0
    fn: int = 0
    tn: int = 0
    fp: int = 0

    @property
    def n(self) -> int:
        """How many."""
        return self.tp + self.fn + self.tn + self.fp

    @property
    def sensitivity(self) -> float | None:
        """Share of the smiles that the model calls positive; None without a smile."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else None

    @property
    def specificity(self) -> float | None:
        """Share of the rest that the model does not call positive; None without a rest."""
        return self.tn / (self.tn + self.fp) if self.tn + self.fp else None


@dataclass(frozen=True, slots=True)
class Corrected:
    """The corrected rate 0…1 with its 95 % interval."""

    rate: float
    low: float
    high: float


def correct(cards: Cards, positive: int, n: int) -> Corrected | None:
    """The share of smiles behind `positive` of `n` contacts.

    None without contacts, under 50 cards, without a card of each kind, or where the model is no better than
    chance (sensitivity + specificity at most 1). The interval is Lang and Reiczigel's (2014, Prev Vet Med
    113:13-22, eq. 16), which counts in that sensitivity and specificity are themselves only known from so
    many cards; it is widened where needed so that it contains the rate.
    """
    se, sp = cards.sensitivity, cards.specificity
    if n == 0 or cards.n < MIN_CARDS or se is None or sp is None or se + sp <= 1:
        return None
    rate = clip((positive / n + sp - 1) / (se + sp - 1), 0, 1)
    low, high = _interval(cards, positive, n)
    return Corrected(rate, min(rate, low), max(rate, high))


def _interval(cards: Cards, positive: int, n: int) -> tuple[float, float]:
    """Lang and Reiczigel's limits, clipped to 0…1; their names: a prime is an adjusted figure."""
    n_se, n_sp, n_p = cards.tp + cards.fn + 2, cards.tn + cards.fp + 2, n + Z * Z
    se, sp, ap = (cards.tp + 1) / n_se, (cards.tn + 1) / n_sp, (positive + Z * Z / 2) / n_p
    youden = se + sp - 1
    if youden <= 0:
        return 0.0, 1.0
    p = (ap + sp - 1) / youden
    of_se, of_sp = se * (1 - se) / n_se, sp * (1 - sp) / n_sp
    middle = p + 2 * Z * Z * (p * of_se - (1 - p) * of_sp)
    half = Z * sqrt(ap * (1 - ap) / n_p + p * p * of_se + (1 - p) ** 2 * of_sp) / youden
    return clip(middle - half, 0, 1), clip(middle + half, 0, 1)
