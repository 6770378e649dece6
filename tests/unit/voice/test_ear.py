"""The Ear wires engine, check and spotter: what is judged is heard twice, and in time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gateway.voice.ear import Ear
from gateway.voice.engine import FRAME, FRAME_S, Floats, Samples
from gateway.voice.phrases import Phrase
from gateway.voice.spotter import Look


class Script:
    """Scores as they are written, a frame at a time."""

    embeddings = np.zeros((32, 96), np.float32)

    def __init__(self, frames: Sequence[dict[str, float]]) -> None:
        self._frames = list(frames)
        self.scores: dict[str, float] = {}
        self.log: list[object] = []

    def between(self) -> Floats:
        self.log.append("between")
        return self.embeddings + 1

    def push(self, _frame: Samples) -> dict[str, float]:
        self.log.append("frame")
        self.scores = self._frames.pop(0)
        return self.scores

    def reset(self) -> None:
        """Nothing to forget."""


class Judge:
    """Knows the phones of "a" alone."""

    heard = frozenset({"a"})

    def __init__(self, log: list[object]) -> None:
        self._log = log

    def judge(self, phrase: str, _look: Look, embeddings: Sequence[Floats]) -> str:
        self._log.append((phrase, [float(rows[-1, 0]) for rows in embeddings]))
        return phrase


def hear(name: str, other: str) -> list[object]:
    """What is asked for while the head of `name` fires for four frames after one."""
    script = Script([{name: score, other: 0.0} for score in (0.0, 0.9, 0.9, 0.9, 0.9)])
    known = [Phrase(one, one, "offer", "", Path(), 0.5, 0.2) for one in (name, other)]
    ear = Ear(known, scorer=script, check=Judge(script.log))  # type: ignore[arg-type]
    for number in range(5):
        list(ear.hear(np.zeros(FRAME, np.int16), number * FRAME_S))
    return script.log


def test_what_phones_judge_is_heard_twice_and_that_begins_with_the_first_sign_of_it() -> None:
    log = hear("a", "b")
    assert log[:4] == ["frame", "frame", "between", "frame"]
    assert ("a", [0.0, 1.0]) in log


def test_a_phrase_of_the_shops_own_is_heard_once() -> None:
    log = hear("b", "a")
    assert "between" not in log
    assert ("b", [0.0]) in log
