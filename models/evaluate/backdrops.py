"""Scenes of 640x480 without anybody: what a till's camera sees when no customer stands there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.video import EMPTY, HEIGHT, WIDTH
from gateway.vision.faces import Image
from gateway.vision.report import sampled
from models import fetch

CARTOONS = (("video_cartoon", 0.0), ("video_man", 2.6))  # and when (s) the last person is gone
SHAPES = 14

Scene = Callable[[int], Iterator[Image]]


def scenes(pictures: Sequence[Path] = ()) -> dict[str, Scene]:
    """Endless scenes by name; each takes a seed and gives frames at 5 a second."""
    made: tuple[Scene, ...] = (_wall, _night, _cartoon, _shapes, _noise, _drawn)
    found = {scene.__name__.removeprefix("_"): scene for scene in made}
    return found | ({"pictures": lambda seed: _pan(seed, pictures)} if pictures else {})


def backdrops(number: int, seed: int, pictures: Sequence[Path] = ()) -> Iterator[Image]:
    """`number` single frames, the scenes in turn, each frame a different one."""
    running = [scene(seed) for scene in scenes(pictures).values()]
    return (next(running[n % len(running)]) for n in range(number))


def _wall(seed: int) -> Iterator[Image]:
    """The wall of a fetched video, its light changing slowly, with a sensor's noise."""
    media, span, (x, y, width, height) = EMPTY
    wall = next(im[y : y + height, x : x + width] for t, im in sampled(fetch.path(media), 5) if t >= span[0])
    large, rng = _fit(wall), np.random.default_rng(seed)
    for n in count():
        light = 0.55 + 0.45 * np.sin(n / 40)
        yield _bytes(large * light + rng.normal(0, 4, large.shape))


def _night(seed: int) -> Iterator[Image]:
    """The same wall when the shop is closed: little light, much noise."""
    rng = np.random.default_rng(seed)
    for wall in _wall(seed):
        yield _bytes(wall * 0.04 + rng.normal(1, 2, wall.shape))


def _cartoon(seed: int) -> Iterator[Image]:
    """Drawn faces and letters that move, over and over: larger, smaller, mirrored, darker."""
    frames = [im for media, start in CARTOONS for t, im in sampled(fetch.path(media), 15) if t >= start]
    rng = np.random.default_rng(seed)
    for n in count():
        image = _fit(frames[n % len(frames)])
        turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), rng.uniform(-8, 8), rng.uniform(0.6, 1.5))
        image = np.asarray(cv2.warpAffine(image, turn, (WIDTH, HEIGHT)), np.uint8)
        yield _bytes((image[:, ::-1] if rng.random() < 0.5 else image) * rng.uniform(0.4, 1.1))


def _shapes(seed: int) -> Iterator[Image]:
    """Boxes and ovals of all colours that drift about."""
    rng = np.random.default_rng(seed)
    for _ in count():
        yield from _drift(rng, (0, 2))


def _drawn(seed: int) -> Iterator[Image]:
    """The same with discs that have two eyes: drawn faces, the hardest of all."""
    rng = np.random.default_rng(seed)
    for _ in count():
        yield from _drift(rng, (0, 1, 2))


def _drift(rng: np.random.Generator, kinds: Sequence[int]) -> Iterator[Image]:
    """One arrangement, for 8 seconds."""
    places, sizes = rng.uniform(0, 1, (SHAPES, 2)), rng.uniform(15, 120, SHAPES)
    speeds, colours = rng.normal(0, 0.02, (SHAPES, 2)), rng.integers(30, 230, (SHAPES, 3))
    ground = rng.integers(40, 200, 3)
    for _ in range(40):
        image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        image[:] = ground
        places = (places + speeds) % 1
        for place, size, colour, kind in zip(places, sizes, colours, range(SHAPES), strict=True):
            _shape(image, place * (WIDTH, HEIGHT), size, [int(c) for c in colour], kinds[kind % len(kinds)])
        yield image


def _shape(image: Image, place: NDArray[np.float64], size: float, colour: Sequence[int], kind: int) -> None:
    x, y, r = int(place[0]), int(place[1]), int(size)
    if kind == 0:
        cv2.rectangle(image, (x - r, y - r // 2), (x + r, y + r // 2), colour, -1)
        return
    cv2.ellipse(image, (x, y), (r, r + kind * r // 4), 0, 0, 360, colour, -1)
    if kind == 1:  # two dots and no more: what a hasty look takes for a face
        for side in (-1, 1):
            cv2.circle(image, (x + side * r // 3, y - r // 4), max(1, r // 9), (20, 20, 20), -1)


def _noise(seed: int) -> Iterator[Image]:
    """Coloured clouds of every grain."""
    rng = np.random.default_rng(seed)
    for n in count():
        cells = 2 ** (1 + n % 7)
        clouds = rng.integers(0, 256, (3 * cells, 4 * cells, 3)).astype(np.uint8)
        yield np.asarray(cv2.resize(clouds, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def _pan(seed: int, pictures: Sequence[Path]) -> Iterator[Image]:
    """A slow walk over photographs that show nobody, 40 frames each."""
    rng = np.random.default_rng(seed)
    for n in count():
        image = _fit(np.asarray(cv2.imread(str(pictures[n % len(pictures)])), np.uint8))
        for step in islice(count(), 40):
            zoom, x, y = 1 + step / 40, rng.uniform(0.4, 0.6) * WIDTH, rng.uniform(0.4, 0.6) * HEIGHT
            turn = cv2.getRotationMatrix2D((x, y), 0, zoom)
            yield np.asarray(cv2.warpAffine(image, turn, (WIDTH, HEIGHT)), np.uint8)


def _fit(image: Image) -> Image:
    return np.asarray(cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def _bytes(image: NDArray[Any]) -> Image:
    return np.asarray(np.clip(image, 0, 255), np.uint8)
