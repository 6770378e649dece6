"""EmoNPS and BaseNPS with coverage, bounds and interval (spec 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum, sqrt

from gateway.fusion import Contact
from gateway.indices.intervals import Z, clip

MIN_N = 10
FEW_N = 30
COVERAGE_FULL = 0.80
COVERAGE_LEAST = 0.50
SHARE_LARGE = 0.05


@dataclass(frozen=True, slots=True)
class Counts:
    """Contacts in the indices by outcome, with ΣK and ΣK² over the silent ones."""

    loyal: int = 0
    passive: int = 0
    unknown: int = 0
    critic: int = 0
    silent: int = 0
    k_sum: float = 0.0
    k_squares: float = 0.0

    @property
    def n(self) -> int:
        """N of spec 4."""
        return self.loyal + self.passive + self.unknown + self.critic + self.silent

    @property
    def tops(self) -> int:
        """Top ratings, whatever the face."""
        return self.loyal + self.passive + self.unknown

    @property
    def coverage(self) -> float | None:
        """Emotion coverage c, a share; undefined without top ratings."""
        return (self.loyal + self.passive) / self.tops if self.tops else None

    def score(self, best: int) -> float:
        """100 · (best − C − ΣK) / N, N > 0, for `best` contacts counted +1."""
        return 100 * (best - self.critic - self.k_sum) / self.n

    def adjusted(self, best: int) -> tuple[float, float]:
        """Adjusted mean m' and its variance v'/n', scores from −1 to +1."""
        n, loyal, critic = self.n + 3, best + 0.75, self.critic + 0.75
        mean = (loyal - critic - self.k_sum) / n
        return mean, ((loyal + critic + self.k_squares) / n - mean * mean) / n

    def interval(self, best: int, served: int | None) -> tuple[float, float]:
        """95 % adjusted Wald interval of `score(best)`, widened to contain it."""
        mean, variance = self.adjusted(best)
        half = Z * sqrt(variance) * correction(self.n, served)
        value = self.score(best)
        low, high = (100 * clip(end, -1, 1) for end in (mean - half, mean + half))
        return min(low, value), max(high, value)


def correction(n: int, served: float | None) -> float:
    """Finite-population factor when n of `served` customers were asked; 1 where it does not apply."""
    if served is None or served < n or n / served <= SHARE_LARGE:
        return 1.0
    return sqrt((served - n) / (served - 1))


@dataclass(frozen=True, slots=True)
class Published:
    """The one figure that may be shown, −100…+100, with its interval; the other is None."""

    published: str = "none"
    emonps: float | None = None
    base_nps: float | None = None
    low: float | None = None
    high: float | None = None
    upper: float | None = None
    coverage: float | None = None
    few_data: bool = False
    flagged: bool = False


def count(contacts: Iterable[Contact]) -> Counts:
    """Counts over the contacts that are in the indices."""
    counted = [contact for contact in contacts if contact.counts]
    by_outcome = Counter(contact.outcome for contact in counted)
    ks = [contact.k for contact in counted if contact.outcome == "silent"]
    return Counts(
        by_outcome["loyal"],
        by_outcome["passive"],
        by_outcome["unknown"],
        by_outcome["critic"],
        by_outcome["silent"],
        fsum(ks),
        fsum(k * k for k in ks),
    )


def publish(counts: Counts, *, camera_on: bool, served: int | None = None) -> Published:
    """EmoNPS where emotion was seen well enough, else BaseNPS under its own name; none under 10."""
    if counts.n < MIN_N:
        return Published()
    coverage = counts.coverage
    few = counts.n < FEW_N
    if not camera_on or (coverage is not None and coverage < COVERAGE_LEAST):
        low, high = counts.interval(counts.tops, served)
        base = counts.score(counts.tops)
        return Published("base_nps", None, base, low, high, None, coverage, few)
    low, high = counts.interval(counts.loyal, served)
    return Published(
        "emonps",
        counts.score(counts.loyal),
        None,
        low,
        high,
        counts.score(counts.loyal + counts.unknown),
        coverage,
        few,
        coverage is not None and coverage < COVERAGE_FULL,
    )
