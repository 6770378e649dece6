"""Where sound comes from: a card (arecord as a child), a WAV file or a raw pipe; all 16 kHz, mono, 16 bit."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from gateway.voice.engine import FRAME, RATE, Samples

FRAME_BYTES = FRAME * 2


class AudioError(Exception):
    """The sound cannot be had; the text says what to do next."""


class Source(Protocol):
    """One opened stream, used by Capture's thread; `close` may be called from another one to end a `read`."""

    live: bool
    """Sound that is lost when it is not read in time (a card); other sources wait."""

    def read(self) -> bytes:
        """The next 2560 bytes; fewer at the end."""

    def close(self) -> None:
        """Let go of the device, the file or the child; also ends a blocked `read` of a card."""


class WavSource:
    """A WAV file at real speed, over and over when `loop`."""

    live = False

    def __init__(self, path: Path, loop: bool) -> None:
        self._sound = read_wav(path).tobytes()
        self._loop = loop
        self._at = 0
        self._began_s: float | None = None

    def read(self) -> bytes:
        """The next 80 ms, not before they would have been heard."""
        if self._began_s is None:
            self._began_s = time.monotonic()
        data = self._cut()
        self._at += FRAME_BYTES
        time.sleep(max(0.0, self._began_s + self._at / 2 / RATE - time.monotonic()))
        return data

    def _cut(self) -> bytes:
        start = self._at % _padded(len(self._sound)) if self._loop else self._at
        data = self._sound[start : start + FRAME_BYTES]
        return data.ljust(FRAME_BYTES, b"\0") if data else b""

    def close(self) -> None:
        """Nothing to let go of."""


class PipeSource:
    """Raw s16le from a pipe, as fast as it comes."""

    live = False

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe

    def read(self) -> bytes:
        """The next 80 ms."""
        return self._pipe.read(FRAME_BYTES)

    def close(self) -> None:
        """The pipe is its giver's; a blocked read ends when the writer closes it."""


class FifoSource:
    """Raw s16le from a FIFO; opened at the first read, which waits for a writer."""

    live = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pipe: BinaryIO | None = None
        if not os.access(path, os.R_OK):
            raise AudioError(f"{path}: may not be read; give the FIFO to the user of this program")

    def read(self) -> bytes:
        """The next 80 ms."""
        if self._pipe is None:
            self._pipe = self._path.open("rb")
        return self._pipe.read(FRAME_BYTES)

    def close(self) -> None:
        """Nothing: a blocked read ends when the writer closes it."""


class CardSource:
    """A sound card through `arecord`; the child goes when the source is closed."""

    live = True

    def __init__(self, card: str) -> None:
        form = ["-r", str(RATE), "-c", "1", "-f", "S16_LE", "-t", "raw"]
        try:
            self._child = subprocess.Popen(["arecord", "-q", "-D", card, *form], stdout=subprocess.PIPE)
        except FileNotFoundError:
            raise AudioError("arecord is not installed; run `sudo apt install alsa-utils`") from None

    def read(self) -> bytes:
        """The next 80 ms; fewer when the child has ended."""
        return self._child.stdout.read(FRAME_BYTES) if self._child.stdout else b""

    def close(self) -> None:
        """Kill the child and reap it."""
        self._child.kill()
        self._child.wait()


def opener(source: str, loop: bool = False) -> Callable[[], Source]:
    """How to open `source`: `-`, a WAV file, a FIFO with raw sound, or else the name of an ALSA card."""
    path = Path(source)
    if source == "-":
        return lambda: PipeSource(sys.stdin.buffer)
    if path.is_fifo():
        return lambda: FifoSource(path)
    if path.is_file() or path.suffix.lower() == ".wav":
        return lambda: WavSource(path, loop)
    return lambda: CardSource(source)


def read_wav(path: Path) -> Samples:
    """All samples of a 16 kHz mono 16-bit WAV. Raises AudioError."""
    try:
        with wave.open(str(path)) as file:
            form = (file.getframerate(), file.getnchannels(), file.getsampwidth() * 8)
            data = file.readframes(file.getnframes())
    except OSError as error:
        raise AudioError(f"{path}: cannot be read ({error.strerror}); give the path of a WAV file") from None
    except (wave.Error, EOFError) as error:
        raise AudioError(f"{path}: is no plain WAV file ({error or 'too short'}); {_convert(path)}") from None
    if form != (RATE, 1, 16):
        raise AudioError(f"{path}: has {form[0]} Hz, {form[1]} channel(s), {form[2]} bit; {_convert(path)}")
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2")


def _convert(path: Path) -> str:
    return f"make one with `ffmpeg -i {path} -ar {RATE} -ac 1 -c:a pcm_s16le heard.wav`"


def _padded(length: int) -> int:
    return max(1, -(-length // FRAME_BYTES)) * FRAME_BYTES


def frames_of(samples: Samples) -> Iterator[Samples]:
    """`samples` in frames of 1280, the last one filled up with silence."""
    whole = np.pad(samples, (0, -len(samples) % FRAME))
    yield from whole.reshape(-1, FRAME)
