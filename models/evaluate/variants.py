"""Deterministic degradations of a BGR picture (8 bit in, 8 bit out): the hardships of a shop, by constants.

They act on the picture as given, before the detector: a face that is not found any more counts as undetected.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from gateway.vision.faces import Image

DARK = 0.03
BLUR_SIGMA_PX = 2.2
OVEREXPOSED = 3.0
SIDE_DARKEST = 0.15
SMALL = 3
JPEG_QUALITY = 20


def dark(image: Image) -> Image:
    """Every value x 0.03, rounded to 8 bits: at most 8 of 255."""
    return _rounded(image * np.float32(DARK))


def blur(image: Image) -> Image:
    """Gaussian blur, sigma 2.2 px of the picture as given."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), BLUR_SIGMA_PX), np.uint8)


def overexposed(image: Image) -> Image:
    """Every value x 3, clipped at 255."""
    return _rounded(image * np.float32(OVEREXPOSED))


def side(image: Image) -> Image:
    """Light from the left: x 1 at the left edge of the picture, falling evenly to x 0.15 at the right."""
    ramp = np.linspace(1, SIDE_DARKEST, image.shape[1], dtype=np.float32)
    return _rounded(image * ramp[None, :, None])


def small(image: Image) -> Image:
    """A third of the width and height (area mean), and left that small: a customer far from the lens."""
    height, width = (max(1, round(n / SMALL)) for n in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def jpeg(image: Image) -> Image:
    """JPEG of quality 20 (of 100), as cheap cameras send it."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _rounded(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Image:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


VARIANTS: dict[str, Callable[[Image], Image]] = {
    "dark": dark,
    "blur": blur,
    "overexposed": overexposed,
    "side": side,
    "small": small,
    "jpeg": jpeg,
}
