"""What vision finds in a frame: plain values, in pixels of that frame (x right, y down)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (height, width, 3), BGR
Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """An upright rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> Point:
        """The middle of the box."""
        return self.x + self.width / 2, self.y + self.height / 2

    def overlap(self, other: "Box") -> float:
        """Intersection over union, 0…1."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        inner = max(0.0, width) * max(0.0, height)
        union = self.width * self.height + other.width * other.height - inner
        return inner / union if union > 0 else 0.0


@dataclass(frozen=True)
class Keypoints:
    """The detector's six points; right and left are the person's own."""

    right_eye: Point
    left_eye: Point
    nose: Point
    mouth: Point
    right_ear: Point
    left_ear: Point


@dataclass(frozen=True)
class Detection:
    """A face as the detector sees it; `score` is 0…1."""

    box: Box
    keypoints: Keypoints
    score: float


@dataclass(frozen=True)
class Face:
    """One reading of one face: the fields of a `face` event (spec 2)."""

    track: int
    smile: float
    px: int
    yaw: float
    ok: bool
    emotion: dict[str, float] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """The reading as JSON fields, rounded to what the measurement can bear."""
        return {
            "track": self.track,
            "smile": round(self.smile, 3),
            "px": self.px,
            "yaw": round(self.yaw, 1),
            "ok": self.ok,
            "emotion": {name: round(p, 3) for name, p in self.emotion.items()},
        }
