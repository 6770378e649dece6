"""Smile-Index and smile rate over contacts with known emotion (spec 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from gateway.fusion import Contact
from gateway.fusion.emotion import Emotion
from gateway.indices.intervals import clip, mean_interval, wilson

MIN_KNOWN = 10


@dataclass(frozen=True, slots=True)
class Smiles:
    """Smile-Index 0…100 and smile rate 0…1 with 95 % intervals; None under 10 known contacts."""

    known: int
    smile_index: float | None = None
    smile_low: float | None = None
    smile_high: float | None = None
    smile_rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None


def smiles(contacts: Iterable[Contact]) -> Smiles:
    """Over the contacts that are in the indices, rated and silent alike."""
    return smiles_of([contact.emotion for contact in contacts if contact.counts])


def smiles_of(known: Sequence[Emotion]) -> Smiles:
    """The same over emotions; the unknown ones among them do not count."""
    shares = [emotion.smile_share for emotion in known if emotion.smile_share is not None]
    if len(shares) < MIN_KNOWN:
        return Smiles(len(shares))
    positive = sum(bool(emotion.positive) for emotion in known)
    low, high = (clip(100 * end, 0, 100) for end in mean_interval(shares))
    rate = positive / len(shares)
    return Smiles(len(shares), 100 * fmean(shares), low, high, rate, *wilson(positive, len(shares)))
