"""Short labelled clips of one customer at a till, 5 frames a second: real faces of the package media, and
still faces that are moved a little (a head is never still), with a sensor's noise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.video import HEIGHT, WIDTH
from gateway.vision.detector import Detector
from gateway.vision.faces import Detection, Image
from gateway.vision.presence import AGAIN, LandmarkModel
from gateway.vision.report import sampled
from models import fetch
from models.evaluate.scenes import Head

FPS = 5
FRAMES = 20
FACE_PX = 140
SHIFT_PX, ZOOM, TURN_DEG, NOISE = 4.0, 0.02, 2.0, 3.0  # standard deviations from frame to frame
WALL = 150
HEAD_REACH = 0.8  # of the face's width to each side: who stands beside is another customer
STRETCHES = (  # of the media: what the person does in them is on their card (models/manifest.toml)
    ("video_woman", 1.3, 5.2, False),
    ("video_woman", 5.3, 9.2, False),
    ("video_man", 0.0, 0.5, False),
    ("video_woman", 12.5, 16.4, True),
    ("video_woman", 16.4, 19.6, True),
    ("video_man", 0.85, 2.2, True),
)


@dataclass(frozen=True)
class Clip:
    """One contact: its frames, and whether the person smiles."""

    name: str
    frames: Sequence[Image]
    smiles: bool


def media_clips(detector: Detector) -> Iterator[Clip]:
    """The stretches, to and fro where they are short, and the five smiling people of the group as stills."""
    for media, start, end, smiles in STRETCHES:
        images = [image for t, image in sampled(fetch.path(media), FPS * 2) if start <= t < end]
        order = [*images, *images[-2:0:-1]]
        yield Clip(f"{media} {start:g} s", list(islice(cycle(order), FRAMES)), smiles)
    group = np.asarray(cv2.imread(str(fetch.path("photo_group"))), np.uint8)
    for n, face in enumerate(detector.find(group)):
        yield Clip(f"photo_group {n}", moved(Head(group, face.box), f"group {n}"), True)


def still_clips(
    pictures: Iterable[tuple[str, Image, bool]], detector: Detector, look: LandmarkModel
) -> Iterator[Clip | str]:
    """A clip of each photograph with one face; the name alone where no face is found to be moved."""
    for name, image, smiles in pictures:
        faces = detector.find(image)
        if faces:
            face = largest(image, faces, look)
            yield Clip(name, moved(Head(image, face.box), name), smiles)
        else:
            yield name


def largest(image: Image, faces: Sequence[Detection], look: LandmarkModel) -> Detection:
    """The largest that a second look takes for a face; if there is none, of all."""
    real = [face for face in faces if len(faces) > 1 and look.glance(image, face).presence >= AGAIN]
    return max(real or faces, key=lambda face: face.box.width)


def moved(head: Head, name: str) -> list[Image]:
    """The head alone, its face 140 px wide, in 20 frames of 640x480; the name seeds how it moves."""
    rng = np.random.default_rng(crc32(name.encode()))
    alone, (mx, my) = _alone(head), head.box.center
    frames = []
    for _ in range(FRAMES):
        scale = FACE_PX / head.box.width * (1 + rng.normal(0, ZOOM))
        turn = cv2.getRotationMatrix2D((mx, my), rng.normal(0, TURN_DEG), scale)
        turn = turn + np.array([[0, 0, WIDTH / 2 - mx], [0, 0, HEIGHT / 2 - my]])
        turn[:, 2] += rng.normal(0, SHIFT_PX, 2)
        picture = cv2.warpAffine(alone, turn, (WIDTH, HEIGHT), borderValue=(WALL, WALL, WALL))
        grain = np.roll(_grain(), tuple(rng.integers(0, 400, 2)), axis=(0, 1))
        frames.append(np.asarray(np.clip(picture.astype(np.int16) + grain, 0, 255), np.uint8))
    return frames


@cache
def _grain() -> NDArray[np.int16]:
    """A sensor's noise, (480, 640, 3)."""
    noise = np.random.default_rng(0).normal(0, NOISE, (HEIGHT, WIDTH, 3))
    return noise.round().astype(np.int16)


def _alone(head: Head) -> Image:
    """The photograph with a wall in place of all that is further off than the head's own width."""
    (mx, my), reach = head.box.center, HEAD_REACH * head.box.width
    image = np.full_like(head.image, WALL)
    rows = slice(max(0, round(my - 1.2 * reach)), round(my + 1.2 * reach))
    columns = slice(max(0, round(mx - reach)), round(mx + reach))
    image[rows, columns] = head.image[rows, columns]
    return image
