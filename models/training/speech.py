"""Synthetic speech by installed voices with a free licence: RHVoice, flite, festival and espeak-ng."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.signal import resample_poly

from gateway.voice.engine import RATE

Sound = NDArray[np.floating[Any]]
PROGRAMS = {"rhvoice": "RHVoice-test", "flite": "flite", "festival": "text2wave", "espeak": "espeak-ng"}
RHVOICES = {"en": ("bdl", "clb", "slt"), "ru": ("aleksandr", "aleksandr-hq", "anna", "elena", "irina")}
FLITES = ("kal16", "awb", "rms", "slt")
FESTIVALS = ("kal_diphone", "ked_diphone")
ACCENTS = {
    "en": ("en-us", "en-us", "en-gb", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-029"),
    "ru": ("ru",),
}
# fmt: off
VARIANTS = (
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "Andy", "Annie", "Alex",
    "Alicia", "Andrea", "Gene", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Mike", "adam", "anika",
    "antonio", "aunty", "belinda", "benjamin", "boris", "caleb", "david", "ed", "edward", "grandma",
    "grandpa", "iven", "john", "linda", "max", "michel", "miguel", "norbert", "pablo", "paul", "pedro",
    "quincy", "rob", "robert", "sandro", "shelby", "steph", "steph2", "travis", "victor", "zac", "klatt",
    "klatt4",
)
# fmt: on
PACKAGES = {
    "en": "espeak-ng flite festival festvox-kallpc16k festvox-kdlpc16k rhvoice rhvoice-english",
    "ru": "espeak-ng rhvoice rhvoice-russian",
}
VOICE_FOLDERS = ("/usr/share/RHVoice/voices", "/usr/local/share/RHVoice/voices")
SHARES = {"rhvoice": 10, "flite": 4, "festival": 2, "espeak": 1}
"""How much a voice of each program counts: natural ones teach most."""


class SpeechError(RuntimeError):
    """No voice, an unknown language or a failed program; the text says what to install or give."""


@dataclass(frozen=True)
class Voice:
    """A speaker: program, its voice and language."""

    program: str
    name: str
    language: str

    @property
    def speaker(self) -> str:
        """Program and voice without espeak's variant."""
        return f"{self.program}-{self.name.partition('+')[0]}"


@dataclass(frozen=True)
class Saying:
    """One text by one voice; rate and pitch in per cent, `words` those of each word, if any."""

    text: str
    voice: Voice
    rate: int = 100
    pitch: int = 100
    words: tuple[tuple[int, int], ...] = ()


def installed(language: str) -> list[Voice]:
    """Every installed voice of `language`. Raises SpeechError for an unknown language or without any."""
    if language not in RHVOICES:
        raise SpeechError(f"language {language!r} is not known; allowed are {', '.join(sorted(RHVOICES))}")
    found = [*_rhvoices(language), *_flites(language), *_festivals(language), *_espeaks(language)]
    if not found:
        raise SpeechError(f"no voice is installed; run `sudo apt install {PACKAGES[language]}`")
    return found


def named(name: str, language: str, others: Sequence[str] = ()) -> Voice:
    """The voice "program:name", the program one of PROGRAMS or `others`.

    Raises SpeechError also for an RHVoice voice that is not installed: the program would take another.
    """
    program, _, voice = name.partition(":")
    programs = [*PROGRAMS, *others]
    if program not in programs or not voice:
        raise SpeechError(f"{name!r} is no voice; give program:name, the program {', '.join(programs)}")
    if program == "rhvoice" and not any(Path(folder, voice).is_dir() for folder in VOICE_FOLDERS):
        raise SpeechError(f"the voice {name} is not installed; run `sudo apt install {PACKAGES[language]}`")
    return Voice(program, voice, language)


def advice(language: str, voices: Sequence[Voice]) -> str:
    """What to install for better heads; empty when all programs are there."""
    missing = [name for name in _programs(language) if not any(v.program == name for v in voices)]
    if not missing:
        return ""
    return (
        f"voices missing: {', '.join(missing)}; natural voices decide the quality. For the best run "
        f"`sudo apt install {PACKAGES[language]}` (rhvoice-* are in Debian's non-free)"
    )


def _programs(language: str) -> tuple[str, ...]:
    return tuple(PROGRAMS) if language == "en" else ("rhvoice", "espeak")


def _rhvoices(language: str) -> Iterator[Voice]:
    if shutil.which(PROGRAMS["rhvoice"]):
        for name in RHVOICES[language]:
            if any(Path(folder, name).is_dir() for folder in VOICE_FOLDERS):
                yield Voice("rhvoice", name, language)


def _flites(language: str) -> Iterator[Voice]:
    if language == "en" and shutil.which(PROGRAMS["flite"]):
        yield from (Voice("flite", name, language) for name in FLITES)


