"""From scores to phrases: one utterance gives one event; answers compete apart from all other phrases."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from math import inf
from typing import Protocol

from gateway.voice.phrases import Phrase
from gateway.voice.rivals import WIDE_FRAMES, Heard, Nobody, Winner, decide, is_over

REFRACTORY_S = 1.0
RATING, PRAISE = "rating", "top"


class Look(Enum):
    """How a spotted phrase is judged."""

    FIRST = auto()
    LAST = auto()
    """Nothing came of it so far; the milder limit counts."""
    AGAIN = auto()
    """It passed a moment ago; does it still, by the milder limit, with what was said since?"""
    OVER = auto()
    """As AGAIN, and then it counts: nothing more is said, or there is no more time to wait."""


IsOpen = Callable[[float], bool]
"""Whether an answer that ended at that time of the sound may count."""
Judge = Callable[[str, Look], str | None]
"""What a spotted phrase was, if anything."""
WAIT_FRAMES = 6
"""A phrase that may not count at once is asked for in so many more: 0.48 s of what is said after it."""
HOLD_FRAMES = 6
"""Praise is looked at in so many more at most while somebody speaks: it may go on, "super busy".

So is any other phrase that is judged, in noise: there a piece of other talk may sound like it.
"""


class Around(Protocol):
    """What is heard around a phrase; quiet.py tells by the last seconds.

    The Spotter asks it after the same frame was heard by both; it raises nothing.
    """

    def is_quiet(self) -> bool:
        """Whether nobody goes on speaking."""
        ...

    def is_noisy(self) -> bool:
        """Whether noise comes near the loudness of speech."""
        ...


class Silence:
    """A phrase and nothing else."""

    def is_quiet(self) -> bool:
        """Nobody ever goes on speaking."""
        return True

    def is_noisy(self) -> bool:
        """There is no noise."""
        return False


@dataclass(frozen=True)
class Spotted:
    """A phrase was heard; `end_s` is the end of its last word in the time of the sound."""

    id: str
    score: float
    end_s: float


@dataclass(frozen=True)
class _Waiting:
    """A phrase that is not decided, and in how many frames it will be."""

    group: _Group
    one: Spotted
    frames: int
    look: Look


def always(_end_s: float) -> bool:
    """Answers count at any time."""
    return True


def itself(phrase: str, _look: Look) -> str:
    """No check: a phrase is what its head takes it for."""
    return phrase


class Spotter:
    """Scores in, phrases out. Answers count only where `is_open` says so, and may tie; see rivals.py."""

    def __init__(
        self,
        phrases: Sequence[Phrase],
        is_open: IsOpen = always,
        judge: Judge = itself,
        judged: Collection[str] = (),
        around: Around | None = None,
    ) -> None:
        """`judged`: those that `judge` decides on; among answers it chooses, whatever their heads say.

        Praise among them, in noise all of them, waits until it is quiet `around` and must go on passing.
        """
        answers = {phrase.id: phrase for phrase in phrases if phrase.role == RATING}
        others = {phrase.id: phrase for phrase in phrases if phrase.role != RATING}
        self._is_open, self._check = is_open, judge
        self._judged, self._around = judged, around or Silence()
        self._groups = [_Group(others, judged), _Group(answers, judged)]
        self._praise = {name for name, one in answers.items() if one.rating == PRAISE}
        self._found: deque[Spotted] = deque()
        self._waiting: list[_Waiting] = []
        self.unasked = self.out_of_place = 0

    @property
    def undecided(self) -> int:
        """Utterances in which two answers contradicted each other, and none counted."""
        return sum(group.tied for group in self._groups)

    def reset(self) -> None:
        """Forget the utterance at hand (after a gap in the sound)."""
        self._waiting = []
        for group in self._groups:
            group.reset()

    def push(self, now_s: float, scores: Mapping[str, float]) -> Spotted | None:
        """Scores after the frame that ends at `now_s`; a phrase that is decided by now."""
        self._waiting = [replace(waiting, frames=waiting.frames - 1) for waiting in self._waiting]
        self._ask_again()
        for group in self._groups:
            self._take(group, group.push(now_s, scores))
        return self.more()

    def flush(self) -> Spotted | None:
        """Decide on what is at hand: the sound has ended."""
        for group in self._groups:
            self._take(group, group.flush())
        while self._waiting:
            self._waiting = [replace(waiting, frames=0) for waiting in self._waiting]
            self._ask_again()
        return self.more()

    def more(self) -> Spotted | None:
        """What was decided beside it: an answer and another phrase may end in one frame."""
        return self._found.popleft() if self._found else None

    def _take(self, group: _Group, winner: Winner | None) -> None:
        if winner is None:
            return
        end_s = winner.middle_s - winner.phrase.lag_s
        if winner.phrase.role == RATING and not self._is_open(end_s):
            self.unasked += 1
        elif group.is_rested(end_s):  # else the rest of what counted just before
            one = Spotted(winner.phrase.id, winner.score, end_s)
            self._judge(_Waiting(group, one, WAIT_FRAMES, Look.FIRST))

    def _ask_again(self) -> None:
        """What counted meanwhile wins over what waited."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if each.group.is_rested(each.one.end_s):
                self._judge(each)

    def _judge(self, waiting: _Waiting) -> None:
        """Decide, or wait: in each frame as at first, in the last with the lower limit; some wait on."""
        look = self._look(waiting)
        name = self._check(waiting.one.id, look)
        if name is None:
            self._refused(waiting, look)
            return
        one = replace(waiting.one, id=name)
        if look is Look.AGAIN:
            self._waiting.append(replace(waiting, one=one))
        elif look is not Look.OVER and self._must_last(name):
            self._waiting.append(_Waiting(waiting.group, one, HOLD_FRAMES, Look.AGAIN))
        else:
            self._found.append(one)
            waiting.group.last_end_s = one.end_s

    def _look(self, waiting: _Waiting) -> Look:
        if waiting.look is Look.FIRST:
            return Look.FIRST if waiting.frames else Look.LAST
        return Look.AGAIN if waiting.frames and not self._around.is_quiet() else Look.OVER

    def _must_last(self, name: str) -> bool:
        return name in self._judged and (name in self._praise or self._around.is_noisy())

    def _refused(self, waiting: _Waiting, look: Look) -> None:
        if look is Look.FIRST:
            self._waiting.append(waiting)
        else:
            self.out_of_place += 1


