"""Frames of a camera, a file or an address; the only user of OpenCV's VideoCapture. Nothing is written."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # its messages would show an address with its password

import cv2
import numpy as np

from gateway.address import without_login
from gateway.vision.faces import Image

OPEN_TIMEOUT_MS = 10_000
READ_TIMEOUT_MS = 10_000

cv2.setNumThreads(1)  # the shop's Pi also runs the hub
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class VideoError(Exception):
    """A source cannot be opened or has stopped; the text says what to do next."""


class EndOfVideoError(Exception):
    """The file has been played to its end."""


class Capture:
    """One source of frames; `paced`: a file is played at its own speed, else as fast as asked for.

    Use: open(), then grab() and, for the frames of interest, image(); close() at the end.
    """

    def __init__(
        self,
        source: int | str,
        *,
        paced: bool = True,
        loop: bool = False,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.source = as_source(source)
        self._paced = paced
        self._loop = loop
        self._now = now
        self._sleep = sleep
        self._video: Any = None
        self._started_s = 0.0
        self._last_s = 0.0

    @property
    def is_file(self) -> bool:
        """True for a file, which plays on whether or not somebody looks; a FIFO is no file."""
        live = isinstance(self.source, int) or "://" in self.source or self.source.startswith("/dev/")
        return not live and not Path(str(self.source)).is_fifo()

    def open(self) -> None:
        """Opens the source; a file starts at its first frame. Raises VideoError."""
        if self.is_file and not Path(str(self.source)).is_file():
            raise VideoError(f"video file {self.source} is missing; check the path")
        self._video = _open(self.source)
        if not self._video.isOpened():
            raise VideoError(_cannot_open(self.source, self.is_file))
        self._started_s = self._now() if self._paced else 0.0

    def close(self) -> None:
        """Releases the lens or file; may be called twice."""
        if self._video is not None:
            self._video.release()
            self._video = None

    def grab(self) -> float:
        """Waits for the next frame and returns when it was taken, in seconds.

        Cameras, addresses and paced files: monotonic time. Other files: time since the file's start.
        Raises EndOfVideoError, VideoError.
        """
        if self._video.grab():
            return self._file_time() if self.is_file else self._now()
        if not self.is_file:
            raise VideoError(f"no picture from {shown(self.source)} any more; check cable and power")
        self._rewind()
        return self.grab()

    def image(self) -> Image:
        """The frame last grabbed, (height, width, 3) BGR. Raises VideoError."""
        try:
            good, frame = self._video.retrieve()
        except cv2.error:  # a frame that is none
            good, frame = False, None
        if not good:
            raise VideoError(f"a frame of {shown(self.source)} cannot be decoded")
        return np.asarray(frame, np.uint8)

    def _file_time(self) -> float:
        self._last_s = self._started_s + self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self._paced:
            self._sleep(max(0.0, self._last_s - self._now()))
        return self._last_s

    def _rewind(self) -> None:
        """From the top again, the clock running on; a file without a single frame ends even when looped."""
        if not self._loop or self._last_s <= self._started_s:
            raise EndOfVideoError
        self._video.release()
        self._video = _open(self.source)
        self._started_s = self._last_s + 1 / max(1.0, self._video.get(cv2.CAP_PROP_FPS))


def as_source(text: int | str) -> int | str:
    """A camera's index when it is a number, else the text."""
    return int(text) if isinstance(text, str) and text.isdecimal() else text


def shown(source: int | str) -> str:
    """The source as a person may read it: without name and password of an address."""
    return f"camera {source}" if isinstance(source, int) else without_login(source)


def _open(source: int | str) -> Any:
    if isinstance(source, int) or source.startswith("/dev/"):
        return cv2.VideoCapture(source, cv2.CAP_V4L2)
    limits = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        OPEN_TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        READ_TIMEOUT_MS,
    ]
    return cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)


def _cannot_open(source: int | str, is_file: bool) -> str:
    if is_file:
        return f"{source} is no video that can be read; try an MP4 file"
    if isinstance(source, int) or source.startswith("/dev/"):
        return f"{shown(source)} does not answer; check the cable, and that no other program uses it"
    return f"{shown(source)} does not answer; check address, name and password, and the network"
