"""Writes demo/speech: `python -m models.training.demo_speech`. Voices with a free licence only."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from demo.sound import SPEECH, write_wav
from models.training import clips, speech
from models.training.speech import Voice

STAFF, CUSTOMERS = Voice("rhvoice", "bdl"), (Voice("rhvoice", "slt"), Voice("rhvoice", "clb"))
PEAK = 0.5


def main() -> int:
    """One WAV for each phrase: the asking ones by the staff's voice, the answers by customers' voices."""
    speech.require_programs()
    SPEECH.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as cache:
        for number, (name, phrase) in enumerate(clips.texts().items()):
            voice = STAFF if phrase["role"] == "ask" else CUSTOMERS[number % 2]
            sound = speech.say(first_text(phrase), voice, Path(cache))
            write_wav(SPEECH / f"{name}.wav", (sound / np.abs(sound).max() * PEAK * 32767).astype(np.int16))
    return 0


def first_text(phrase: dict[str, object]) -> str:
    """The wording that a card names first."""
    texts = phrase["texts"]
    return str(texts[0]) if isinstance(texts, list) else ""


if __name__ == "__main__":
    sys.exit(main())
