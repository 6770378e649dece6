"""Dark pictures made fit for the models: they know well-lit faces only."""

from __future__ import annotations

import cv2
import numpy as np

from gateway.vision.faces import Image

RANGE_ENOUGH = 128  # of 255: what reaches from dark to light as far as this stays as it is
RANGE_AIM = 200
GAIN_MAX = 64.0
GAIN_COARSE = 4.0  # from here on the steps between two values would look like edges
SMOOTH_PX = 1.2
EVERY = 4  # pixels are enough to judge the light by


def brightened(picture: Image) -> Image:
    """The same BGR picture, its values spread where they lie close together; a new array only then.

    The 1st and 99th percentile of the largest channel count. At strong gains the picture is smoothed before.
    """
    low, high = np.percentile(picture[::EVERY, ::EVERY].max(axis=2), (1, 99))
    if high - low >= RANGE_ENOUGH or high <= 0:
        return picture
    gain = min(GAIN_MAX, RANGE_AIM / max(1.0, high - low))
    values = picture.astype(np.float32)
    smooth = cv2.GaussianBlur(values, (0, 0), SMOOTH_PX) if gain > GAIN_COARSE else values
    return np.asarray(np.clip((smooth - low) * gain, 0, 255), np.uint8)
