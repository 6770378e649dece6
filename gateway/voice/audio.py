"""Where sound comes from: a card (arecord as a child), a WAV file or a raw pipe; all 16 kHz, mono, 16 bit."""

from __future__ import annotations

import logging
import queue
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from gateway.voice.engine import FRAME, FRAME_S, RATE, Samples

log = logging.getLogger(__name__)

FRAME_BYTES = FRAME * 2
QUEUE_FRAMES = 25
DRIFT = 0.0005
"""A card's clock may run this much slower than the computer's (and any amount faster)."""
RETRY_S = (1.0, 30.0)


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


@dataclass(frozen=True)
class Frame:
    """80 ms of sound: 1280 samples of int16 from absolute sample `start`; `end_s` on the monotonic clock."""

    start: int
    samples: Samples
    end_s: float


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
        return lambda: PipeSource(path.open("rb"))
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


class Capture:
    """Reads a source in a thread into a bounded queue. Sound that nobody takes in time is dropped and counted.

    Live sources are opened again when they end, with a growing wait; others end once.
    """

    def __init__(self, open_source: Callable[[], Source]) -> None:
        self.dropped = 0
        self.restarts = 0
        self.ended = threading.Event()
        self._open_source = open_source
        self._queue: queue.Queue[Frame] = queue.Queue(QUEUE_FRAMES)
        self._stopping = threading.Event()
        self._source: Source | None = None
        self._next_sample = 0
        self._read_at_s = 0.0
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)

    def start(self) -> None:
        """Open the source (AudioError when that cannot work) and read on."""
        self._source = self._open_source()
        self._read_at_s = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Close the source; a live one is gone afterwards."""
        self._stopping.set()
        self.close_source()
        if self._source and self._source.live:
            self._thread.join(timeout=5)

    def take(self, timeout_s: float) -> Frame | None:
        """The next frame, None when there is none within `timeout_s`."""
        try:
            return self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None

    @property
    def mute_s(self) -> float:
        """Seconds since the source last gave any sound."""
        return time.monotonic() - self._read_at_s

    def close_source(self) -> None:
        """Close what is open; the thread opens a live source again."""
        if self._source:
            self._source.close()

    def _run(self) -> None:
        wait_s = RETRY_S[0]
        while self._read_all() and not self._stopping.wait(wait_s):
            wait_s = self._reopen(wait_s)
        self.ended.set()

    def _read_all(self) -> bool:
        """Read the open source to its end; whether to open it again."""
        source = self._source
        if source is None:
            return True
        offset_s = inf
        while len(data := source.read()) == FRAME_BYTES and not self._stopping.is_set():
            offset_s = self._accept(data, offset_s, source.live)
        source.close()
        return source.live and not self._stopping.is_set()

    def _accept(self, data: bytes, offset_s: float, live: bool) -> float:
        """Queue a frame; returns when sample 0 was heard: the earliest guess, as reads are only ever late."""
        self._read_at_s = time.monotonic()
        start, self._next_sample = self._next_sample, self._next_sample + FRAME
        offset_s = min(offset_s + DRIFT * FRAME_S, self._read_at_s - self._next_sample / RATE)
        frame = Frame(start, np.frombuffer(data, "<i2"), offset_s + self._next_sample / RATE)
        self._put(frame, live)
        return offset_s

    def _put(self, frame: Frame, live: bool) -> None:
        while not self._stopping.is_set():
            try:
                return self._queue.put(frame, timeout=0 if live else 0.2)
            except queue.Full:
                if live:
                    self.dropped += 1
                    return None
        return None

    def _reopen(self, wait_s: float) -> float:
        """Open the source again after a gap in the sound; returns the next wait."""
        log.warning("the microphone gives no sound; opening it again")
        self.restarts += 1
        self._next_sample += FRAME
        heard_before_s = self._read_at_s
        self._source = self._open_source()
        self._read_at_s = time.monotonic()
        return RETRY_S[0] if self._read_at_s - heard_before_s < 2 * wait_s else min(2 * wait_s, RETRY_S[1])
