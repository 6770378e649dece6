"""Faces in sunglasses and spectacles, drawn: few of those that the smile network learns from wear any.

The place of the eyes is the mean of 396 faces as the finder cuts them (GENKI's calibration fifth).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Floats = NDArray[np.float32]

EYES, EYES_DOWN, OFF = (0.31, 0.69), 0.315, 0.015
"""Across and down, and a deviation of both; these and all sizes as shares of the window."""
HALF_WIDTH, HALF_HEIGHT, FRAME = (0.11, 0.19), (0.075, 0.14), (0.008, 0.03)
DARK_SHARE, DARK, CLEAR = 0.65, (0.75, 1.0), (0.0, 0.25)
"""How many are sunglasses, and how much of the face the lenses hide."""
FRAME_HIDES = 0.4, 1.0
SHADE_MAX, GLARE_MAX = 0.5, 128.0  # of the picture's mean; grey levels at the top of it


class Drawn(NamedTuple):
    """(h, w) from 0 to 1."""

    lenses: Floats
    frame: Floats


def glasses(picture: Grey, window: float, down: float, rng: Generator) -> Grey:
    """The levelled face, the product's crop of which is `window` px, in glasses of chance."""
    lenses, frame = _drawn(picture.shape, window, down, rng)
    hides = rng.uniform(*(DARK if rng.random() < DARK_SHARE else CLEAR))
    cover = np.maximum(lenses * hides, frame * rng.uniform(*FRAME_HIDES))
    sky = np.linspace(rng.uniform(0, GLARE_MAX) * rng.random(), 0, len(picture))[:, None]
    shown = rng.uniform(0, SHADE_MAX) * picture.mean() + sky * lenses
    return np.asarray(np.clip(picture + cover * (shown - picture), 0, 255), np.uint8)


def _drawn(shape: tuple[int, ...], window: float, down: float, rng: Generator) -> Drawn:
    lenses, frame = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    corner = np.array([shape[1], shape[0]]) / 2 + (0, down) - window / 2
    off = rng.normal(0, OFF * window, 2)
    half = window * np.array([rng.uniform(*HALF_WIDTH), rng.uniform(*HALF_HEIGHT)])
    thick = max(1, round(rng.uniform(*FRAME) * window))
    right, left = (corner + off + window * np.array([x, EYES_DOWN]) for x in EYES)
    for eye in (right, left):
        oval = eye.tolist(), (2 * half).tolist(), 0.0
        cv2.ellipse(lenses, oval, 255, cv2.FILLED, cv2.LINE_AA)
        cv2.ellipse(frame, oval, 255, thick, cv2.LINE_AA)
    height, edges = round(right[1]), (0, right[0] - half[0], right[0] + half[0], left[0] - half[0])
    for begin, end in (edges[:2], edges[2:], (left[0] + half[0], shape[1])):
        cv2.line(frame, (round(begin), height), (round(end), height), 255, thick, cv2.LINE_AA)
    return Drawn(*(np.asarray(canvas / 255, np.float32) for canvas in (lenses, frame)))
