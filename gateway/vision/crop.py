"""The pictures that the models see: a square around the face, levelled by the eyes."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.faces import Detection, Image
from gateway.vision.light import least

LARGE_MAX = 4  # a face near the lens: 256 px are enough of it


def level_crop(image: Image, face: Detection, side_px: int, margin: float) -> Image:
    """(side, side, 3) BGR square of `margin` x the face box, turned so that the eyes are level."""
    size = margin * max(face.box.width, face.box.height)
    large_px = side_px * max(1, int(size / side_px / 2))  # else a large face would lose too many pixels
    square = (large_px, large_px)
    turn = _turn(face, large_px, size)
    large = cv2.warpAffine(image, turn, square, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(large, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def close_up(image: Image, face: Detection, side_px: int, margin: float) -> Image:
    """The same square, not yet made smaller: a whole multiple of side_px a side, 4 x at most."""
    size = margin * max(face.box.width, face.box.height)
    large_px = side_px * min(LARGE_MAX, max(1, math.ceil(size / side_px - 0.5)))
    turn = _turn(face, large_px, size)
    large = cv2.warpAffine(
        image, turn, (large_px, large_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(large, np.uint8)


def smaller_grey(image: Image, side_px: int) -> NDArray[np.float32]:
    """(side, side) grey, 0…255, of a BGR picture, not rounded: a dark face has few levels to lose."""
    return _smaller(cv2.cvtColor(image.astype(np.float32), cv2.COLOR_BGR2GRAY), side_px)


def smaller_least(image: Image, side_px: int) -> NDArray[np.float32]:
    """(side, side) of each pixel's least colour: white skin loses red first, and blue last."""
    return _smaller(least(image).astype(np.float32), side_px)


def _smaller(grey: NDArray[Any], side_px: int) -> NDArray[np.float32]:
    way = cv2.INTER_AREA if min(grey.shape) > side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (side_px, side_px), interpolation=way), np.float32)


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
