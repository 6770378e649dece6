"""What a face did while it was looked at: 10 s means, spikes, reactions to phrases (spec 4 and 5); pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.events import Spoken
from gateway.fusion.emotion import RUN_MIN_MS, EmotionLimits, Held, smile_runs, smoothed
from gateway.indices.reaction import AFTER_MS, BEFORE_MS, Spike, spikes

MEAN_MS = 10_000


@dataclass(frozen=True, slots=True)
class Mean:
    """Up to 10 s from `start` (ms): mean smile 0…1 over held time, how many tracks, their held time in ms."""

    start: int
    smile: float
    faces: int
    valid_ms: int


@dataclass(frozen=True, slots=True)
class Change:
    """Share of the time smiling in the 8 s before a phrase and in the 8 s after it."""

    spoken: Spoken
    before: float
    after: float

    @property
    def delta(self) -> float:
        """Percentage points; ΔSI is the mean of them."""
        return 100 * (self.after - self.before)


def means(tracks: Iterable[Sequence[Held]], start: int) -> list[Mean]:
    """Means of every 10 s from `start` on in which a face was held."""
    found: defaultdict[int, list[tuple[int, Held]]] = defaultdict(list)
    for number, held in enumerate(tracks):
        for reading in held:
            if reading.ms:
                found[(reading.t - start) // MEAN_MS].append((number, reading))
    return [_mean(start + place * MEAN_MS, found[place]) for place in sorted(found)]


def _mean(start: int, readings: Sequence[tuple[int, Held]]) -> Mean:
    valid_ms = sum(reading.ms for _, reading in readings)
    smile = sum(reading.ms * reading.smile for _, reading in readings) / valid_ms
    return Mean(start, smile, len({number for number, _ in readings}), valid_ms)


def leaps(held: Sequence[Held]) -> Iterator[Spike]:
    """Spikes of one track's smoothed smile."""
    return spikes((reading.t, smile) for reading, smile, _ in smoothed(held))


def changes(held: Sequence[Held], spoken: Iterable[Spoken], limits: EmotionLimits) -> Iterator[Change]:
    """How a face reacted to each phrase; only where it was seen long enough on both sides."""
    for phrase in spoken:
        before = _share(held, phrase.t - BEFORE_MS, phrase.t, limits)
        after = _share(held, phrase.t, phrase.t + AFTER_MS, limits)
        if before is not None and after is not None:
            yield Change(phrase, before, after)


def _share(held: Sequence[Held], start: int, end: int, limits: EmotionLimits) -> float | None:
    """Share smiling of what was held from start to end (excluded); None when it was too short."""
    inside = [Held(r.t, min(r.ms, end - r.t), r.smile) for r in held if start <= r.t < end]
    valid_ms = sum(reading.ms for reading in inside)
    if not valid_ms or valid_ms < limits.valid_min_ms:
        return None
    return sum(run for run in smile_runs(inside, limits) if run >= RUN_MIN_MS) / valid_ms
