"""Shaken, badly lit, blurred pictures of a face: what a shop's camera sees, made from good ones.

Everything is drawn from one generator, so that a seed gives the same pictures. The last step is the
product's own (`standardised`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gateway.vision.smile import CROP_PX, WHITE_MAX, prepared, white_share
from models.training.smile_glasses import glasses

Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]

ROLL_DEG, ROLL_FAR_DEG, SHIFT, SHEAR, ASPECT = 4.5, 9.0, 0.035, 0.04, 0.04
"""Deviations; shift as a share of the window. The finder turns washed-out faces by up to 16 degrees."""
ZOOM = 0.88, 1.14
ZOOM_FAR, FAR_SHARE = (0.68, 1.35), 0.12  # tight and loose crops of other people's sets
ZOOM_TIGHT, TIGHT_DOWN = (0.74, 0.98), 0.09  # brow to chin, as SMILEsmileD cuts them
DARK, DARK_NOISE = (0.015, 0.2), (0.1, 0.5)
GREY = 0.114, 0.587, 0.299  # of blue, green, red
BRIGHT, BRIGHT_LITTLE = (1.9, 3.9), (1.2, 2.0)
BLUR_PX, SMEAR_PX, FEW_PX = (0.3, 3.0), (3, 10), (14, 44)
QUALITY = (12, 75)
GLASSES_SHARE = 0.2
MOUTH_FROM = 34  # rows of the crop; most occlusions end above


@dataclass(frozen=True)
class Mix:
    """Shares: of tight pictures among all; of dark and of bright ones among the badly lit."""

    tight: float
    dark: float
    bright: float


FIRST, THEN, FIRST_STEPS = Mix(0.12, 0.36, 0.46), Mix(0.24, 0.30, 0.56), 6250
"""The network is weakest on the tight and the bright: once it knows faces, it sees more of them."""

_ACROSS = np.linspace(-1, 1, CROP_PX, dtype=np.float32)


def mix_of(step: int) -> Mix:
    """What the batch of a step is drawn by."""
    return FIRST if step < FIRST_STEPS else THEN


def face(picture: Grey, window: float, down: float, rng: Generator, mix: Mix = THEN) -> Floats:
    """(64, 64, 2) of one picture with a chance of everything, prepared as for the network."""
    if rng.random() < GLASSES_SHARE:
        picture = glasses(picture, window, down, rng)
    grey = shaken(picture, window, down, rng, mix)
    kind = rng.random()
    if kind < 0.36:
        grey = mild(grey, rng)
    elif kind < 0.64:
        grey = light(grey, rng, mix)
    elif kind < 0.84:
        grey = unsharp(mild(grey, rng), rng)
    else:
        grey = light(unsharp(grey, rng), rng, mix)
    return prepared(noisy(compressed(occluded(grey, rng), rng), rng))


def plain(picture: Grey, window: float, down: float) -> Floats:
    """(64, 64) grey as the product would crop it."""
    return _warped(picture, window, down, np.eye(2), (0.0, 0.0))


def views(picture: Grey, window: float, down: float) -> Floats:
    """(3, 64, 64, 2) a good picture as it is, a little nearer and a little farther, prepared."""
    framed = ((1.0, (0.0, 0.0)), (0.92, (0.01, 0.02)), (1.06, (-0.01, -0.01)))
    turn = np.eye(2)
    return np.stack([prepared(_warped(picture, window * zoom, down, turn, at)) for zoom, at in framed])


def shaken(picture: Grey, window: float, down: float, rng: Generator, mix: Mix) -> Floats:
    """(64, 64) grey: turned, zoomed, shifted, sheared and mirrored a little."""
    angle = math.radians(rng.normal(0, ROLL_FAR_DEG if rng.random() < FAR_SHARE else ROLL_DEG))
    zoom, across, below = framed(rng, mix)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    bend = np.array([[math.exp(rng.normal(0, ASPECT)), rng.normal(0, SHEAR)], [0, 1]])
    mirror = np.diag([-1.0 if rng.random() < 0.5 else 1.0, 1.0])
    return _warped(picture, window * zoom, down, turn @ bend @ mirror, (across, below))


def framed(rng: Generator, mix: Mix) -> tuple[float, float, float]:
    """Zoom, shift across and down: as found, as others crop, or tight around the mouth."""
    kind = rng.random()
    across, below = rng.normal(0, SHIFT, 2)
    if kind < FAR_SHARE:
        return rng.uniform(*ZOOM_FAR), 2 * across, 2 * below
    if kind < FAR_SHARE + mix.tight:
        return rng.uniform(*ZOOM_TIGHT), across, TIGHT_DOWN + below
    return rng.uniform(*ZOOM), across, below


def _warped(
    picture: Grey, window: float, down: float, turn: NDArray[Any], shift: tuple[float, float]
) -> Floats:
    matrix = turn * (window / CROP_PX)
    middle = picture.shape[0] / 2 + np.array([shift[0] * window, down + shift[1] * window])
    move = np.column_stack([matrix, middle - matrix @ np.full(2, CROP_PX / 2)])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    done = cv2.warpAffine(picture, move, (CROP_PX, CROP_PX), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(done, np.float32)


def mild(grey: Floats, rng: Generator) -> Floats:
    """Another camera: gamma and exposure."""
    return _clipped(255 * np.power(grey / 255, math.exp(rng.normal(0, 0.25))) * rng.uniform(0.5, 1.25))


def light(grey: Floats, rng: Generator, mix: Mix) -> Floats:
    """Dark with few levels, over-exposed, or lit from one side."""
    kind = rng.random()
    change: Callable[[Floats, Generator], Floats] = (
        dark if kind < mix.dark else bright if kind < mix.dark + mix.bright else half_lit
    )
    return change(grey, rng)


def dark(grey: Floats, rng: Generator) -> Floats:
    """A few grey levels are left, mostly with the sensor's noise."""
    low, high = np.log(DARK)
    grey = grey * np.float32(math.exp(rng.uniform(low, high)))
    if rng.random() < 0.7:
        grey = grey + rng.standard_normal(grey.shape, np.float32) * np.float32(rng.uniform(*DARK_NOISE))
    return seen_in(grey, skin(rng))


