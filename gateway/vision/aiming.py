"""The installer looks through a camera for a while: numbers and a silhouette, never the picture."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gateway.config import Site
from gateway.privacy import why_no_aim
from gateway.vision.aim import ROWS, Check, Limits, Look, checks, look_at, silhouette, summary
from gateway.vision.capture import Capture, EndOfVideoError
from gateway.vision.faces import Image
from gateway.vision.mask import Mask
from gateway.vision.pipeline import Pipeline, load_pipeline

LATEST = 25  # looks; five seconds


class AimError(Exception):
    """Nobody may or can look now; the text says what to do next."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One look: of the largest face, what is good and what is not, and where faces are."""

    look: Look | None
    checks: Sequence[Check]
    silhouette: Sequence[str]

    def fields(self) -> dict[str, Any]:
        """For the page: the same as JSON."""
        return {
            "ok": all(check.ok for check in self.checks),
            "checks": [asdict(check) for check in self.checks],
            "silhouette": list(self.silhouette),
        }


def chosen(site: Site, device: str | None) -> str:
    """The camera to aim: the named one, or the only one. AimError also says why nobody may look."""
    if device is None and len(site.cameras) == 1:
        device = next(iter(site.cameras))
    if device not in site.cameras:
        known = ", ".join(site.cameras) or "none: add a [cameras.<device>] table to site.toml"
        raise AimError(f"name a camera of site.toml; known here: {known}")
    why_not = why_no_aim(site)
    if why_not:
        raise AimError(f"{device} stays off: {why_not}")
    return device


def sights(site: Site, device: str, seconds: float, pipeline: Pipeline | None = None) -> Iterator[Sight]:
    """What `device` sees for `seconds`, some looks a second; the lens is closed afterwards.

    Raises VideoError, FetchError, ModelError; ends at the end of a file.
    """
    source = site.cameras[device]
    pipeline = pipeline or load_pipeline(Mask(source.mask))
    capture = Capture(source.source, loop=source.loop)
    capture.open()
    try:
        yield from _looks(capture, pipeline, limits_of(site), 1 / source.fps, time.monotonic() + seconds)
    except EndOfVideoError:
        return
    finally:
        capture.close()


def limits_of(site: Site) -> Limits:
    """The shop's limits of a valid reading."""
    return Limits(site.defaults.face_px_min, site.defaults.face_yaw_max)


def _looks(
    capture: Capture, pipeline: Pipeline, limits: Limits, period_s: float, end_s: float
) -> Iterator[Sight]:
    due_s = 0.0
    while time.monotonic() < end_s:
        taken_s = capture.grab()
        if taken_s >= due_s:
            due_s = taken_s + period_s
            yield see(capture.image(), taken_s, pipeline, limits)


def see(image: Image, time_s: float, pipeline: Pipeline, limits: Limits) -> Sight:
    """The sight of one BGR frame."""
    faces = pipeline.find(image, time_s)
    look = look_at(image, faces[0].detection, faces[0].yaw) if faces else None
    height, width = image.shape[:2]
    shape = silhouette([face.detection.box for face in faces], width, height)
    return Sight(look, checks(look, limits), shape)


class Verdict:
    """The latest five seconds as one answer."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._looks: deque[Look | None] = deque(maxlen=LATEST)

    def add(self, sight: Sight) -> None:
        """One more look."""
        self._looks.append(sight.look)

    def report(self) -> dict[str, Any]:
        """See aim.summary."""
        return summary(list(self._looks), self._limits)


def panel(sight: Sight) -> list[str]:
    """For a terminal, always as many lines: the silhouette, and beside it what is good or not."""
    beside = [line(check) for check in sight.checks]
    beside += [""] * (ROWS - len(beside))
    return [f"  {row}   {text}" for row, text in zip(sight.silhouette, beside, strict=True)]


def line(check: Check) -> str:
    """One check for a person."""
    sign, value = ("✓", "") if check.ok else ("✕", f" – {check.hint}")
    return f"{sign} {check.name} {check.value:g}{value}"
