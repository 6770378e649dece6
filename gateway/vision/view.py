"""What a model is shown of a frame: all of it, or the surroundings of one face."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.faces import Box, Image

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """The model's pixels are the frame's times `scale`, plus (`dx`, `dy`); the model sees `side` x `side`."""

    side: int
    scale: float
    dx: float
    dy: float

    def to_frame(self, points: Floats) -> Floats:
        """(…, 2) points of the model's picture as points of the frame."""
        return (points - (self.dx, self.dy)) / self.scale

    def cut(self, image: Image) -> Image:
        """(side, side, 3) of the frame; black where the view lies outside of it."""
        part, move = self._part(image)
        part, move = _halved(part, move, self.scale)
        square = cv2.warpAffine(part, move, (self.side, self.side), flags=cv2.INTER_LINEAR)
        return np.asarray(square, np.uint8)

    def _part(self, image: Image) -> tuple[Image, Floats]:
        """The part of the frame that is in view, and the 2x3 matrix from it to the model's picture."""
        height, width = image.shape[:2]
        left, right = _span(self.dx, self.side, self.scale, width)
        top, bottom = _span(self.dy, self.side, self.scale, height)
        dx, dy = self.dx + left * self.scale, self.dy + top * self.scale
        return image[top:bottom, left:right], np.array([[self.scale, 0, dx], [0, self.scale, dy]])


def whole(image: Image, side: int) -> View:
    """The frame in the middle, as large as it fits."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    return View(side, scale, (side - width * scale) / 2, (side - height * scale) / 2)


def around(box: Box, times: float, side: int) -> View:
    """A square of `times` the box's width, the box in its middle."""
    scale = side / (times * box.width)
    x, y = box.center
    return View(side, scale, side / 2 - x * scale, side / 2 - y * scale)


def _span(shift: float, side: int, scale: float, length: int) -> tuple[int, int]:
    """First and last pixel (excluded) of `length` that are in view along one axis; one at least."""
    start = min(max(0, floor(-shift / scale)), length - 1)
    return start, max(start + 1, min(length, ceil((side - shift) / scale)))


def _halved(image: Image, move: Floats, scale: float) -> tuple[Image, Floats]:
    """The picture halved as often as the scale asks for: warpAffine alone would skip pixels."""
    while scale <= 0.5 and min(image.shape[:2]) >= 2:
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        move = move * ((2, 2, 1), (2, 2, 1))
        scale *= 2
    return image, move
