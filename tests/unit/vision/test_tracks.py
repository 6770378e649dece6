"""Tracks: by place alone, numbers that grow and never come back."""

from gateway.vision.faces import Box
from gateway.vision.tracks import Tracks

LEFT, RIGHT = Box(50, 100, 100, 100), Box(400, 100, 100, 100)


def shifted(box: Box, dx: float) -> Box:
    return Box(box.x + dx, box.y, box.width, box.height)


def test_two_faces_keep_their_numbers_while_they_move_and_change_order() -> None:
    tracks = Tracks()
    assert tracks.number([LEFT, RIGHT], 0.0) == [0, 1]
    assert tracks.number([shifted(RIGHT, -20), shifted(LEFT, 20)], 0.2) == [1, 0]


def test_a_face_that_is_hidden_for_a_moment_keeps_its_number() -> None:
    tracks = Tracks()
    tracks.number([LEFT], 0.0)
    tracks.number([], 0.4)
    assert tracks.number([LEFT], 0.8) == [0]


def test_a_face_after_a_pause_is_a_new_one_even_in_the_same_place() -> None:
    tracks = Tracks()
    tracks.number([LEFT], 0.0)
    assert tracks.number([LEFT], 1.5) == [1]


def test_a_face_elsewhere_is_a_new_one() -> None:
    tracks = Tracks()
    tracks.number([LEFT], 0.0)
    assert tracks.number([RIGHT], 0.2) == [1]


def test_two_faces_close_together_never_share_a_number() -> None:
    tracks = Tracks()
    tracks.number([LEFT], 0.0)
    assert sorted(tracks.number([shifted(LEFT, 5), shifted(LEFT, 40)], 0.2)) == [0, 1]
