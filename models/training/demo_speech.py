"""Writes demo/speech: `python -m models.training.demo_speech`. Voices with a free licence only."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from demo.sound import SPEECH, write_wav
from models.training import speech, texts
from models.training.speech import Saying, Voice

STAFF = Voice("rhvoice", "bdl", "en")
CUSTOMERS = (Voice("rhvoice", "slt", "en"), Voice("rhvoice", "clb", "en"))
SPOKEN = ("rate-visit", "super", "normal", "could-be-better")
PEAK = 0.5


def main() -> int:
    """One WAV for each phrase of the demo: the asking one by the staff's voice, the answers by customers'."""
    family = texts.family("en")
    with tempfile.TemporaryDirectory() as cache:
        for number, name in enumerate(SPOKEN):
            voice = STAFF if family[name].role == "ask" else CUSTOMERS[number % 2]
            sound = speech.say(Saying(family[name].texts[0], voice), Path(cache))
            write_wav(SPEECH / f"{name}.wav", (sound / np.abs(sound).max() * PEAK * 32767).astype(np.int16))
    return 0


if __name__ == "__main__":
    sys.exit(main())
