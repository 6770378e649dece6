"""The demo's customers: real faces, smiling, neutral or absent on a schedule.

Composed from published videos of two people (fetched, never committed). A row of segments without an `empty`
one between shows one person; the next person comes after it and stands elsewhere in the picture.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from gateway.vision.faces import Image
from gateway.vision.report import sampled
from models import fetch

WIDTH, HEIGHT = 640, 480

Kind = Literal["smile", "neutral", "empty"]
Clip = list[Image]


@dataclass(frozen=True)
class Segment:
    """What the camera sees for a while."""

    kind: Kind
    seconds: float


@dataclass(frozen=True)
class Person:
    """A fetched video, when in it (s) the person smiles or is neutral, and what to cut off (px of 480)."""

    media: str
    smile_s: tuple[float, float]
    neutral_s: tuple[float, float]
    left_px: int


PEOPLE = (
    Person("video_woman", smile_s=(12.7, 16.3), neutral_s=(1.3, 2.2), left_px=120),
    Person("video_man", smile_s=(0.85, 2.2), neutral_s=(0.0, 0.5), left_px=213),
)
EMPTY = ("video_woman", (0.0, 1.0), (0, 0, 200, 150))  # the wall beside the person: x, y, width, height


def make_video(path: Path, schedule: Sequence[Segment], fps: int = 15) -> Path:
    """Writes the schedule as a 640x480 MP4 and returns its path. Raises fetch.FetchError, OSError."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise OSError(f"cannot write {path}; check that its folder exists and may be written")
    try:
        for image in _frames(schedule, fps):
            writer.write(image)
    finally:
        writer.release()
    return path


def _frames(schedule: Sequence[Segment], fps: int) -> Iterator[Image]:
    """Every frame of the schedule; segments end by the running time, so that rounding never adds up."""
    clips, people, time_s, shown = _Clips(fps), _people(schedule), 0.0, 0
    for segment, person in zip(schedule, people, strict=True):
        time_s += segment.seconds
        count = round(time_s * fps) - shown
        shown += count
        yield from _to_and_fro(clips.of(segment.kind, person), count)


def _people(schedule: Sequence[Segment]) -> list[Person]:
    """Who is seen in each segment: another person after each empty one."""
    people, turn = [], 0
    for before, segment in zip((None, *schedule), schedule, strict=False):
        turn += before is not None and before.kind == "empty" and segment.kind != "empty"
        people.append(PEOPLE[turn % len(PEOPLE)])
    return people


def _to_and_fro(clip: Clip, count: int) -> Iterator[Image]:
    """`count` frames of the clip, forwards and backwards, so that no cut shows."""
    order = [*range(len(clip)), *range(len(clip) - 2, 0, -1)]
    return (clip[order[n % len(order)]] for n in range(count))


class _Clips:
    """Frames by kind and person, cut out once each."""

    def __init__(self, fps: int) -> None:
        self._fps = fps
        self._made: dict[tuple[str, str], Clip] = {}

    def of(self, kind: Kind, person: Person) -> Clip:
        """The frames to show, 640x480."""
        key = (kind, "" if kind == "empty" else person.media)
        if key not in self._made:
            self._made[key] = self._empty() if kind == "empty" else self._person(kind, person)
        return self._made[key]

    def _person(self, kind: Kind, person: Person) -> Clip:
        span = person.smile_s if kind == "smile" else person.neutral_s
        return [_cut(image, person.left_px) for image in _read(person.media, span, self._fps)]

    def _empty(self) -> Clip:
        media, span, (x, y, width, height) = EMPTY
        parts = [image[y : y + height, x : x + width] for image in _read(media, span, self._fps)]
        return [_scaled(part, WIDTH, HEIGHT) for part in parts]


def _read(media: str, span: tuple[float, float], fps: int) -> Clip:
    """Frames of a fetched video between two times (s), `fps` a second."""
    frames = takewhile(lambda frame: frame[0] < span[1], sampled(fetch.path(media), fps))
    return [image for time_s, image in frames if time_s >= span[0]]


def _cut(image: Image, left_px: int) -> Image:
    height, width = image.shape[:2]
    return _scaled(image, round(width * HEIGHT / height), HEIGHT)[:, left_px : left_px + WIDTH]


def _scaled(image: Image, width: int, height: int) -> Image:
    return np.ascontiguousarray(cv2.resize(image, (width, height)), np.uint8)
