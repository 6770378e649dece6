"""Engine, spotter and arming as one: frames of sound in, phrases out; for the process and the command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.voice.arming import Arming
from gateway.voice.check import Check
from gateway.voice.engine import Engine, Samples
from gateway.voice.networks import WINDOW
from gateway.voice.phrases import Phrase
from gateway.voice.quiet import Quiet
from gateway.voice.rivals import ASK
from gateway.voice.spotter import Look, Spotted, Spotter, always


class Ear:
    """Hears phrases; answers only while `arming` says that an ask is open (None: at any time)."""

    def __init__(self, phrases: Sequence[Phrase], arming: Arming | None = None) -> None:
        self.phrases = {phrase.id: phrase for phrase in phrases}
        self._arming = arming
        self._check = Check(phrases)
        self._engine = Engine({phrase.id: phrase.head for phrase in phrases}, WINDOW)
        self._quiet = Quiet()
        self._spotter = Spotter(
            phrases,
            arming.is_open if arming else always,
            self._judge,
            self._check.answers,
            self._quiet.is_quiet,
            self._quiet.is_noisy,
        )

    def reset(self) -> None:
        """Start afresh after a gap in the sound."""
        self._engine.reset()
        self._spotter.reset()
        self._quiet.reset()

    def hear(self, samples: Samples, end_s: float) -> Iterator[Spotted]:
        """The phrases that 80 ms of sound, ended at `end_s`, decided."""
        self._quiet.push(samples)
        scores = self._engine.push(samples)
        if scores is not None:
            yield from self._all(self._spotter.push(end_s, scores))

    def flush(self) -> Iterator[Spotted]:
        """Those that are at hand: the sound has ended."""
        yield from self._all(self._spotter.flush())

    @property
    def scores(self) -> dict[str, float]:
        """The scores after the last frame; empty in the warm-up."""
        return self._engine.scores

    def figures(self) -> dict[str, object]:
        """Answers that contradicted each other, that nobody had asked for, phrases out of place: not sent."""
        found = self._spotter
        return {"undecided": found.undecided, "unasked": found.unasked, "out_of_place": found.out_of_place}

    def _judge(self, phrase: str, look: Look) -> str | None:
        return self._check.judge(phrase, look, self._engine.embeddings)

    def _all(self, first: Spotted | None) -> Iterator[Spotted]:
        found = first
        while found:
            if self._arming and self.phrases[found.id].role == ASK:
                self._arming.asked(found.end_s)
            yield found
            found = self._spotter.more()
