"""The two smile models behind one port, and when the second is asked."""

import hashlib
import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from gateway.tflite import Model
from gateway.vision.crop import close_up, smaller_grey
from gateway.vision.faces import Detection, Image
from gateway.vision.pipeline import load_detector
from gateway.vision.smile import (
    AGREED,
    CROP_PX,
    FERS_SHARE,
    MARGIN,
    PER_WHITE,
    SMILE,
    FerSmile,
    OwnSmile,
    fit_for_fer,
    load_fer,
    load_smile,
    locally_standardised,
    prepared,
    standardised,
    white_share,
    with_least,
)
from models import fetch, shipped
from models.evaluate.variants import VARIANTS

ROOT = Path(__file__).parents[3]


def photo() -> Image:
    return np.asarray(cv2.imread(str(fetch.path("photo_group"))), np.uint8)


@pytest.fixture(scope="module")
def face() -> Detection:
    """The woman in the middle, who smiles."""
    return max(load_detector().find(photo()), key=lambda one: one.score)


def crop(image: Image, face: Detection) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return smaller_grey(close_up(image, face, CROP_PX, MARGIN), CROP_PX)


def white(image: Image) -> Image:
    return VARIANTS["overexposed"](VARIANTS["overexposed"](image))


def fit(image: Image, face: Detection) -> bool:
    grey = crop(image, face)
    return fit_for_fer(grey, standardised(grey))


def test_the_shipped_network_is_read_and_fer_where_it_is_missing(tmp_path: Path) -> None:
    assert isinstance(load_smile(), OwnSmile)
    assert isinstance(load_smile(tmp_path / "gone.tflite"), FerSmile)


def test_the_shipped_network_is_small_and_is_the_one_of_its_card_and_of_the_notice() -> None:
    sha256 = hashlib.sha256(shipped.SMILE.read_bytes()).hexdigest()
    assert shipped.SMILE.stat().st_size <= 300_000
    assert sha256 in shipped.SMILE.with_suffix(".md").read_text()
    assert re.search(rf"^smile\.tflite +{sha256}$", (ROOT / "NOTICE").read_text(), re.MULTILINE)


@pytest.mark.parametrize("load", [load_smile, load_fer])
def test_seven_emotions_sum_to_one(load: type, face: Detection) -> None:
    model = load()
    for read in (model.read(photo(), face), model.read_crop(photo())):
        assert len(read) == 7
        assert sum(read.values()) == pytest.approx(1, abs=1e-5)
        assert min(read.values()) >= 0


@pytest.mark.parametrize("variant", ["dark", "overexposed", "blur"])
def test_fer_is_asked_only_where_the_picture_is_good(variant: str, face: Detection) -> None:
    assert fit(photo(), face)
    assert not fit(VARIANTS[variant](VARIANTS[variant](photo())), face)


def test_a_good_picture_is_judged_by_both_and_a_spoilt_one_by_the_own_alone(face: Detection) -> None:
    own, fer = Model(shipped.SMILE), Model(fetch.path("fer"))
    both = OwnSmile(own, fer)
    for image, asked in ((photo(), True), (VARIANTS["dark"](photo()), False)):
        grey = crop(image, face)
        shown = prepared(grey)
        ways = (shown, np.ascontiguousarray(shown[:, ::-1]))
        alone = float(np.mean([own.run(way[None])[0].reshape(-1)[0] for way in ways]))
        alone += PER_WHITE * white_share(grey)
        fers = float(fer.run((grey / 127.5 - 1)[None, :, :, None])[0].reshape(-1)[3])
        sure = min(max(fers, 1e-3), 1 - 1e-3)
        fers_logit = math.log(sure / (1 - sure))
        logit = AGREED * ((1 - FERS_SHARE) * alone + FERS_SHARE * fers_logit) if asked else alone
        assert both.read(image, face)[SMILE] == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-5)


