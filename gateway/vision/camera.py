"""The camera process: looks only while it is told to watch, and publishes one reading a face and frame."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.config import Site
from gateway.device import Health, MomentDevice
from gateway.privacy import profile
from gateway.supervisor import stop_on_signals
from gateway.tflite import ModelError
from gateway.vision.capture import Capture, EndOfVideoError, VideoError
from gateway.vision.guard import BLIND, OFF, WATCHING, Guard, Stopwatch
from gateway.vision.mask import Mask
from gateway.vision.pipeline import Pipeline, load_pipeline
from gateway.vision.watch import Watch
from models.fetch import FetchError

log = logging.getLogger(__name__)

IDLE_S = 0.1
RETRY_S = (1, 2, 4, 8, 15, 30, 30, 30)  # then the process ends, and its supervisor starts a fresh one

DONE, FAILED, CANNOT = 0, 1, 2  # exit status: stopped or end of the file; try again; a person must act

Send = Callable[[str, dict[str, Any], float], bool]


class Camera:
    """The loop. Watched: `fps` readings a second. Unwatched: a lens is closed, a file plays on unseen."""

    def __init__(
        self, capture: Capture, pipeline: Pipeline, watch: Watch, send: Send, health: Health, fps: float
    ) -> None:
        self._capture, self._pipeline, self._watch = capture, pipeline, watch
        self._send, self._health = send, health
        self._period_s = 1 / fps
        self._due_s = 0.0
        self._is_open = False
        self._failures = 0
        self.stopwatch = Stopwatch()

    def lens(self) -> str:
        """What the lens does: watching, off, or blind, where it gives no picture though it should."""
        if not self._watch.is_on():
            return OFF
        return BLIND if self._failures else WATCHING

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set. Raises EndOfVideoError, and VideoError when a source stays away."""
        try:
            while not stop.is_set():
                self._turn(stop)
        finally:
            self._close()

    def _turn(self, stop: threading.Event) -> None:
        if not self._capture.is_file and not self._watch.is_on():
            self._close()
            stop.wait(IDLE_S)
        else:
            self._look(stop)
        self._health.tick(time.monotonic())

    def _look(self, stop: threading.Event) -> None:
        try:
            with self.stopwatch.running():
                self._open()
                taken_s = self._capture.grab()
            if self._watch.is_on() and self._is_due(taken_s):
                self._publish(taken_s)
            self._failures = 0
        except VideoError as error:
            self._close()
            stop.wait(self._retry_s(error))

    def _publish(self, taken_s: float) -> None:
        for face in self._pipeline.see(self._capture.image(), taken_s):
            if self._watch.is_on():
                self._send("face", face.fields(), taken_s)

    def _is_due(self, taken_s: float) -> bool:
        """Keeps to the grid of `fps` where it can, and starts a new one after a pause."""
        if taken_s < self._due_s:
            return False
        late_s = taken_s - self._due_s
        self._due_s = (self._due_s if late_s < self._period_s else taken_s) + self._period_s
        return True

    def _retry_s(self, error: VideoError) -> float:
        """Seconds to wait before the next try; raises the error when there were too many, or for a file."""
        if self._capture.is_file or self._failures >= len(RETRY_S):
            raise error
        wait_s = RETRY_S[self._failures]
        self._failures += 1
        log.warning("%s; next try in %s s", error, wait_s)
        return wait_s

    def _open(self) -> None:
        if not self._is_open:
            self._capture.open()
            self._is_open = True

    def _close(self) -> None:
        self._capture.close()
        self._is_open = False


def run_camera(site: Site, device: str, state_dir: Path) -> int:
    """The camera process of `device`; ends at the end of a file or on SIGTERM. Returns an exit status.

    0: stopped, or the file is over. 1: the source stayed away, start again. 2: a person must act.
    """
    stop = stop_on_signals()
    why_not = _why_not(site, device)
    if why_not:
        log.error("%s: %s", device, why_not)
        return CANNOT
    return _run(site, device, state_dir, stop)


def _why_not(site: Site, device: str) -> str:
    """Why this camera must not or cannot run, in words; empty when it may."""
    if device not in site.cameras:
        return f"site.toml has no [cameras.{device}]; give its source there"
    why_off = profile(site).why_off
    return f"the camera stays off: {why_off}" if why_off else ""


def _run(site: Site, device: str, state_dir: Path, stop: threading.Event) -> int:
    capture = Capture(site.cameras[device].source, loop=site.cameras[device].loop)
    try:
        _serve(site, device, capture, state_dir, stop)
    except EndOfVideoError:
        log.info("%s: the video is over", device)
    except (FetchError, ModelError, VideoError) as error:
        log.error("%s: %s", device, error)
        return FAILED if _may_pass(error, capture) else CANNOT
    return DONE


def _may_pass(error: Exception, capture: Capture) -> bool:
    """True for a network or a lens that may come back by itself; not for a file that is missing."""
    return isinstance(error, FetchError) or (isinstance(error, VideoError) and not capture.is_file)


def _serve(site: Site, device: str, capture: Capture, state_dir: Path, stop: threading.Event) -> None:
    """Wires the process: models first, so that a file starts to play only when it can be read."""
    pipeline, watch = load_pipeline(Mask(site.cameras[device].mask)), Watch()
    moments = MomentDevice(site.broker.address(), site.site, device, state_dir, watch.command)
    health = Health(moments.send, lambda: {"dropped": moments.dropped})
    camera = Camera(capture, pipeline, watch, moments.send, health, site.cameras[device].fps)
    guard = Guard(camera.lens, camera.stopwatch, lambda lens: moments.tell({"lens": lens}))
    moments.start()
    threading.Thread(target=guard.run, args=(stop,), daemon=True).start()
    try:
        camera.run(stop)
    finally:
        moments.stop()
