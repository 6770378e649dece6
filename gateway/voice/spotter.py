"""From scores to phrases: one utterance gives one event, and phrases that sound alike compete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from gateway.voice.engine import FRAME_S
from gateway.voice.phrases import Phrase

PATIENCE_FRAMES = 2
QUIET_FRAMES = 2
LONGEST_FRAMES = 10
REFRACTORY_S = 1.0


@dataclass(frozen=True)
class Spotted:
    """A phrase was heard; `end_s` is the end of its last word in the time of the sound."""

    id: str
    score: float
    end_s: float


@dataclass
class _Burst:
    """Frames of one utterance: for each phrase the times and scores over its threshold."""

    frames: int = 0
    quiet: int = 0
    hot: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


class Spotter:
    """Collects frames with a score over its threshold; decides when they stop, after 0.8 s at the latest."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._phrases = {phrase.id: phrase for phrase in phrases}
        self.reset()

    def reset(self) -> None:
        """Forget the utterance at hand (after a gap in the sound)."""
        self._burst = _Burst()
        self._waiting_for_quiet = False
        self._last_end_s = -inf

    def push(self, now_s: float, scores: Mapping[str, float]) -> Spotted | None:
        """Scores after the frame that ends at `now_s`; the phrase that this frame decided, if any."""
        hot = {name: score for name, score in scores.items() if score >= self._phrases[name].threshold}
        if self._waiting_for_quiet:
            self._waiting_for_quiet = bool(hot)
            return None
        self._collect(now_s, hot)
        return self._decide() if self._is_over() else None

    def flush(self) -> Spotted | None:
        """Decide on what is at hand: the sound has ended."""
        return self._decide() if self._burst.hot else None

    def _collect(self, now_s: float, hot: Mapping[str, float]) -> None:
        burst = self._burst
        if not hot and not burst.hot:
            return
        burst.frames += 1
        burst.quiet = 0 if hot else burst.quiet + 1
        for name, score in hot.items():
            burst.hot.setdefault(name, []).append((now_s, score))

    def _is_over(self) -> bool:
        return self._burst.quiet >= QUIET_FRAMES or self._burst.frames >= LONGEST_FRAMES

    def _decide(self) -> Spotted | None:
        burst, self._burst = self._burst, _Burst()
        self._waiting_for_quiet = burst.quiet == 0
        heard = {name: frames for name, frames in burst.hot.items() if len(frames) >= PATIENCE_FRAMES}
        if not heard:
            return None
        best = max(heard, key=lambda name: _weight(heard[name], self._phrases[name].threshold))
        return self._spotted(self._phrases[best], heard[best])

    def _spotted(self, phrase: Phrase, frames: Sequence[tuple[float, float]]) -> Spotted | None:
        """The phrase, unless it is the rest of the utterance that was decided just before."""
        end_s = middle_s(frames) - phrase.lag_s
        if end_s < self._last_end_s + REFRACTORY_S:
            return None
        self._last_end_s = end_s
        return Spotted(phrase.id, max(score for _, score in frames), end_s)


def middle_s(frames: Sequence[tuple[float, float]]) -> float:
    """Centre of the times, weighted by score; its distance from the phrase's end is the card's `lag_s`."""
    total = sum(score for _, score in frames)
    return sum(now_s * score for now_s, score in frames) / total


def _weight(frames: Sequence[tuple[float, float]], threshold: float) -> float:
    """How clearly a phrase was over its threshold, and for how long."""
    return sum((score - threshold) / (1 - threshold) + 0.1 for _, score in frames) * FRAME_S
