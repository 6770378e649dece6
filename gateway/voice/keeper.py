"""Keeps a clip of sound when the hub asks for one; only made where gateway/privacy.py allows it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from gateway.clips import About, ClipError, Clips
from gateway.voice.capture import Frame
from gateway.voice.ring import Ring

log = logging.getLogger(__name__)

REACH_S = 120.0
"""So much sound is in memory: the hub knows of a spike when the customer's window is over."""
LONGEST_S = 60.0
PENDING_MAX = 20
REASONS = ("spike", "question")


@dataclass(frozen=True, slots=True)
class Wish:
    """A stretch of sound that is wanted; monotonic times."""

    reason: str
    from_s: float
    to_s: float


class Keeper:
    """The ring of one microphone and the clips cut from it; `command` comes from the bus's thread."""

    def __init__(
        self, clips: Clips, device: str, point: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._clips, self._device, self._point, self._now = clips, device, point, now
        self._ring = Ring(REACH_S)
        self._lock = threading.Lock()
        self._wishes: list[Wish] = []
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="clips")
        self.kept = self.failed = 0

    def command(self, command: dict[str, object]) -> None:
        """Obeys {"v":1,"command":"watch","clip":{"reason","from_ms","to_ms"}}: ms ago, to_ms also later."""
        clip = command.get("clip")
        if command.get("command") != "watch" or command.get("v") != 1 or not isinstance(clip, dict):
            return
        reason, from_ms, to_ms = clip.get("reason"), clip.get("from_ms"), clip.get("to_ms")
        if reason not in REASONS or not _is_int(from_ms) or not _is_int(to_ms):
            log.warning("ignored a wish for a clip that is not understood")
            return
        now_s, from_s, to_s = self._now(), float(str(from_ms)) / 1000, float(str(to_ms)) / 1000
        if not 0 < from_s - to_s <= LONGEST_S or from_s > REACH_S or to_s < -LONGEST_S:
            log.warning("ignored a wish for a clip that is too long, or too long ago")
            return
        with self._lock:
            self._wishes = [*self._wishes, Wish(str(reason), now_s - from_s, now_s - to_s)][-PENDING_MAX:]

    def push(self, frame: Frame) -> None:
        """Take a frame; clips whose last moment it brought are written, by a thread of their own."""
        self._ring.push(frame.start, frame.samples, frame.end_s)
        for wish in self._due(frame.end_s):
            self._write(wish)

    def close(self) -> None:
        """Write what is asked for, as far as it was heard, and wait until it is on the disk."""
        for wish in self._due(float("inf")):
            self._write(wish)
        self._writer.shutdown()

    def figures(self) -> dict[str, object]:
        """For `health`."""
        return {"clips_kept": self.kept, "clips_failed": self.failed}

    def _due(self, end_s: float) -> list[Wish]:
        with self._lock:
            due = [wish for wish in self._wishes if wish.to_s <= end_s]
            self._wishes = [wish for wish in self._wishes if wish.to_s > end_s]
        return due

    def _write(self, wish: Wish) -> None:
        sound, start_s = self._ring.cut(wish.from_s, wish.to_s)
        if not len(sound):
            return
        start = round((time.time() - (time.monotonic() - start_s)) * 1000)
        about = About(self._device, self._point, wish.reason, start, start + len(sound) // 16)
        done = self._writer.submit(self._clips.keep, about, sound.astype("<i2").tobytes())
        done.add_done_callback(partial(self._count, about))

    def _count(self, about: About, done: Future[object]) -> None:
        error = done.exception()
        if error is None:
            self.kept += 1
            log.info("kept a clip of %s (%s)", about.point, about.reason)
        elif isinstance(error, OSError | ClipError):
            self.failed += 1
            log.error("a clip could not be kept: %s", error)
        else:
            raise error


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
