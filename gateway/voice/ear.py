"""Engine, spotter and arming as one: frames of sound in, phrases out; for the process and the command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from gateway.voice.arming import Arming
from gateway.voice.check import Check
from gateway.voice.engine import Engine, Floats, Samples
from gateway.voice.networks import WINDOW
from gateway.voice.phrases import Phrase
from gateway.voice.quiet import Quiet
from gateway.voice.rivals import ASK
from gateway.voice.spotter import Look, Spotted, Spotter, always


class Scorer(Protocol):
    """What makes scores of sound: an Engine, or what has them already (models/evaluate/phrases.py).

    The Ear alone calls it, a frame at a time; it raises nothing.
    """

    scores: dict[str, float]

    @property
    def embeddings(self) -> Floats:
        """(n, 96), the newest at the end."""
        ...

    def between(self) -> Floats:
        """(m, 96), those that end 40 ms before each of the last m."""
        ...

    def push(self, frame: Samples) -> dict[str, float] | None:
        """Scores by phrase id after `frame`; None in the warm-up."""
        ...

    def reset(self) -> None:
        """Start afresh, as after a gap in the sound."""
        ...


class Ear:
    """Hears phrases; answers only while `arming` says that an ask is open (None: at any time)."""

    def __init__(
        self,
        phrases: Sequence[Phrase],
        arming: Arming | None = None,
        scorer: Scorer | None = None,
        check: Check | None = None,
    ) -> None:
        self.phrases = {phrase.id: phrase for phrase in phrases}
        self._arming = arming
        self._check = check or Check(phrases)
        self._scorer = scorer or Engine({phrase.id: phrase.head for phrase in phrases}, WINDOW)
        self._quiet = Quiet()
        is_open = arming.is_open if arming else always
        self._spotter = Spotter(phrases, is_open, self._judge, self._check.heard, self._quiet)

    def reset(self) -> None:
        """Start afresh after a gap in the sound."""
        self._scorer.reset()
        self._spotter.reset()
        self._quiet.reset()

    def hear(self, samples: Samples, end_s: float) -> Iterator[Spotted]:
        """The phrases that 80 ms of sound, ended at `end_s`, decided."""
        self._quiet.push(samples)
        scores = self._scorer.push(samples)
        if scores is not None:
            if any(scores[name] >= self.phrases[name].threshold for name in self._check.heard):
                self._scorer.between()  # by the time that it is judged most of that is done
            yield from self._all(self._spotter.push(end_s, scores))

    def flush(self) -> Iterator[Spotted]:
        """Those that are at hand: the sound has ended."""
        yield from self._all(self._spotter.flush())

    @property
    def scores(self) -> dict[str, float]:
        """The scores after the last frame; empty in the warm-up."""
        return self._scorer.scores

    def figures(self) -> dict[str, object]:
        """Answers that contradicted each other, that nobody had asked for, phrases out of place: not sent."""
        found = self._spotter
        return {"undecided": found.undecided, "unasked": found.unasked, "out_of_place": found.out_of_place}

    def _judge(self, phrase: str, look: Look) -> str | None:
        heard = [self._scorer.embeddings]
        if phrase in self._check.heard:
            heard.append(self._scorer.between())
        return self._check.judge(phrase, look, heard)

    def _all(self, first: Spotted | None) -> Iterator[Spotted]:
        found = first
        while found:
            if self._arming and self.phrases[found.id].role == ASK:
                self._arming.asked(found.end_s)
            yield found
            found = self._spotter.more()
