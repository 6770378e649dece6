"""The picture that the smile model sees: a square around the face, levelled by the eyes."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.faces import Detection, Image

MARGIN = 1.1  # of the box (measured best for fer: components, Vision)


def level_crop(image: Image, face: Detection, side_px: int) -> NDArray[np.uint8]:
    """(side, side) grey crop of 1.1 x the face box, turned so that the eyes are level."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    size = MARGIN * max(face.box.width, face.box.height)
    factor = max(1, int(size / side_px))
    large = cv2.warpAffine(
        grey,
        _turn(face, side_px * factor, size),
        (side_px * factor, side_px * factor),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    small: Any = cv2.resize(large, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def eye_angle(face: Detection) -> float:
    """Roll in radians: the slope of the line from the right eye to the left eye in the picture."""
    (rx, ry), (lx, ly) = face.keypoints.right_eye, face.keypoints.left_eye
    return math.atan2(ly - ry, lx - rx)


def _turn(face: Detection, side_px: int, size: float) -> NDArray[np.float64]:
    """The 2x3 matrix that moves the levelled square onto (side, side) pixels."""
    angle, scale = eye_angle(face), side_px / size
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
    x, y = face.box.center
    half = side_px / 2
    return np.array([[cos, sin, half - cos * x - sin * y], [-sin, cos, half + sin * x - cos * y]])
