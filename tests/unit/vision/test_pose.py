"""Yaw and plausibility from six keypoints."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gateway.vision.faces import Box, Detection, Image, Keypoints
from gateway.vision.pose import plausible, yaw_degrees

FRAME: Image = np.zeros((480, 640, 3), np.uint8)
FRONT = Keypoints((280, 220), (360, 220), (320, 260), (320, 300), (230, 235), (410, 235))
FACE = Detection(Box(220, 160, 200, 200), FRONT, 0.9)


def turned(points: Keypoints, dx: float) -> Keypoints:
    """The same head with its nose moved by dx pixels."""
    return replace(points, nose=(points.nose[0] + dx, points.nose[1]))


def tilted(points: Keypoints, angle: float) -> Keypoints:
    """The same head, turned in the picture's plane."""
    cos, sin = math.cos(angle), math.sin(angle)
    fields = {name: (x * cos - y * sin, x * sin + y * cos) for name, (x, y) in vars(points).items()}
    return Keypoints(**fields)


def test_a_head_that_faces_the_lens_has_no_yaw() -> None:
    assert yaw_degrees(FRONT) == pytest.approx(0)


def test_yaw_is_positive_towards_the_persons_left_and_mirrors() -> None:
    assert 10 < yaw_degrees(turned(FRONT, 40)) < 35
    assert yaw_degrees(turned(FRONT, -40)) == pytest.approx(-yaw_degrees(turned(FRONT, 40)))


@pytest.mark.parametrize("angle", [-0.5, 0.3])
def test_a_tilted_head_has_the_same_yaw(angle: float) -> None:
    assert yaw_degrees(tilted(turned(FRONT, 40), angle)) == pytest.approx(yaw_degrees(turned(FRONT, 40)))


def test_stays_within_the_limits_of_the_wire_even_for_points_on_one_spot() -> None:
    spot = Keypoints(*[(5.0, 5.0)] * 6)
    assert -180 <= yaw_degrees(spot) <= 180
    assert not plausible(replace(FACE, keypoints=spot), FRAME)


def test_a_good_face_is_plausible() -> None:
    assert plausible(FACE, FRAME)


@pytest.mark.parametrize(
    "face",
    [
        replace(FACE, score=0.62),
        replace(FACE, keypoints=replace(FRONT, mouth=(320, 200))),
        replace(FACE, keypoints=replace(FRONT, left_eye=(290, 220))),
        replace(FACE, keypoints=replace(FRONT, right_eye=(-20, 220), left_eye=(60, 220))),
    ],
    ids=["low score", "mouth above the eyes", "eyes too close", "eye outside the frame"],
)
def test_a_bad_face_is_not_plausible(face: Detection) -> None:
    assert not plausible(face, FRAME)
