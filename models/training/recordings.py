"""Recordings of any common format, from a folder or a ZIP, as mono 16 kHz."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray
from scipy.signal import resample_poly

from gateway.voice.engine import RATE

KINDS = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus")
Sound = NDArray[np.float32]


class RecordingError(ValueError):
    """Recordings cannot be read; the text names the file and says what is allowed."""


def names(place: Path) -> list[str]:
    """Recordings under a folder or in a ZIP, by their path in it, in name order. Raises RecordingError."""
    try:
        found = _in_zip(place) if place.is_file() else _in_folder(place)
    except (OSError, zipfile.BadZipFile) as error:
        raise RecordingError(
            f"{place}: cannot be read ({error}); give a folder or a ZIP of recordings"
        ) from None
    if not found:
        raise RecordingError(f"{place}: has no recordings; allowed are {', '.join(KINDS)}")
    return sorted(found)


def _in_zip(place: Path) -> list[str]:
    with zipfile.ZipFile(place) as file:
        return [name for name in file.namelist() if name.lower().endswith(KINDS)]


def _in_folder(place: Path) -> list[str]:
    return [str(file.relative_to(place)) for file in place.rglob("*") if file.suffix.lower() in KINDS]


def read(place: Path, wanted: list[str]) -> Iterator[tuple[str, Sound]]:
    """Name and sound (mono 16 kHz, −1…1) of each of `wanted`. Raises RecordingError."""
    if place.is_file():
        with zipfile.ZipFile(place) as file:
            yield from ((name, decode(file.read(name), name)) for name in wanted)
    else:
        yield from ((name, decode((place / name).read_bytes(), name)) for name in wanted)


def decode(content: bytes, name: str) -> Sound:
    """WAV, FLAC, MP3, OGG of any rate and channels as mono 16 kHz. Raises RecordingError."""
    try:
        sound, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise RecordingError(
            f"{name}: is no readable sound ({error}); allowed are {', '.join(KINDS)}"
        ) from None
    mono = sound.mean(1)
    if rate == RATE or not len(mono):
        return np.asarray(mono, np.float32)
    common = int(np.gcd(rate, RATE))
    return np.asarray(resample_poly(mono, RATE // common, rate // common), np.float32)