def test_a_white_face_is_the_mean_of_three_sizes_and_both_ways(face: Detection) -> None:
    own = Model(shipped.SMILE)
    picture = close_up(white(photo()), face, CROP_PX, MARGIN)
    side = len(picture)
    wider = cv2.copyMakeBorder(picture, *[round(side * 0.05)] * 4, cv2.BORDER_REPLICATE)
    inner = slice(round(side * 0.05), side - round(side * 0.05))
    logits = []
    for shown in (picture, picture[inner, inner], np.asarray(wider)):
        sight = prepared(with_least(smaller_grey(shown, CROP_PX), shown))
        ways = (sight, np.ascontiguousarray(sight[:, ::-1]))
        logits += [own.run(way[None])[0].reshape(-1)[0] for way in ways]
    logit = float(np.mean(logits)) + PER_WHITE * white_share(smaller_grey(picture, CROP_PX))
    read = OwnSmile(own, Model(fetch.path("fer"))).read_crop(picture)[SMILE]
    assert read == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (300, 8), (64, 64)])
def test_a_white_picture_of_any_shape_is_read(shape: tuple[int, int]) -> None:
    read = load_smile().read_crop(np.full((*shape, 3), 255, np.uint8))
    assert sum(read.values()) == pytest.approx(1)


def test_a_face_and_its_mirror_image_smile_alike(face: Detection) -> None:
    half_lit = VARIANTS["side"](VARIANTS["dark"](close_up(photo(), face, CROP_PX, MARGIN)))
    mirrored = np.ascontiguousarray(half_lit[:, ::-1])
    read, again = (load_smile().read_crop(image)[SMILE] for image in (half_lit, mirrored))
    assert read == pytest.approx(again, abs=1e-4)


def test_faint_marks_in_white_skin_are_shown_though_hair_is_black() -> None:
    grey = np.full((64, 64), 252, np.float32)
    grey[:16] = 10
    grey[48:50, 24:40] = 246
    mark, skin = (slice(48, 50), slice(24, 40)), (slice(30, 34), slice(24, 40))
    assert abs(standardised(grey)[mark].mean() - standardised(grey)[skin].mean()) < 0.1
    assert locally_standardised(grey)[skin].mean() - locally_standardised(grey)[mark].mean() > 1
    assert (prepared(grey) == np.dstack([standardised(grey), locally_standardised(grey)])).all()


def test_in_white_skin_the_colour_that_is_cut_last_counts_half() -> None:
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[40:44, 24:40, 0] = 205
    grey, lit = smaller_grey(picture, CROP_PX), np.full((64, 64), 90, np.float32)
    mark, skin = with_least(grey, picture)[41, 30], with_least(grey, picture)[20, 30]
    assert skin - grey[41, 30] < 6
    assert skin - mark == pytest.approx(25 + (skin - grey[41, 30]) / 2, abs=0.1)
    assert (with_least(lit, picture) == lit).all()


def test_a_smile_is_still_read_in_the_dark(face: Detection) -> None:
    dark = VARIANTS["dark"](photo())
    assert load_smile().read(dark, face)[SMILE] >= 0.8


def test_a_dark_crop_keeps_more_levels_than_its_frame_has(face: Detection) -> None:
    dark = VARIANTS["dark"](photo())
    assert len(np.unique(crop(dark, face))) > 5 * len(np.unique(dark))


def test_brightness_and_contrast_of_the_light_are_taken_out(face: Detection) -> None:
    grey = crop(photo(), face)
    assert standardised(grey * np.float32(0.3) + 20) == pytest.approx(standardised(grey), abs=1e-4)
    assert abs(standardised(np.full((64, 64), 90, np.float32))).max() == 0


def test_a_face_that_is_half_white_is_not_shown_to_fer(face: Detection) -> None:
    grey = crop(photo(), face)
    washed = grey.copy()
    washed[::2] = 255
    assert washed.std() > 20
    assert not fit_for_fer(washed, standardised(grey))
