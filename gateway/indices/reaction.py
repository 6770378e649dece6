"""Reactions and spikes of a smile (spec 4, Event reaction and Spike)."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.indices.intervals import mean_interval

MIN_EVENTS = 30
BEFORE_MS = AFTER_MS = 8000
MEMORY_MS = 10_000
LEAVES_BY = 0.30
LASTS_MS = 700
REST_MS = 5000


@dataclass(frozen=True, slots=True)
class Reaction:
    """ΔSI of an event in percentage points, paired t; no figure under 30 events."""

    n: int
    delta: float | None = None
    low: float | None = None
    high: float | None = None


def reaction(pairs: Sequence[tuple[float, float]]) -> Reaction:
    """ΔSI from (share smiling in the 8 s before, share in the 8 s after) of each event."""
    if len(pairs) < MIN_EVENTS:
        return Reaction(len(pairs))
    changes = [100 * (after - before) for before, after in pairs]
    low, high = mean_interval(changes)
    return Reaction(len(pairs), sum(changes) / len(changes), low, high)


@dataclass(frozen=True, slots=True)
class Spike:
    """When (ms) the smoothed smile left its median, by how much (signed share)."""

    t: int
    size: float

    @property
    def sign(self) -> int:
        """+1 towards a smile, −1 away from it."""
        return 1 if self.size > 0 else -1


def spikes(smoothed: Iterable[tuple[int, float]]) -> Iterator[Spike]:
    """Spikes of one track: ≥ 0.30 from the median of the last 10 s for ≥ 0.7 s, one per 5 s at most."""
    recent, ordered = deque[tuple[int, float]](), list[float]()
    began: Spike | None = None
    rest_until: int | None = None
    for t, smile in smoothed:
        while recent and recent[0][0] < t - MEMORY_MS:
            del ordered[bisect_left(ordered, recent.popleft()[1])]
        size = smile - _middle(ordered) if ordered else 0.0
        recent.append((t, smile))
        insort(ordered, smile)
        if abs(size) < LEAVES_BY or (began and began.size * size < 0):
            began = None
        if abs(size) >= LEAVES_BY:
            began = began or Spike(t, size)
            if t - began.t >= LASTS_MS and (rest_until is None or began.t >= rest_until):
                yield began
                rest_until = began.t + REST_MS


def _middle(ordered: Sequence[float]) -> float:
    """The median of what is in order: a camera that floods sends thousands of readings in 10 s."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
