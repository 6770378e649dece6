"""Synthetic speech by voices with a free licence: espeak-ng, flite, festival and RHVoice (bdl, clb, slt)."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from gateway.voice.engine import RATE

Sound = NDArray[np.floating[Any]]
PROGRAMS = {"espeak": "espeak-ng", "flite": "flite", "festival": "text2wave", "rhvoice": "RHVoice-test"}
PACKAGES = "espeak-ng flite festival festvox-kallpc16k festvox-kdlpc16k rhvoice rhvoice-english"
ESPEAK_ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029", "en-us-nyc")
ESPEAK_VARIANTS = ("m1", "m3", "m5", "m7", "f1", "f2", "f4", "f5", "Andy", "Annie", "linda", "steph2")


class SpeechError(RuntimeError):
    """A synthesiser is missing or failed; the text says what to install."""


@dataclass(frozen=True)
class Voice:
    """One way to speak: program, its voice, rate and pitch in per cent of the voice's own."""

    program: str
    name: str
    rate: int = 100
    pitch: int = 100

    @property
    def speaker(self) -> str:
        """Who speaks, whatever the rate and pitch; folds are split by this."""
        return f"{self.program}-{self.name.partition('+')[0]}"


def require_programs() -> None:
    """Raises SpeechError that names what is not installed."""
    missing = [program for program in PROGRAMS.values() if shutil.which(program) is None]
    if missing:
        raise SpeechError(
            f"not installed: {', '.join(missing)}; run `apt install {PACKAGES}` (needs non-free)"
        )


def all_voices() -> list[Voice]:
    """Every voice, rate and pitch, in a fixed order."""
    return [*_rhvoices(), *_flites(), *_festivals(), *_espeaks()]


def _rhvoices() -> Iterator[Voice]:
    for name in ("bdl", "clb", "slt"):
        for rate in (75, 90, 100, 115, 130):
            for pitch in (80, 92, 104, 118):
                yield Voice("rhvoice", name, rate, pitch)


def _flites() -> Iterator[Voice]:
    for name in ("kal16", "awb", "rms", "slt"):
        for rate in (78, 90, 105, 125):
            for pitch in (85, 100, 118):
                yield Voice("flite", name, rate, pitch)


def _festivals() -> Iterator[Voice]:
    for name in ("kal_diphone", "ked_diphone"):
        for rate in (80, 95, 115):
            yield Voice("festival", name, rate)


def _espeaks() -> Iterator[Voice]:
    for number, accent in enumerate(ESPEAK_ACCENTS):
        for step, variant in enumerate(ESPEAK_VARIANTS):
            yield Voice(
                "espeak", f"{accent}+{variant}", (80, 95, 110)[(number + step) % 3], (80, 100, 125)[step % 3]
            )


def say(text: str, voice: Voice, cache: Path) -> Sound:
    """`text` spoken by `voice`: mono 16 kHz, −1…1, silence at both ends cut. Kept in `cache`."""
    name = hashlib.sha256(f"{text}|{voice}".encode()).hexdigest()[:24]
    file = cache / f"{name}.npy"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.save(file, (trim(_speak(text, voice)) * 32767).astype(np.int16))
    kept: NDArray[np.int16] = np.load(file)
    return kept.astype(np.float32) / 32768


def _speak(text: str, voice: Voice) -> Sound:
    with tempfile.TemporaryDirectory(prefix="emobox-say-") as folder:
        out = Path(folder) / "out.wav"
        done = subprocess.run(
            _command(text, voice, out), input=text.encode(), capture_output=True, timeout=60
        )
        if done.returncode or not out.exists():
            raise SpeechError(
                f"{voice.program} {voice.name} failed: {done.stderr.decode(errors='replace')[-200:]}"
            )
        return read_sound(out.read_bytes())


def _command(text: str, voice: Voice, out: Path) -> list[str]:
    stretch, pitch = f"{100 / voice.rate:.3f}", voice.pitch
    match voice.program:
        case "espeak":
            speed = ["-s", str(voice.rate * 165 // 100), "-p", str(min(99, pitch // 2))]
            return ["espeak-ng", "-v", voice.name, *speed, "-w", str(out), text]
        case "flite":
            tone = ["--setf", f"f0_shift={pitch / 100}", "--setf", f"int_f0_target_mean={95 * pitch // 100}"]
            return [
                "flite",
                "-voice",
                voice.name,
                "--setf",
                f"duration_stretch={stretch}",
                *tone,
                "-t",
                text,
                str(out),
            ]
        case "festival":
            lisp = f"(begin (voice_{voice.name}) (Parameter.set 'Duration_Stretch {stretch}))"
            return ["text2wave", "-eval", lisp, "-o", str(out)]
    return ["RHVoice-test", "-p", voice.name, "-r", str(voice.rate), "-t", str(pitch), "-o", str(out)]


def read_sound(content: bytes) -> Sound:
    """A mono 16-bit WAV of any rate as mono 16 kHz, −1…1."""
    with wave.open(io.BytesIO(content)) as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    return resample(sound, rate, RATE)


def resample(sound: Sound, rate: int, wanted: int) -> Sound:
    """`sound` at `wanted` Hz."""
    common = gcd(rate, wanted)
    return np.asarray(resample_poly(sound, wanted // common, rate // common), np.float32)


def trim(sound: Sound, floor: float = 0.02) -> Sound:
    """`sound` between its first and last 10 ms that reach `floor` of the loudest 10 ms."""
    step = RATE // 100
    pieces = sound[: len(sound) // step * step].reshape(-1, step)
    level = np.sqrt((pieces**2).mean(1))
    loud = np.flatnonzero(level >= floor * level.max())
    return sound[loud[0] * step : (loud[-1] + 1) * step]
