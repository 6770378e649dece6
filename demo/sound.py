"""The demo's sound: recorded phrases of demo/speech placed on a time line."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gateway.voice.audio import read_wav
from gateway.voice.engine import RATE, Samples

SPEECH = Path(__file__).with_name("speech")
ROOM_NOISE = 4.0
"""Deviation of the hiss that fills the time line, in steps of int16: a quiet room, never digital silence."""


class TimelineError(ValueError):
    """The items do not fit; the text says which."""


def phrase_ids() -> list[str]:
    """The phrases that demo/speech holds."""
    return sorted(path.stem for path in SPEECH.glob("*.wav"))


def phrase_s(phrase: str) -> float:
    """How long the recording of `phrase` is, seconds; its last word ends there."""
    return len(_recording(phrase)) / RATE


def make_timeline(path: Path, items: Sequence[tuple[float, str]], seconds: float) -> Path:
    """Write a 16 kHz mono WAV of `seconds` with each (start second, phrase id). Raises TimelineError."""
    sound = np.random.default_rng(1).normal(0, ROOM_NOISE, round(seconds * RATE))
    free_from_s = 0.0
    for start_s, phrase in sorted(items):
        end_s = start_s + phrase_s(phrase)
        if start_s < free_from_s or end_s > seconds:
            raise TimelineError(f"{phrase} at {start_s} s overlaps the one before or the end ({seconds} s)")
        first = round(start_s * RATE)
        sound[first : first + len(_recording(phrase))] += _recording(phrase)
        free_from_s = end_s
    return write_wav(path, np.clip(np.round(sound), -32768, 32767).astype(np.int16))


def write_wav(path: Path, samples: Samples) -> Path:
    """`samples` (int16, 16 kHz) as a mono WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def _recording(phrase: str) -> Samples:
    if phrase not in phrase_ids():
        raise TimelineError(f"no recording of {phrase!r} in {SPEECH}; there are {', '.join(phrase_ids())}")
    return read_wav(SPEECH / f"{phrase}.wav")