def _festivals(language: str) -> Iterator[Voice]:
    if language == "en" and shutil.which(PROGRAMS["festival"]):
        folder = Path("/usr/share/festival/voices/english")
        yield from (Voice("festival", name, language) for name in FESTIVALS if (folder / name).is_dir())


def _espeaks(language: str) -> Iterator[Voice]:
    if shutil.which(PROGRAMS["espeak"]):
        for number, variant in enumerate(VARIANTS):
            accents = ACCENTS[language]
            yield Voice("espeak", f"{accents[number % len(accents)]}+{variant}", language)


def draw(voices: Sequence[Voice], rng: Generator) -> Voice:
    """A voice by the shares of the programs: within a program all are as likely."""
    weight = np.array([SHARES[voice.program] for voice in voices], float)
    return voices[int(rng.choice(len(voices), p=weight / weight.sum()))]


def saying(text: str, voice: Voice, rng: Generator) -> Saying:
    """`text` at a random pace and pitch; RHVoice also stresses words at random."""
    rate, pitch = int(np.clip(rng.normal(100, 16), 65, 145)), int(np.clip(rng.normal(100, 15), 70, 140))
    words: tuple[tuple[int, int], ...] = ()
    if voice.program == "rhvoice" and rng.random() < 0.5:
        words = tuple((int(rng.integers(75, 130)), int(rng.integers(82, 122))) for _ in text.split())
    return Saying(text, voice, rate, pitch, words)


def say(what: Saying, cache: Path) -> Sound:
    """Mono 16 kHz, −1…1, silence at both ends cut. Kept in `cache`."""
    name = hashlib.sha256(repr(what).encode()).hexdigest()[:24]
    file = cache / name[:2] / f"{name}.npy"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        made = file.with_suffix(f".{os.getpid()}.tmp.npy")
        np.save(made, (trim(speak(what)) * 32767).astype(np.int16))
        made.replace(file)
    kept: NDArray[np.int16] = np.load(file)
    return kept.astype(np.float32) / 32768


def speak(what: Saying) -> Sound:
    """The program's sound as it is. Raises SpeechError."""
    with tempfile.TemporaryDirectory(prefix="emobox-say-") as folder:
        out = Path(folder) / "out.wav"
        given = _marked(what) if what.words else what.text
        done = subprocess.run(_command(what, out), input=given.encode(), capture_output=True, timeout=120)
        if done.returncode or not out.exists():
            reason = done.stderr.decode(errors="replace")[-200:]
            raise SpeechError(f"{what.voice.program} {what.voice.name} failed: {reason}")
        return read_sound(out.read_bytes())


def _marked(what: Saying) -> str:
    """SSML with a pace and a pitch for each word."""
    words = zip(what.text.split(), what.words, strict=True)
    marked = (f'<prosody rate="{r}%" pitch="{p}%">{escape(word)}</prosody>' for word, (r, p) in words)
    return f'<speak xml:lang="{what.voice.language}">{" ".join(marked)}</speak>'


def _command(what: Saying, out: Path) -> list[str]:
    voice, stretch = what.voice.name, f"{100 / what.rate:.3f}"
    match what.voice.program:
        case "espeak":
            speed = ["-s", str(what.rate * 165 // 100), "-p", str(min(99, what.pitch // 2))]
            return ["espeak-ng", "-v", voice, *speed, "-w", str(out), "--stdin"]
        case "flite":
            tone = (f"f0_shift={what.pitch / 100}", f"duration_stretch={stretch}")
            options = [part for value in tone for part in ("--setf", value)]
            return ["flite", "-voice", voice, *options, "-t", what.text, str(out)]
        case "festival":
            lisp = f"(begin (voice_{voice}) (Parameter.set 'Duration_Stretch {stretch}))"
            return ["text2wave", "-eval", lisp, "-o", str(out)]
    tone = ("-r", str(what.rate), "-t", str(what.pitch), *(("-s",) if what.words else ()))
    return ["RHVoice-test", "-p", voice, *tone, "-o", str(out)]


def read_sound(content: bytes) -> Sound:
    """A mono 16-bit WAV of any rate as mono 16 kHz, −1…1."""
    with wave.open(io.BytesIO(content)) as file:
        rate = file.getframerate()
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    return resample(sound, rate, RATE)


def resample(sound: Sound, rate: int, wanted: int) -> Sound:
    """`sound` at `wanted` Hz."""
    common = gcd(rate, wanted)
    if rate == wanted or not len(sound):
        return np.asarray(sound, np.float32)
    return np.asarray(resample_poly(sound, wanted // common, rate // common), np.float32)


def trim(sound: Sound, floor: float = 0.02) -> Sound:
    """`sound` between its first and last 10 ms that reach `floor` of the loudest 10 ms."""
    step = RATE // 100
    pieces = sound[: len(sound) // step * step].reshape(-1, step)
    if not len(pieces):
        return sound
    level = np.sqrt((pieces**2).mean(1))
    loud = np.flatnonzero(level >= floor * level.max())
    return sound[loud[0] * step : (loud[-1] + 1) * step]
