"""Aiming a camera: each limit at its edge, hints that say what to do, and no pixel in what is shown."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from gateway.config import Site, parse_site
from gateway.vision.aim import Check, Limits, Look, checks, silhouette, summary
from gateway.vision.aiming import AimError, Sight, chosen, panel, see, sights
from gateway.vision.faces import Box, Image
from gateway.vision.pipeline import Pipeline, load_pipeline
from gateway.vision.report import sampled
from models import fetch

GOOD = Look(px=150, yaw=0, light=120, uneven=0.1, sharp=0.5)
LIMITS = Limits(px_min=80, yaw_max=30)


def site(source: str = "0", **more: object) -> Site:
    points = {"till-1": {"devices": {"cam-1": {"kind": "camera"}}}}
    table = {"site": "s", "zone": "UTC", "region": "other", "camera": {"sign_posted": "2026-01-01 M. Weber"}}
    return parse_site(table | {"points": points, "cameras": {"cam-1": {"source": source}}} | more)


def failed(look: Look | None) -> list[str]:
    return [check.name for check in checks(look, LIMITS) if not check.ok]


@pytest.mark.parametrize(
    ("look", "name"),
    [
        (replace(GOOD, px=100.0), ""),
        (replace(GOOD, px=99.9), "size"),
        (replace(GOOD, yaw=20.1), ""),
        (replace(GOOD, yaw=-20.1), ""),
        (replace(GOOD, yaw=20.2), "turn"),
        (replace(GOOD, yaw=-20.2), "turn"),
        (replace(GOOD, light=60.0), ""),
        (replace(GOOD, light=59.9), "light"),
        (replace(GOOD, light=200.0), ""),
        (replace(GOOD, light=200.1), "light"),
        (replace(GOOD, uneven=0.45), ""),
        (replace(GOOD, uneven=0.46), "light"),
        (replace(GOOD, sharp=0.28), ""),
        (replace(GOOD, sharp=0.279), "sharpness"),
    ],
)
def test_each_limit_passes_at_its_edge_and_fails_beyond_it(look: Look, name: str) -> None:
    assert failed(look) == ([name] if name else [])


def test_the_shops_own_limits_count() -> None:
    strict = Limits(px_min=160, yaw_max=5)
    assert [check.ok for check in checks(replace(GOOD, yaw=4), strict)] == [False, False, True, True]


def test_what_fails_says_what_to_do_and_what_passes_says_nothing() -> None:
    hints = {
        "size": ("come closer", replace(GOOD, px=60)),
        "turn": ("turn the camera", replace(GOOD, yaw=40)),
        "light": ("turn a lamp to the customer's face", replace(GOOD, light=20)),
        "sharpness": ("wipe the lens", replace(GOOD, sharp=0.1)),
    }
    for name, (hint, look) in hints.items():
        for check in checks(look, LIMITS):
            assert (hint in check.hint) == (check.name == name)
    assert "shade the lamp" in checks(replace(GOOD, light=230), LIMITS)[2].hint
    assert "one half" in checks(replace(GOOD, uneven=0.8), LIMITS)[2].hint
    assert "no face is seen" in checks(None, LIMITS)[0].hint


def test_the_verdict_is_of_the_medians_and_needs_a_face_in_half_of_the_looks() -> None:
    assert summary([GOOD, GOOD, replace(GOOD, px=10)], LIMITS)["ok"]
    assert not summary([GOOD, replace(GOOD, px=10), replace(GOOD, px=10)], LIMITS)["ok"]
    assert summary([GOOD, None], LIMITS)["ok"]
    assert not summary([GOOD, None, None], LIMITS)["ok"]
    assert summary([], LIMITS) == {
        "ok": False,
        "looks": 0,
        "seen": 0.0,
        "checks": [{"name": "face", "value": 0, "ok": False, "hint": checks(None, LIMITS)[0].hint}],
    }


def test_the_silhouette_shows_where_faces_are_and_only_that() -> None:
    shape = silhouette([Box(0, 0, 320, 360), Box(560, 270, 80, 80)], 640, 360)
    assert [len(row) for row in shape] == [16] * 9
    assert shape[4][:8] == "########"
    assert shape[4][8:] == "........"
    assert shape[7][14:] == "++"
    assert set("".join(shape)) == {"#", "+", "."}
    assert set("".join(silhouette([], 640, 360))) == {"."}


def with_frames(pipeline: Pipeline, change: Callable[[Image], Image]) -> list[Sight]:
    frames = [(t, image) for t, image in sampled(fetch.path("video_woman"), 5) if 2.5 < t < 4]
    return [see(np.asarray(change(image), np.uint8), t, pipeline, LIMITS) for t, image in frames]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda image: image, ""),
        (lambda image: cv2.resize(image, None, fx=0.3, fy=0.3), "size"),
        (lambda image: image * 0.3, "light"),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 7), "sharpness"),
    ],
    ids=["as it is", "far away", "dark", "out of focus"],
)
def test_a_real_face_passes_and_fails_as_its_picture_is_spoilt(
    pipeline: Pipeline, change: Callable[[Image], Image], name: str
) -> None:
    verdict = summary([sight.look for sight in with_frames(pipeline, change)], LIMITS)
    bad = [check["name"] for check in verdict["checks"] if not check["ok"]]
    assert bad == ([name] if name else [])


def test_the_turn_is_the_one_that_the_shop_judges_by(pipeline: Pipeline) -> None:
    image = np.asarray(cv2.imread(str(fetch.path("photo_group"))), np.uint8)
    (first, *_), sight = load_pipeline().see(image.copy(), 0.0), see(image.copy(), 0.0, pipeline, LIMITS)
    assert sight.look
    assert sight.look.yaw == first.yaw != 0


def test_nobody_there_fails(pipeline: Pipeline) -> None:
    sight = see(np.full((480, 640, 3), 90, np.uint8), 0.0, pipeline, LIMITS)
    assert (sight.look, sight.fields()["ok"]) == (None, False)


def test_what_is_shown_are_numbers_and_shapes_and_it_is_small(pipeline: Pipeline) -> None:
    for sight in with_frames(pipeline, lambda image: image):
        assert len(json.dumps(sight.fields())) < 1000
        assert len(panel(sight)) == 9
        assert all(
            isinstance(check, Check) and isinstance(check.value, int | float) for check in sight.checks
        )


def test_a_files_end_ends_the_looks_and_closes_the_file() -> None:
    found = list(sights(site(str(fetch.path("video_cartoon"))), "cam-1", 60))
    assert 15 <= len(found) <= 21
    assert not any(sight.look for sight in found)


def test_without_the_sign_nobody_may_look() -> None:
    with pytest.raises(AimError, match="cam-1 stays off: nobody has confirmed the sign"):
        chosen(site(camera={}), None)
    with pytest.raises(AimError, match="region us-il needs recorded releases"):
        chosen(site(region="us-il"), "cam-1")


def test_the_only_camera_needs_no_name_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    assert chosen(site(), None) == "cam-1"
    with pytest.raises(AimError, match=r"name a camera of site\.toml; known here: cam-1"):
        chosen(site(), "cam-9")
    with pytest.raises(AimError, match=r"add a \[cameras\.<device>\] table"):
        chosen(site(cameras={}), None)
