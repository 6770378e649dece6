"""The second look: once a second at a face, at every frame at what is none."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gateway.vision.faces import Box, Detection, Image, Keypoints
from gateway.vision.presence import REMEMBERED, SecondLook

FRAME: Image = np.zeros((48, 64, 3), np.uint8)
FACE = Detection(Box(1, 1, 9, 9), Keypoints(*[(0.0, 0.0)] * 6), 0.9)


@dataclass
class Landmarks:
    """Stands for the model: says what the test says, and counts."""

    says: float = 1.0
    asked: int = 0

    def presence(self, image: Image, face: Detection) -> float:
        self.asked += 1
        return self.says


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


def test_a_new_face_must_look_surer_than_one_that_is_known() -> None:
    model = Landmarks(says=0.95)
    look = looks(model)
    assert not look.is_face(7, FRAME, FACE, 0.0)
    model.says = 0.985
    assert not look.is_face(7, FRAME, replace(FACE, score=0.74), 0.2)
    assert look.is_face(7, FRAME, FACE, 0.4)
    model.says = 0.95
    assert look.is_face(7, FRAME, replace(FACE, score=0.62), 2.0)
