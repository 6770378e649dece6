"""Who gives the second opinion on answers (confirm.py): as named, else Whisper where it is installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np

from gateway.voice import whisper
from gateway.voice.confirm import OpinionError, Recogniser
from gateway.voice.engine import RATE, Samples
from gateway.voice.phrases import Phrase
from gateway.voice.spotter import RATING, Spotted

AUTO, NONE = "auto", "none"
CHOICES = (AUTO, NONE, "whisper", "pocketsphinx")


def lacks(name: str) -> str:
    """What to do to get the one that is named; nothing where it is here, or none is named."""
    if name == "pocketsphinx" and find_spec("pocketsphinx") is None:
        return "pocketsphinx is not installed: run `script/setup confirm`"
    if name == "whisper" and not whisper.is_installed():
        return "Whisper is not installed: run `script/setup whisper`"
    return ""


def recogniser(name: str, phrases: Sequence[Phrase]) -> Recogniser | None:
    """One of CHOICES for the answers among `phrases`; None: no second opinion. Raises OpinionError."""
    answers = [phrase for phrase in phrases if phrase.role == RATING]
    if name in (NONE, "") or not answers or (name == AUTO and not whisper.is_installed()):
        return None
    if lack := lacks(name):
        raise OpinionError(lack)
    if name == "pocketsphinx":
        from gateway.voice.sphinx import Sphinx

        return Sphinx(answers)
    return whisper.Whisper(answers)


@contextmanager
def asked(name: str, phrases: Sequence[Phrase]) -> Iterator[Recogniser | None]:
    """As `recogniser`, until the block ends."""
    ears = recogniser(name, phrases)
    try:
        yield ears
    finally:
        if ears:
            ears.close()


def confirmed(
    events: Sequence[Spotted],
    phrases: Sequence[Phrase],
    sound: Samples,
    begins_s: float,
    ears: Recogniser | None,
) -> tuple[list[Spotted], list[Spotted]]:
    """Those of `events` in a recording (int16, 16 kHz) that nobody vetoes, and the others.

    `begins_s`: the time of its first sample. Raises OpinionError.
    """
    answers = {phrase.id: phrase for phrase in phrases if phrase.role == RATING}
    kept, vetoed = list[Spotted](), list[Spotted]()
    for one in events:
        is_vetoed = (
            ears
            and one.id in answers
            and not ears.agrees(answers[one.id], _around(one, sound, begins_s, ears))
        )
        (vetoed if is_vetoed else kept).append(one)
    return kept, vetoed


def _around(one: Spotted, sound: Samples, begins_s: float, ears: Recogniser) -> Samples:
    """Silence follows a recording that ends too soon."""
    end_s = one.end_s - begins_s
    first, last = round((end_s - ears.before_s) * RATE), round((end_s + ears.after_s) * RATE)
    found = sound[max(0, first) : last]
    return np.pad(found, (0, last - max(0, first) - len(found)))
