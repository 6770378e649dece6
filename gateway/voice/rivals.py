"""Which phrase an utterance was: rivals compete, one that stands clear wins, a tie is nothing. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gateway.voice.phrases import Phrase

ASK = "ask"
PATIENCE_FRAMES = 2
"""A phrase is over its threshold for at least so many frames."""
WIDE_FRAMES, SHOULDER = 4, 0.8
"""And for so many in a row near it, at this share: heads learn a plateau; other talk gives short peaks."""
EARLY_FRAMES = 3
"""So many are enough at once where no rival comes near: the event is out within 0.3 s of the last word."""
WINDOW_FRAMES = 5
"""0.4 s from the first frame over a threshold: then a clear winner counts also beside a weak rival."""
QUIET_FRAMES = 2
LONGEST_FRAMES = 10
CLEAR = 0.5
"""Two answers tie when the weaker one weighs at least this share of the stronger one."""
PLATEAU_S = 0.2
"""From the first frame over the threshold to the middle of them all, s: heads learn a plateau of 0.4 s."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Scores by phrase after the frame that ends at `now_s`."""

    now_s: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Winner:
    """The phrase that was said, its highest score, and the middle of its plateau, s."""

    phrase: Phrase
    score: float
    middle_s: float


@dataclass(frozen=True, slots=True)
class Nobody:
    """The utterance is decided and was no phrase; `tied`: two answers that contradict each other."""

    tied: bool


Hot = Mapping[str, Sequence[tuple[float, float]]]


def decide(
    frames: Sequence[Heard],
    phrases: Mapping[str, Phrase],
    before: Sequence[Heard] = (),
    judged: Collection[str] = (),
) -> Winner | Nobody | None:
    """The verdict on one utterance, whose first frame is the first over a threshold; None: hear on.

    `before` are the frames that led to it. Phrases with different ratings contradict each other and may tie;
    of others the clearest wins. Two that are `judged` after this, by what was said, do not tie here.
    """
    hot = _hot(frames, phrases)
    wide = {name for name in hot if _is_wide(phrases[name], [*before, *frames])}
    heard = {name: hot[name] for name in wide if len(hot[name]) >= PATIENCE_FRAMES}
    best = max(heard, key=lambda name: (_weight(heard[name], phrases[name]), name), default=None)
    over = is_over(frames, phrases)
    if best is None:
        return Nobody(tied=False) if over else None
    if _is_sure(best, hot, phrases) or (_may_judge(frames, over) and _is_clear(best, hot, phrases, judged)):
        return Winner(phrases[best], max(score for _, score in hot[best]), _middle_s(hot[best], over))
    return Nobody(tied=True) if over else None


def is_over(frames: Sequence[Heard], phrases: Mapping[str, Phrase]) -> bool:
    """Whether the scores have fallen again, or have stayed up for as long as is waited."""
    last = frames[-QUIET_FRAMES:]
    fell = len(last) == QUIET_FRAMES and not any(_hot(last, phrases).values())
    return fell or len(frames) >= LONGEST_FRAMES


def _hot(frames: Sequence[Heard], phrases: Mapping[str, Phrase]) -> Hot:
    """(time, score) of each phrase's frames over its threshold."""
    return {
        name: [(f.now_s, f.scores[name]) for f in frames if f.scores.get(name, 0.0) >= phrase.threshold]
        for name, phrase in phrases.items()
    }


def _is_wide(phrase: Phrase, frames: Sequence[Heard]) -> bool:
    """Whether its scores stay near the threshold for as long as those of a phrase that was said.

    Asks are let off: said fast they have shorter plateaus.
    """
    if phrase.role == ASK:
        return True
    longest = run = 0
    for frame in frames:
        run = run + 1 if frame.scores.get(phrase.id, 0.0) >= SHOULDER * phrase.threshold else 0
        longest = max(longest, run)
    return longest >= WIDE_FRAMES


def _is_sure(best: str, hot: Hot, phrases: Mapping[str, Phrase]) -> bool:
    """Enough frames, and no other phrase was over its threshold in any of them."""
    others = [one.id for one in phrases.values() if one.id != best and not _agree(one, phrases[best])]
    return len(hot[best]) >= EARLY_FRAMES and not any(hot[name] for name in others)


def _may_judge(frames: Sequence[Heard], over: bool) -> bool:
    return over or len(frames) >= WINDOW_FRAMES


def _is_clear(best: str, hot: Hot, phrases: Mapping[str, Phrase], judged: Collection[str]) -> bool:
    """No answer that says otherwise weighs nearly as much; phrases without a rating never contradict."""
    limit = CLEAR * _weight(hot[best], phrases[best])
    rivals = [name for name in phrases if not (best in judged and name in judged)]
    against = [name for name in rivals if _contradict(phrases[name], phrases[best])]
    return all(_weight(hot[name], phrases[name]) < limit for name in against)


def _agree(a: Phrase, b: Phrase) -> bool:
    return bool(a.rating) and a.rating == b.rating


def _contradict(a: Phrase, b: Phrase) -> bool:
    return bool(a.rating and b.rating) and a.rating != b.rating


def _weight(over: Sequence[tuple[float, float]], phrase: Phrase) -> float:
    """How clearly a phrase was over its threshold, and for how long."""
    return sum((score - phrase.threshold) / (1 - phrase.threshold) + 0.1 for _, score in over)


def _middle_s(over: Sequence[tuple[float, float]], is_over: bool) -> float:
    """The middle of the plateau, weighted by score; from its beginning while it still goes on."""
    if not is_over:
        return over[0][0] + PLATEAU_S
    total = sum(score for _, score in over)
    return sum(now_s * score for now_s, score in over) / total
