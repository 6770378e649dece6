"""The customer's emotion at the rating, from face readings in a window (spec 3, Emotion at the rating)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import exp
from statistics import median

from gateway.events import Reading

HOLD_MS = 500
NEAR_MS = 2000
FRESH_MS = 1000
RUN_MIN_MS = 500
SMOOTHING_S = 0.5
RIVAL_PERCENT = 67


@dataclass(frozen=True, slots=True)
class EmotionLimits:
    """Starred numbers of spec 3: a face's least width in px and largest yaw in degrees, the rest in ms."""

    px_min: float
    yaw_max: float
    smile_on: float
    smile_off: float
    valid_min_ms: int
    positive_run_ms: int


@dataclass(frozen=True, slots=True)
class Window:
    """Readings from start to end (ms, both included) count; `rated` is None for a silent customer."""

    start: int
    end: int
    rated: int | None


@dataclass(frozen=True, slots=True)
class Emotion:
    """What was seen: valid time in ms, the share of it smiling, whether one run was long enough."""

    valid_ms: int = 0
    smile_share: float | None = None
    positive: bool | None = None
    ambiguous: bool = False

    @property
    def known(self) -> bool:
        """Seen long enough, and of one customer."""
        return self.smile_share is not None


UNSEEN = Emotion()


@dataclass(frozen=True, slots=True)
class Held:
    """A valid reading and how long it holds."""

    t: int
    ms: int
    smile: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A track that may be the customer."""

    name: tuple[str, int, int]
    held: list[Held]
    valid_ms: int
    size: float

    @property
    def rank(self) -> tuple[int, float, tuple[str, int, int]]:
        return (-self.valid_ms, -self.size, self.name)


def read_emotion(readings: Sequence[Reading], window: Window, limits: EmotionLimits) -> Emotion:
    """Emotion of the customer among readings that lie in the window, in any order of tracks."""
    customer, ambiguous = _customer(readings, window, limits)
    if customer is None:
        return UNSEEN
    if ambiguous:
        return Emotion(customer.valid_ms, ambiguous=True)
    return _read(customer.held, limits)


def held_of_customer(readings: Sequence[Reading], window: Window, limits: EmotionLimits) -> list[Held]:
    """What the customer's emotion was read from, in order of time; only for one whose emotion is known."""
    customer, _ = _customer(readings, window, limits)
    return customer.held if customer else []


def read_track(track: list[Reading], limits: EmotionLimits) -> Emotion:
    """Emotion of one track on its own, readings in order of time (scope=all: each track is a contact)."""
    return _read(list(hold(track, track[-1].t + HOLD_MS, limits)), limits)


def _read(held: list[Held], limits: EmotionLimits) -> Emotion:
    """What one track's held readings say; nothing when there is too little of them."""
    valid_ms = sum(reading.ms for reading in held)
    if not valid_ms or valid_ms < limits.valid_min_ms:
        return Emotion(valid_ms)
    runs = [run for run in smile_runs(held, limits) if run >= RUN_MIN_MS]
    return Emotion(valid_ms, sum(runs) / valid_ms, any(run >= limits.positive_run_ms for run in runs))


def tracks_of(readings: Sequence[Reading]) -> Iterator[list[Reading]]:
    """Readings by track (device, boot, track), each in order of time."""
    by_track = sorted(readings, key=lambda r: (r.device, r.boot, r.track, r.t, r.seq))
    for _, group in groupby(by_track, key=lambda r: (r.device, r.boot, r.track)):
        yield list(group)


def _customer(
    readings: Sequence[Reading], window: Window, limits: EmotionLimits
) -> tuple[_Candidate | None, bool]:
    """The customer among the tracks, and whether another is too close to it in size."""
    found = sorted(_candidates(readings, window, limits), key=lambda candidate: candidate.rank)
    ambiguous = any(100 * rival.size > RIVAL_PERCENT * found[0].size for rival in found[1:])
    return found[0] if found else None, ambiguous


def _candidates(readings: Sequence[Reading], window: Window, limits: EmotionLimits) -> Iterator[_Candidate]:
    for track in tracks_of(readings):
        held = list(hold(track, window.end, limits))
        valid_ms = sum(reading.ms for reading in held)
        if valid_ms and _is_near(track, window.rated):
            size = median(r.px * r.px for r in track if _is_valid(r, limits))
            first = track[0]
            yield _Candidate((first.device, first.boot, first.track), held, valid_ms, size)


def _is_near(track: Iterable[Reading], rated: int | None) -> bool:
    return rated is None or any(abs(reading.t - rated) <= NEAR_MS for reading in track)


def _is_valid(reading: Reading, limits: EmotionLimits) -> bool:
    return reading.ok and reading.px >= limits.px_min and abs(reading.yaw) <= limits.yaw_max


def hold(track: list[Reading], end: int, limits: EmotionLimits) -> Iterator[Held]:
    """Valid readings of a track; each holds until the next of any validity, 0.5 s at most."""
    ends = [reading.t for reading in track[1:]] + [end]
    for reading, until in zip(track, ends, strict=True):
        if _is_valid(reading, limits):
            yield Held(reading.t, min(until - reading.t, HOLD_MS), reading.smile)


def smile_runs(held: Sequence[Held], limits: EmotionLimits) -> list[int]:
    """Lengths in ms of the runs in the state smiling: smoothed smile on at ≥ 0.60, off below 0.40."""
    runs: list[int] = []
    smiling = False
    for reading, smooth, fresh in smoothed(held):
        was_smiling = smiling and not fresh
        smiling = smooth >= (limits.smile_off if was_smiling else limits.smile_on)
        if smiling and was_smiling:
            runs[-1] += reading.ms
        elif smiling:
            runs.append(reading.ms)
    return runs


def smoothed(held: Sequence[Held]) -> Iterator[tuple[Held, float, bool]]:
    """Readings with their exponential average (0.5 s), and whether it started afresh there."""
    if not held:
        return
    smooth = held[0].smile
    yield held[0], smooth, True
    for before, reading in pairwise(held):
        gap_ms = reading.t - before.t
        fresh = gap_ms > FRESH_MS
        step = 1 - exp(-gap_ms / 1000 / SMOOTHING_S)
        smooth = reading.smile if fresh else smooth + step * (reading.smile - smooth)
        yield reading, smooth, fresh