def bright(grey: Floats, rng: Generator) -> Floats:
    """Skin runs into white."""
    factor = rng.uniform(*(BRIGHT if rng.random() < 0.75 else BRIGHT_LITTLE))
    return seen_in(grey * np.float32(factor) + np.float32(rng.uniform(0, 10)), skin(rng))


def skin(rng: Generator) -> tuple[float, float, float]:
    """How bright blue, green and red are beside grey, as in the faces of GENKI's calibration fifth."""
    blue = float(np.clip(rng.normal(0.8, 0.16), 0.4, 1.1))
    green = 0.91 + 0.2 * (blue - 0.8) + rng.normal(0, 0.05)
    return blue, green, (1 - GREY[0] * blue - GREY[1] * green) / GREY[2]


def seen_in(grey: Floats, colours: tuple[float, float, float]) -> Floats:
    """Grey of three rounded colours, each cut at white by itself: red is lost first, blue last.

    Where much is white, half of it is the least colour, as the product does (`smile.with_least`).
    """
    cut = [np.clip(np.rint(grey * np.float32(colour)), 0, 255) for colour in colours]
    seen = np.asarray(sum(share * one for share, one in zip(GREY, cut, strict=True)), np.float32)
    return (seen + np.minimum.reduce(cut)) / 2 if white_share(seen) > WHITE_MAX else seen


def half_lit(grey: Floats, rng: Generator) -> Floats:
    """A window beside the till: one half of the face in shadow."""
    angle, steep = rng.uniform(0, 2 * math.pi), rng.uniform(1.5, 9)
    ahead = _ACROSS[None] * math.cos(angle) + _ACROSS[:, None] * math.sin(angle) + rng.normal(0, 0.25)
    low = rng.uniform(0.08, 0.6)
    return _clipped(grey * (low + (1 - low) / (1 + np.exp(-ahead * steep))) * rng.uniform(0.7, 1.6))


def unsharp(grey: Floats, rng: Generator) -> Floats:
    """Out of focus, moved, or far away."""
    kind = rng.random()
    if kind < 0.55:
        return np.asarray(cv2.GaussianBlur(grey, (0, 0), rng.uniform(*BLUR_PX)), np.float32)
    return smeared(grey, rng) if kind < 0.68 else few_pixels(grey, rng)


def smeared(grey: Floats, rng: Generator) -> Floats:
    """Blurred along a line."""
    length, angle = int(rng.integers(*SMEAR_PX)), rng.uniform(0, math.pi)
    kernel, middle = np.zeros((length, length), np.float32), (length - 1) / 2
    for step in np.linspace(-middle, middle, 2 * length):
        row, column = middle + step * math.sin(angle), middle + step * math.cos(angle)
        kernel[round(row), round(column)] = 1
    return np.asarray(cv2.filter2D(grey, -1, kernel / kernel.sum()), np.float32)


def few_pixels(grey: Floats, rng: Generator) -> Floats:
    """A face of 14 to 43 pixels."""
    side = int(rng.integers(*FEW_PX))
    small = cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, grey.shape, interpolation=cv2.INTER_LINEAR), np.float32)


def compressed(grey: Floats, rng: Generator) -> Floats:
    """JPEG, sometimes."""
    if rng.random() >= 0.15:
        return grey
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*QUALITY))]
    _, data = cv2.imencode(".jpg", _clipped(grey).astype(np.uint8), quality)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32)


def noisy(grey: Floats, rng: Generator) -> Floats:
    """Sensor noise, sometimes: a share of the picture's contrast."""
    if rng.random() >= 0.18:
        return grey
    size = rng.uniform(0.02, 0.18) * max(float(grey.std()), 1)
    return grey + rng.standard_normal(grey.shape, np.float32) * np.float32(size)


def occluded(grey: Floats, rng: Generator) -> Floats:
    """A hand, a cup, a mask's edge, sometimes; the mouth mostly stays free."""
    if rng.random() >= 0.12:
        return grey
    width, height = rng.integers(8, 30, 2)
    left, top = rng.integers(0, CROP_PX - 8, 2)
    if rng.random() < 0.7 and top + height > MOUTH_FROM + 2:
        top = max(0, MOUTH_FROM - height)
    grey = grey.copy()
    grey[top : top + height, left : left + width] = rng.uniform(grey.min(), grey.max() + 1)
    return grey


def _clipped(grey: NDArray[Any]) -> Floats:
    return np.asarray(np.clip(grey, 0, 255), np.float32)
