"""The whole frame is searched twice a second, and at once when a face is not where it was."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from gateway.vision.detector import SAME
from gateway.vision.faces import Box, Detection, Image, Keypoints
from gateway.vision.finder import FACES_MAX, FOLLOWED_MAX, Finder
from gateway.vision.pipeline import Pipeline
from gateway.vision.report import sampled
from gateway.vision.tracks import Tracks
from models import fetch

FRAME: Image = np.zeros((480, 640, 3), np.uint8)
POINTS = Keypoints(*[(0.0, 0.0)] * 6)


def face(x: float, width: float = 80) -> Detection:
    return Detection(Box(x, 100, width, width), POINTS, 0.9)


@dataclass
class Eyes:
    """Stands for the detector: sees the faces that a test puts there, and counts its looks."""

    there: list[Detection] = field(default_factory=list)
    searches: int = 0
    follows: int = 0

    def find(self, image: Image) -> list[Detection]:
        self.searches += 1
        return list(self.there)

    def follow(self, image: Image, box: Box) -> Detection | None:
        self.follows += 1
        return next((one for one in self.there if one.box.overlap(box) >= SAME), None)


def finder(eyes: Eyes) -> Finder:
    stand_in: Any = eyes
    return Finder(stand_in, Tracks())


def test_in_between_only_the_surroundings_of_the_face_are_looked_at() -> None:
    eyes = Eyes([face(100)])
    find = finder(eyes).find
    tracks = [[track for track, _ in find(FRAME, n / 5)] for n in range(10)]
    assert (eyes.searches, eyes.follows) == (4, 6)  # at 0, 0.6, 1.2, 1.8 s
    assert tracks == [[0]] * 10


def test_who_comes_in_is_seen_within_the_time_of_a_search() -> None:
    eyes = Eyes([face(100)])
    find = finder(eyes).find
    find(FRAME, 0.0)
    eyes.there.append(face(400))
    assert [len(find(FRAME, n / 5)) for n in (1, 2, 3)] == [1, 1, 2]


def test_a_face_that_is_not_where_it_was_is_searched_in_the_same_frame() -> None:
    eyes = Eyes([face(100)])
    find = finder(eyes).find
    find(FRAME, 0.0)
    eyes.there = [face(300)]
    assert [one.box.x for _, one in find(FRAME, 0.2)] == [300]
    eyes.there = []
    assert find(FRAME, 0.4) == []


def test_nobody_there_is_searched_at_every_frame() -> None:
    eyes = Eyes()
    for n in range(5):
        finder_result = finder(eyes).find(FRAME, n / 5)
        assert finder_result == []
    assert eyes.searches == 5


def test_two_followed_faces_that_become_one_are_searched() -> None:
    eyes = Eyes([face(100), face(190)])
    find = finder(eyes).find
    find(FRAME, 0.0)
    eyes.there = [face(145)]
    assert len(find(FRAME, 0.2)) == 1
    assert eyes.searches == 2


def test_more_than_a_few_are_searched_and_the_largest_count() -> None:
    eyes = Eyes([face(60.0 * n, 40.0 + n) for n in range(FACES_MAX + 2)])
    find = finder(eyes).find
    widths = [one.box.width for _, one in find(FRAME, 0.0)]
    assert widths == [49.0 - n for n in range(FACES_MAX)]
    find(FRAME, 0.2)
    assert (eyes.searches, eyes.follows) == (2, 0)
    assert FOLLOWED_MAX < FACES_MAX


def test_followed_readings_are_those_that_a_search_of_the_frame_gives(pipeline: Pipeline) -> None:
    """Real models on a real video: the short cut changes no reading that matters."""
    frames = [(t, image) for t, image in sampled(fetch.path("video_woman"), 5) if t < 5 or t >= 12.7]
    followed = {t: pipeline.see(image, t) for t, image in frames}
    searched = {t: pipeline.see(image, 100 + t * 10) for t, image in frames}
    pairs = [(a[0], b[0]) for a, b in zip(followed.values(), searched.values(), strict=True) if a or b]
    assert len(pairs) >= 50
    assert all(a.ok == b.ok for a, b in pairs)
    assert all(a.px == pytest.approx(b.px, rel=0.15) for a, b in pairs)
    assert all(abs(a.yaw - b.yaw) <= 15 for a, b in pairs)
    assert all(abs(a.smile - b.smile) <= 0.15 for a, b in pairs)


def test_the_numbers_of_tracks_stay_with_their_faces() -> None:
    eyes = Eyes([face(100), face(400, 60)])
    find = finder(eyes).find
    for n in range(6):
        eyes.there = [replace(one, box=replace(one.box, x=one.box.x + 10)) for one in eyes.there]
        assert [(track, one.box.width) for track, one in find(FRAME, n / 5)] == [(0, 80), (1, 60)]
