"""What a privacy mask covers is seen by no model."""

from typing import Any

import cv2
import numpy as np
import pytest

from gateway.config import SiteError, parse_site
from gateway.vision.faces import Image
from gateway.vision.mask import NO_MASK, Mask
from gateway.vision.pipeline import load_detector, load_pipeline
from models import fetch

LEFT_HALF = Mask((((0, 0), (0.5, 0), (0.5, 1), (0, 1)),))


def photo() -> Image:
    """Five people beside each other; none of their faces is cut by the middle line."""
    return np.asarray(cv2.imread(str(fetch.path("photo_group"))), np.uint8)


def site(mask: Any) -> Any:
    cameras = {"cam-1": {"source": 0, "mask": mask}}
    points = {"till-1": {"devices": {"cam-1": {"kind": "camera"}}}}
    return parse_site({"site": "shop-1", "zone": "Europe/Berlin", "points": points, "cameras": cameras})


def test_faces_under_the_mask_are_not_there_and_the_others_are() -> None:
    image = photo()
    centres = sorted(found.box.center[0] for found in load_detector().find(image))
    free = sum(x > image.shape[1] / 2 for x in centres)
    assert 0 < free < len(centres) == 5
    assert len(load_pipeline(LEFT_HALF).see(photo(), 0.0)) == free


def test_a_mask_over_everything_leaves_nobody() -> None:
    assert load_pipeline(Mask((((0, 0), (1, 0), (1, 1), (0, 1)),))).see(photo(), 0.0) == []


def test_a_followed_face_that_walks_under_the_mask_is_lost_there() -> None:
    pipeline, image = load_pipeline(Mask((((0.6, 0), (1, 0), (1, 1), (0.6, 1)),))), photo()
    x, y = map(round, load_detector().find(image)[0].box.center)
    tile = np.zeros((480, 640, 3), np.uint8)
    seen = []
    for n in range(8):
        frame = tile.copy()
        frame[100:340, 60 + n * 60 : 180 + n * 60] = image[y - 120 : y + 120, x - 60 : x + 60]
        seen.append(bool(pipeline.see(frame, n / 5)))
    assert seen[0]
    assert not any(seen[-3:])


def test_every_pixel_under_a_mask_is_black_and_no_other_is_touched() -> None:
    image = np.full((100, 200, 3), 255, np.uint8)
    Mask((((0.25, 0.5), (0.75, 0.5), (0.75, 1), (0.25, 1)), ((0, 0), (0.1, 0), (0, 0.1)))).cover(image)
    assert not image[51:, 51:149].any()
    assert not image[0, 0].any()
    assert image[:48, 40:].all()
    assert image[:, 151:].all()


def test_without_a_mask_the_frame_stays_as_it_is() -> None:
    image = photo()
    NO_MASK.cover(image)
    assert (image == photo()).all()


def test_the_mask_of_site_toml_reaches_the_camera() -> None:
    assert site([[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]).cameras["cam-1"].mask == LEFT_HALF.polygons
    assert site([]).cameras["cam-1"].mask == ()


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        ("left", r"allowed is a list of polygons, such as \[\[\[0, 0\]"),
        ([[0, 0], [1, 0], [1, 1]], "a polygon needs at least three corners"),
        ([[[0, 0], [1, 0]]], "a polygon needs at least three corners"),
        ([[[0, 0], [1, 0], [1, 1.1]]], r"a corner is \[x, y\], both from 0 to 1"),
        ([[[0, 0], [1, 0], [1, -0.1]]], "both from 0 to 1"),
        ([[[0, 0], [1, 0], [1, True]]], "both from 0 to 1"),
        ([[[0, 0], [1, 0], [1]]], "a corner is"),
        ([[[0, 0], [1, 0], ["1", 1]]], "a corner is"),
    ],
)
def test_a_mask_that_cannot_be_meant_is_refused_in_plain_words(mask: Any, says: str) -> None:
    with pytest.raises(SiteError, match=f"cameras.cam-1.mask: .*{says}"):
        site(mask)
