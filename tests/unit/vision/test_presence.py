"""The second look: once a second at a face, at every frame at what is none; and how far it is turned."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import pytest

from gateway.tflite import Model
from gateway.vision.faces import Box, Detection, Image, Keypoints
from gateway.vision.pipeline import load_detector
from gateway.vision.pose import yaw_degrees
from gateway.vision.presence import REMEMBERED, YAW_SHARE, Glance, LandmarkModel, SecondLook
from models import fetch

FRAME: Image = np.zeros((48, 64, 3), np.uint8)
EYES_AND_MOUTH = (20.0, 20.0), (40.0, 20.0), (30.0, 30.0), (30.0, 40.0)
AHEAD = Keypoints(*EYES_AND_MOUTH, right_ear=(10.0, 20.0), left_ear=(50.0, 20.0))
TURNED = replace(AHEAD, right_ear=(20.0, 20.0))
FACE = Detection(Box(1, 1, 9, 9), AHEAD, 0.9)


@dataclass
class Landmarks:
    """Stands for the model: says what the test says, and counts."""

    says: float = 1.0
    yaw: float = 0.0
    asked: int = 0

    def glance(self, image: Image, face: Detection) -> Glance:
        self.asked += 1
        return Glance(self.says, self.yaw)


def looks(model: Landmarks) -> SecondLook:
    stand_in: Any = model
    return SecondLook(stand_in)


def test_a_face_is_looked_at_once_a_second() -> None:
    model = Landmarks()
    look = looks(model)
    assert all(look.is_face(7, FRAME, FACE, n / 5) for n in range(11))
    assert model.asked == 3


def test_what_is_no_face_is_looked_at_in_every_frame_until_it_is_one() -> None:
    model = Landmarks(says=0.5)
    look = looks(model)
    assert not any(look.is_face(7, FRAME, FACE, n / 5) for n in range(5))
    assert (model.asked, look.was_face(7)) == (5, False)
    model.says = 1.0
    assert look.is_face(7, FRAME, FACE, 1.0)


def test_a_face_that_is_none_any_more_is_known_within_a_second_and_stays_on_record() -> None:
    model = Landmarks()
    look = looks(model)
    look.is_face(7, FRAME, FACE, 0.0)
    model.says = 0.5
    assert [look.is_face(7, FRAME, FACE, n / 5) for n in range(1, 7)] == [True] * 4 + [False] * 2
    assert look.was_face(7)


def test_each_track_has_its_own_look() -> None:
    model = Landmarks()
    look = looks(model)
    look.is_face(1, FRAME, FACE, 0.0)
    model.says = 0.5
    assert not look.is_face(2, FRAME, FACE, 0.2)


def test_remembers_only_so_many_tracks() -> None:
    look = looks(Landmarks())
    for track in range(REMEMBERED + 5):
        look.is_face(track, FRAME, FACE, 0.0)
    assert [look.was_face(track) for track in (4, 5, REMEMBERED + 4)] == [False, True, True]


def test_who_was_looked_at_longest_ago_is_forgotten_first() -> None:
    model = Landmarks()
    look = looks(model)
    for n in range(REMEMBERED + 5):
        model.says = 1.0
        look.is_face(n, FRAME, FACE, float(n))
        model.says = 0.95  # enough for who is known alone
        look.is_face(0, FRAME, FACE, float(n))
    assert look.was_face(0)


def test_a_new_face_must_look_surer_than_one_that_is_known() -> None:
    model = Landmarks(says=0.95)
    look = looks(model)
    assert not look.is_face(7, FRAME, FACE, 0.0)
    model.says = 0.985
    assert not look.is_face(7, FRAME, replace(FACE, score=0.74), 0.2)
    assert look.is_face(7, FRAME, FACE, 0.4)
    model.says = 0.95
    assert look.is_face(7, FRAME, replace(FACE, score=0.62), 2.0)


def test_between_two_looks_the_detector_follows_the_head_and_is_corrected_as_at_the_last_one() -> None:
    model = Landmarks(yaw=20.0)
    look = looks(model)
    turned = replace(FACE, keypoints=TURNED)
    look.is_face(7, FRAME, FACE, 0.0)
    assert look.yaw(7, FACE) == pytest.approx(YAW_SHARE * 20.0)
    look.is_face(7, FRAME, turned, 0.2)
    assert look.yaw(7, turned) == pytest.approx(yaw_degrees(TURNED) + YAW_SHARE * 20.0)
    model.yaw = yaw_degrees(TURNED)
    look.is_face(7, FRAME, turned, 1.0)
    assert look.yaw(7, turned) == pytest.approx(yaw_degrees(TURNED))


def test_each_track_is_corrected_for_itself_and_never_turned_further_than_away() -> None:
    model = Landmarks(yaw=80.0)
    look = looks(model)
    look.is_face(1, FRAME, FACE, 0.0)
    model.yaw = 0.0
    look.is_face(2, FRAME, FACE, 0.0)
    away = replace(FACE, keypoints=replace(AHEAD, nose=(300.0, 30.0)))
    assert look.yaw(2, FACE) == pytest.approx(0.0)
    assert look.yaw(1, away) == 90.0


def test_the_points_of_a_face_and_of_its_mirror_image_turn_as_far_to_either_side() -> None:
    picture = np.asarray(cv2.imread(str(fetch.path("photo_group"))), np.uint8)
    detector, model = load_detector(), LandmarkModel(Model(fetch.path("face_landmarks")))
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    faces = sorted(detector.find(picture), key=lambda face: face.box.x)
    seen = [(model.glance(picture, face).yaw, yaw_degrees(face.keypoints)) for face in faces]
    others = sorted(detector.find(mirrored), key=lambda face: -face.box.x)
    assert len(seen) == len(others) == 5
    for (yaw, keypoints_yaw), other in zip(seen, others, strict=True):
        assert yaw == pytest.approx(-model.glance(mirrored, other).yaw, abs=4)
        assert yaw == pytest.approx(keypoints_yaw, abs=12)
