"""Shares over contacts that are in the indices, with their intervals (spec 4, Others)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.fusion import Contact
from gateway.indices.intervals import wilson
from gateway.indices.nps import Counts


@dataclass(frozen=True, slots=True)
class Share:
    """A value with its 95 % interval and the number that it rests on."""

    value: float
    low: float
    high: float
    n: int


def share(hits: int, n: int) -> Share | None:
    """hits / n with Wilson's interval; None for n = 0."""
    return Share(hits / n, *wilson(hits, n), n) if n else None


def response_rate(counts: Counts) -> Share | None:
    """(N − S) / N: who answered, of those who were asked."""
    return share(counts.n - counts.silent, counts.n)


def emotion_confirmed(counts: Counts) -> Share | None:
    """L / (L + P): top ratings with a smile, of those with known emotion; says nothing of a person."""
    return share(counts.loyal, counts.loyal + counts.passive)


def csat(counts: Counts) -> Share | None:
    """Top share of the ratings."""
    return share(counts.tops, counts.n - counts.silent)


def effort_score(low: int, middle: int, high: int) -> float | None:
    """CES: low-effort minus high-effort answers, in %; None without answers."""
    n = low + middle + high
    return 100 * (low - high) / n if n else None


@dataclass(frozen=True, slots=True)
class Direct:
    """Direct (rating) against indirect (smile) over rated contacts with known emotion."""

    top_smile: int
    top_none: int
    other_smile: int
    other_none: int

    @property
    def n(self) -> int:
        """Contacts in the table."""
        return self.top_smile + self.top_none + self.other_smile + self.other_none

    @property
    def kappa(self) -> float | None:
        """Cohen's κ (1960); None where it is undefined."""
        n = self.n
        if not n:
            return None
        tops, smiles = self.top_smile + self.top_none, self.top_smile + self.other_smile
        chance = (tops * smiles + (n - tops) * (n - smiles)) / n**2
        agreed = (self.top_smile + self.other_none) / n
        return None if chance == 1 else (agreed - chance) / (1 - chance)


def direct_against_indirect(contacts: Iterable[Contact]) -> Direct:
    """The table top/other × smile/none."""
    cells = [0, 0, 0, 0]
    for contact in contacts:
        if contact.counts and contact.rating and contact.emotion.known:
            cells[2 * (contact.rating != "top") + (not contact.emotion.positive)] += 1
    return Direct(*cells)
