"""Reads a source in a thread into a bounded queue; puts a monotonic time on every frame."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np

from gateway.voice.audio import FRAME_BYTES, Source
from gateway.voice.engine import FRAME, FRAME_S, RATE, Samples

log = logging.getLogger(__name__)

QUEUE_FRAMES = 25
RETRY_FIRST_S = 1.0
RETRY_LONGEST_S = 30.0
DRIFT = 0.0005
"""A card's clock may run this much slower than the computer's (and any amount faster)."""


@dataclass(frozen=True)
class Frame:
    """80 ms of sound: 1280 samples of int16 from absolute sample `start`; `end_s` on the monotonic clock."""

    start: int
    samples: Samples
    end_s: float


class Capture:
    """Frames of a source. A live one that nobody reads in time loses frames (counted); others wait.

    A live source that ends is opened again, with a growing wait; others end once.
    """

    def __init__(self, open_source: Callable[[], Source]) -> None:
        self.dropped = 0
        self.restarts = 0
        self.started_s = 0.0
        self._ended = threading.Event()
        self._open_source = open_source
        self._queue: queue.Queue[Frame] = queue.Queue(QUEUE_FRAMES)
        self._stopping = threading.Event()
        self._next_sample = 0

    def start(self) -> None:
        """Open the source (AudioError when that cannot work) and read on."""
        self._open()
        self.started_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the source; the child of a live one is gone afterwards."""
        self._stopping.set()
        self.close_source()
        if self._source.live:
            self._thread.join(timeout=5)

    def take(self, timeout_s: float) -> Frame | None:
        """The next frame, None when there is none within `timeout_s`."""
        try:
            return self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None

    @property
    def is_over(self) -> bool:
        """The source has ended for good and every frame was taken."""
        return self._ended.is_set() and self._queue.empty()

    @property
    def is_live(self) -> bool:
        """A card, which should give sound all the time."""
        return self._source.live

    @property
    def mute_s(self) -> float:
        """Seconds since the source last gave any sound."""
        return time.monotonic() - self._read_at_s

    def close_source(self) -> None:
        """Close what is open; a live source is opened again by the thread."""
        self._source.close()

    def _open(self) -> None:
        self._read_at_s = time.monotonic()
        self._source = self._open_source()

    def _run(self) -> None:
        wait_s = 0.0
        while True:
            heard = self._read_all(self._source)
            wait_s = RETRY_FIRST_S if heard else min(max(2 * wait_s, RETRY_FIRST_S), RETRY_LONGEST_S)
            if not self._source.live or self._stopping.wait(wait_s):
                break
            self._reopen(wait_s)
        self._ended.set()

    def _read_all(self, source: Source) -> int:
        """Read the source to its end; how many frames it gave."""
        count, offset_s = 0, inf
        while not self._stopping.is_set() and len(data := source.read()) == FRAME_BYTES:
            offset_s = self._accept(data, offset_s, source.live)
            count += 1
        source.close()
        return count

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

    def _reopen(self, waited_s: float) -> None:
        """Open a live source again; the gap in the samples tells the reader that sound is missing."""
        log.warning("the microphone gives no sound; opening it again")
        self.restarts += 1
        self._next_sample += max(1, round(waited_s / FRAME_S)) * FRAME
        self._open()
