"""The camera process: looks only while it is told to watch, and publishes one reading a face and frame."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from gateway.config import Site
from gateway.device import MomentDevice
from gateway.tflite import ModelError
from gateway.vision.capture import Capture, EndOfVideo, VideoError
from gateway.vision.pipeline import Pipeline, load_pipeline
from models.fetch import FetchError

log = logging.getLogger(__name__)

WATCH_MAX_MS = 600_000  # a lost "lens off" must not leave the lens on for the day
HEALTH_S = 60.0
IDLE_S = 0.25
RETRY_S = (1, 2, 4, 8, 15, 30, 30, 30)  # then the process ends, and its supervisor starts a fresh one

OK, FAILED, CANNOT = 0, 1, 2  # exit status: end of the file or stopped; try again; needs a person

Send = Callable[[str, dict[str, Any], float], bool]


class Eyes(Protocol):
    """What the loop needs of a source: gateway.vision.capture.Capture."""

    is_file: bool

    def open(self) -> None: ...
    def grab(self) -> float: ...
    def image(self) -> Any: ...
    def close(self) -> None: ...


class Watch:
    """Until when the lens may be used; set from the bus's thread."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until_s = 0.0

    def is_on(self) -> bool:
        """True while an ask is open."""
        return self._now() < self._until_s

    def command(self, command: dict[str, object]) -> None:
        """Obeys {"v":1,"command":"watch","for_ms":N}; the newest one holds, 0 is lens off; the rest is ignored."""
        for_ms = command.get("for_ms")
        if command.get("command") != "watch" or command.get("v") != 1:
            return
        if not isinstance(for_ms, int) or isinstance(for_ms, bool) or for_ms < 0:
            log.warning("ignored a watch command whose for_ms is no whole number of milliseconds")
            return
        self._until_s = self._now() + min(for_ms, WATCH_MAX_MS) / 1000


class Camera:
    """The loop: watched, it reads `fps` frames a second; unwatched, a lens is closed and a file plays on unseen."""

    def __init__(self, capture: Capture, pipeline: Pipeline, watch: Watch, send: Send, fps: float) -> None:
        self._capture, self._pipeline, self._watch, self._send = capture, pipeline, watch, send
        self._period_s = 1 / fps
        self._due_s = 0.0
        self._is_open = False
