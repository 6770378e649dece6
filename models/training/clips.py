"""The training set as embeddings: synthetic phrases, near misses and talk, and real speech as negatives."""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from tqdm import tqdm

from gateway.voice.engine import EMBEDDING, FRAME, RATE, Features
from models.training import augment, speech
from models.training.augment import Scene
from models.training.speech import Sound, SpeechError, Voice

TEXTS = Path(__file__).with_name("texts_en.toml")
FOLDS = 3
NEAR_VOICES = 16
TALK_VOICES = 6
NEGATED_VOICES = 40
REAL_ARCHIVES = ("librispeech_train.zip", "commonvoice_other_languages.zip")
# A person speaks in one fold only, whatever program speaks for them (flite-slt and rhvoice-slt are one).
SPEAKER_FOLDS = {
    **dict.fromkeys(("rhvoice-clb", "flite-awb", "espeak-en-gb-scotland", "espeak-en-029"), 0),
    **dict.fromkeys(
        ("rhvoice-bdl", "flite-kal16", "festival-kal_diphone", "espeak-en-us", "espeak-en-us-nyc"), 1
    ),
    **dict.fromkeys(("rhvoice-slt", "flite-slt", "flite-rms", "festival-ked_diphone"), 2),
    **dict.fromkeys(("espeak-en-gb", "espeak-en-gb-x-rp", "espeak-en-gb-x-gbclan"), 2),
}
LOUD_VOICES = {"rhvoice": 3, "flite": 2, "festival": 2, "espeak": 1}
"""Noisy copies of a phrase by program: natural voices count for more."""


@dataclass(frozen=True)
class Clip:
    """Embeddings (n, 96) of one scene; `kind` is a phrase id, `near`, `talk` or `real`."""

    kind: str
    speaker: str
    fold: int
    clean: bool
    text: str
    end_s: float | None
    embeddings: NDArray[np.float32]


@dataclass(frozen=True)
class Line:
    """One text to be spoken by one voice."""

    kind: str
    text: str
    voice: Voice


def texts() -> dict[str, dict[str, object]]:
    """texts_en.toml's phrases by id."""
    return dict(tomllib.loads(TEXTS.read_text("utf-8"))["phrases"])


def lines(rng: Generator) -> list[Line]:
    """What is spoken: each phrase by every voice, near misses and talk by a random few."""
    table, voices = tomllib.loads(TEXTS.read_text("utf-8")), speech.all_voices()
    out = [Line(name, text, v) for name, p in table["phrases"].items() for text in p["texts"] for v in voices]
    for kind, count in (("near", NEAR_VOICES), ("talk", TALK_VOICES)):
        for text in table[kind]["texts"]:
            out += [Line(kind, text, voice) for voice in _some_voices(voices, count, rng)]
    return out


def negated_lines(rng: Generator) -> list[Line]:
    """Answers turned round by a "not", as near misses; by many voices."""
    table, voices = tomllib.loads(TEXTS.read_text("utf-8")), speech.all_voices()
    texts = table["negated"]["texts"]
    return [
        Line("near", text, voice) for text in texts for voice in _some_voices(voices, NEGATED_VOICES, rng)
    ]


def _some_voices(voices: Sequence[Voice], count: int, rng: Generator) -> list[Voice]:
    """`count` voices; programs with natural voices are as likely as espeak with its many."""
    weight = np.array([{"rhvoice": 3.0, "flite": 2.0, "festival": 2.0}.get(v.program, 0.6) for v in voices])
    chosen = rng.choice(len(voices), count, replace=False, p=weight / weight.sum())
    return [voices[int(i)] for i in chosen]


def real_speech(folder: Path | None) -> dict[str, Sound]:
    """The recordings under `folder` by name, read with ffmpeg; nothing without a folder."""
    out: dict[str, Sound] = {}
    for archive in REAL_ARCHIVES if folder else ():
        with zipfile.ZipFile(Path(str(folder)) / archive) as file:
            names = sorted(name for name in file.namelist() if name.endswith((".flac", ".mp3")))
            for name in tqdm(names, desc=archive, unit="clip"):
                out[name] = decode(file.read(name))
    return out


def decode(content: bytes) -> Sound:
    """Any sound file that ffmpeg reads, as mono 16 kHz, −1…1. Raises SpeechError."""
    command = ["ffmpeg", "-v", "error", "-i", "-", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-"]
    done = subprocess.run(command, input=content, capture_output=True)
    if done.returncode:
        raise SpeechError(f"ffmpeg cannot read a recording: {done.stderr.decode(errors='replace')[-200:]}")
    return np.frombuffer(done.stdout, "<i2").astype(np.float32) / 32768


def build(real: dict[str, Sound], cache: Path, rng: Generator) -> list[Clip]:
    """All clips of the set, with progress; about 15 minutes on one core."""
    features, spoken = Features(), lines(rng)
    sounds = _say_all(spoken, cache)
    talk = [sound for line, sound in zip(spoken, sounds, strict=True) if line.kind == "talk"]
    others = [*talk, *real.values()]
    out = list(_spoken_clips(spoken, sounds, others, features, rng))
    for name, sound in tqdm(real.items(), desc="embed real", unit="clip"):
        out += _real_clips(name, sound, others, features, rng)
    negated = negated_lines(rng)
    return [*out, *_spoken_clips(negated, _say_all(negated, cache), others, features, rng)]


def _say_all(spoken: Sequence[Line], cache: Path) -> list[Sound]:
    return [speech.say(line.text, line.voice, cache) for line in tqdm(spoken, desc="speak", unit="clip")]


def _spoken_clips(
    spoken: Sequence[Line],
    sounds: Sequence[Sound],
    others: Sequence[Sound],
    features: Features,
    rng: Generator,
) -> Iterator[Clip]:
    for line, sound in tqdm(list(zip(spoken, sounds, strict=True)), desc="embed", unit="clip"):
        yield from (_clip(line, clean, scene, features) for clean, scene in _scenes(line, sound, others, rng))


def _scenes(line: Line, sound: Sound, talk: Sequence[Sound], rng: Generator) -> Iterator[tuple[bool, Scene]]:
    yield True, augment.clean_scene(sound, rng)
    for _ in range(1 if line.kind in ("near", "talk") else LOUD_VOICES[line.voice.program]):
        yield False, augment.scene(sound, talk, rng)


def _clip(line: Line, clean: bool, scene: Scene, features: Features) -> Clip:
    end_s = None if line.kind in ("near", "talk") else scene.end_s
    fold = SPEAKER_FOLDS[line.voice.speaker]
    return Clip(line.kind, line.voice.speaker, fold, clean, line.text, end_s, embed(scene.sound, features))


def _real_clips(
    name: str, sound: Sound, talk: Sequence[Sound], features: Features, rng: Generator
) -> Iterator[Clip]:
    person = name.split("-")[0]
    fold = int(hashlib.sha256(person.encode()).hexdigest(), 16) % FOLDS
    for clean, piece in ((True, sound), (False, augment.in_shop(augment.resized(sound, rng), talk, rng))):
        yield Clip("real", person, fold, clean, name, None, embed(piece, features))


def embed(sound: Sound, features: Features) -> NDArray[np.float32]:
    """Embeddings (n, 96) of the whole frames of `sound`, by the gateway's own streaming code."""
    features.reset()
    samples = np.clip(sound * 32768, -32768, 32767).astype(np.int16)
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return (
        np.stack([features.push(frame) for frame in frames])
        if len(frames)
        else np.zeros((0, EMBEDDING), np.float32)
    )