class _Group:
    """Phrases that compete; frames of the utterance at hand."""

    def __init__(self, phrases: Mapping[str, Phrase], judged: Collection[str]) -> None:
        self._phrases, self._judged = phrases, judged
        self.tied = 0
        self.reset()

    def reset(self) -> None:
        self._frames: list[Heard] = []
        self._before: deque[Heard] = deque(maxlen=WIDE_FRAMES - 1)
        self._waits_for_quiet = False
        self.last_end_s = -inf

    def push(self, now_s: float, scores: Mapping[str, float]) -> Winner | None:
        is_hot = any(scores.get(name, 0.0) >= phrase.threshold for name, phrase in self._phrases.items())
        if self._waits_for_quiet:
            self._waits_for_quiet = is_hot
        elif is_hot or self._frames:
            self._frames.append(Heard(now_s, scores))
            return self._decided(is_hot)
        else:
            self._before.append(Heard(now_s, scores))
        return None

    def is_rested(self, end_s: float) -> bool:
        """Whether nothing has counted shortly before `end_s`."""
        return end_s >= self.last_end_s + REFRACTORY_S

    def flush(self) -> Winner | None:
        """As if silence followed."""
        quiet = [Heard(inf, {}), Heard(inf, {})]
        verdict = self._verdict([*self._frames, *quiet]) if self._frames else None
        self._frames = []
        return verdict if isinstance(verdict, Winner) else None

    def _verdict(self, frames: Sequence[Heard]) -> Winner | Nobody | None:
        return decide(frames, self._phrases, self._before, self._judged)

    def _decided(self, is_hot: bool) -> Winner | None:
        verdict = self._verdict(self._frames)
        if verdict is None:
            return None
        self._waits_for_quiet = not is_over(self._frames, self._phrases) or is_hot
        self._frames = []
        self._before.clear()
        if isinstance(verdict, Winner):
            return verdict
        self.tied += verdict.tied
        return None
