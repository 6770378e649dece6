"""Faces in the dark are found; a well-lit picture stays as it is."""

import cv2
import numpy as np
import pytest

from gateway.tflite import Model
from gateway.vision.blazeface import BlazeFace
from gateway.vision.detector import CLOSE_MIN, SEARCH_MIN, Detector
from gateway.vision.faces import Detection, Image
from gateway.vision.light import brightened, readable
from gateway.vision.pipeline import load_detector, load_pipeline
from gateway.vision.view import View
from models import fetch


def photo() -> Image:
    """Five people."""
    return np.asarray(cv2.imread(str(fetch.path("photo_group"))), np.uint8)


def dark(image: Image, times: float) -> Image:
    return np.asarray(np.rint(image * times), np.uint8)


@pytest.mark.parametrize("times", [0.03, 0.1, 0.3])
def test_the_faces_of_a_dark_picture_are_found_where_they_are(times: float) -> None:
    lit, unlit = load_detector().find(photo()), load_detector().find(dark(photo(), times))
    assert len(unlit) == len(lit) == 5
    for face in lit:
        assert max(face.box.overlap(other.box) for other in unlit) >= 0.7


def test_a_face_in_the_dark_is_ok_and_nobody_is_in_a_black_picture() -> None:
    assert [face.ok for face in load_pipeline().see(dark(photo(), 0.05), 0.0)] == [True] * 5
    assert load_pipeline().see(np.zeros((480, 640, 3), np.uint8), 0.0) == []


def test_a_well_lit_picture_is_the_same_array() -> None:
    image = photo()
    assert brightened(image) is image


def test_a_narrow_range_is_spread_and_its_order_kept() -> None:
    ramp = np.repeat(np.linspace(10, 60, 64).astype(np.uint8)[None], 64, axis=0)
    out = brightened(np.dstack([ramp] * 3))[0, :, 0].astype(int)
    assert out[-1] - out[0] == pytest.approx(200, abs=15)
    assert (np.diff(out) >= 0).all()


def test_a_small_bright_face_before_a_dark_wall_is_not_blown_out() -> None:
    wall = np.full((192, 256, 3), 8, np.uint8)
    wall[80:99, 100:119] = 120
    assert brightened(wall) is wall


def test_an_even_picture_gets_no_edges() -> None:
    assert np.ptp(brightened(np.full((64, 64, 3), 40, np.uint8))) == 0


def washed(image: Image) -> Image:
    return np.asarray(np.clip(image.astype(np.float32) * 5, 0, 255), np.uint8)


def test_of_a_washed_out_picture_the_colour_that_is_cut_least_is_looked_at_too() -> None:
    wall = np.full((64, 64, 3), 255, np.uint8)
    wall[30:34, 20:40] = (200, 255, 255)
    out = readable(wall)
    assert int(out[0, 0].max()) == 255
    assert int(out[31, 30].max()) <= 230
    assert readable(np.full((64, 64, 3), 120, np.uint8)).max() == 120


def test_a_picture_with_little_white_is_the_same_array() -> None:
    image = np.full((64, 64, 3), 120, np.uint8)
    image[:8] = 255
    assert readable(image) is image


def test_faces_of_a_washed_out_picture_are_found_where_they_are() -> None:
    lit, white = load_detector().find(photo()), load_detector().find(washed(photo()))
    assert len(white) == len(lit) == 5
    for face in lit:
        assert max(face.box.overlap(other.box) for other in white) >= 0.7


def test_a_face_of_a_washed_out_picture_has_to_be_surer_than_others() -> None:
    short = Model(fetch.path("blazeface_short"))
    search = BlazeFace(Model(fetch.path("blazeface_back")), SEARCH_MIN)
    strict = Detector(search, BlazeFace(short, CLOSE_MIN, white_min=0.999))
    assert len(strict.find(photo())) == 5
    assert strict.find(washed(photo())) == []


def test_a_washed_out_picture_without_a_face_is_searched_by_its_least_colour_alone() -> None:
    seen: list[Image] = []

    class Nobody(BlazeFace):
        def find(self, image: Image, view: View) -> list[Detection]:
            seen.append(image)
            return []

    back = Model(fetch.path("blazeface_back"))
    detector = Detector(Nobody(back, SEARCH_MIN), Nobody(back, CLOSE_MIN))
    assert detector.find(photo()) == detector.find(washed(photo())) == []
    assert [image.shape for image in seen] == [photo().shape] * 3
    assert (seen[2] == washed(photo()).min(axis=2)[:, :, None]).all()
