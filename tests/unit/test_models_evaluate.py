"""`emobox models evaluate`: what it computes, what it says of bad input, and that it reads real faces."""

import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gateway.cli import main
from gateway.vision.faces import Box, Image
from models import fetch
from models.evaluate import figures
from models.evaluate.detector import match
from models.evaluate.variants import VARIANTS
from models.training.smile_people import is_calibration

FACES = ("682,312,111,111", "308,256,105,105", "530,332,103,103", "212,73,99,99", "440,231,78,78")
GENKI = Path(__file__).parents[3] / "shared" / "data" / "faces" / "genki_even.zip"
rng = np.random.default_rng(1)


def png(image: Image) -> bytes:
    return bytes(cv2.imencode(".png", image)[1])


def noise(side: int = 48) -> Image:
    return rng.integers(0, 255, (side, side, 3), np.uint8)


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def crops(tmp_path: Path) -> list[str]:
    """Arguments that measure two pictures of noise, one that is missing and one that is damaged."""
    members = {"1/a.png": png(noise()), "0/b.png": png(noise(64)), "0/c.jpg": b"no picture", "0/d.jpg": b""}
    labels = "smile,file,who\n1,a.png,x\n0,0/b.png,y\n0,c.jpg,z\n0,d.jpg,z\n1,gone.png,z\n"
    images = packed(tmp_path / "faces.zip", members)
    return ["--images", str(images), "--labels", str(written(tmp_path / "labels.csv", labels)), "--crops"]


def evaluated(what: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["models", "evaluate", what, *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_report_has_every_figure_and_names_what_it_left_out(
    crops: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluated("smile", crops, capsys)
    assert {"auc", "accuracy", "accuracy_all", "tpr", "tnr", "ece", "brier", "ms_per_image"} <= found.keys()
    assert (found["n"], found["detected"]) == (2, 2)
    assert found["missing"] == {"n": 1, "files": ["gone.png"]}
    assert found["unreadable"] == {"n": 2, "files": ["c.jpg", "d.jpg"]}


def test_a_folder_gives_the_same_figures_as_its_zip(
    crops: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(crops[1]) as archive:
        archive.extractall(tmp_path / "folder")
    both = [
        evaluated("smile", [*crops, "--images", images], capsys)
        for images in (crops[1], str(tmp_path / "folder"))
    ]
    assert both[0] | {"ms_per_image": 0} == both[1] | {"ms_per_image": 0}


@pytest.mark.parametrize("model", ["own", "fer"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_can_be_measured_with_every_model(
    model: str, variant: str, crops: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = evaluated("smile", [*crops, "--model", model], capsys)
    found = evaluated("smile", [*crops, "--model", model, "--variant", variant], capsys)
    assert (found["model"], found["variant"], found["detected"]) == (model, variant, 2)
    assert found["brier"] != given["brier"]


def test_a_reader_is_told_over_which_pictures_the_figures_are(
    crops: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "evaluate", "smile", *crops]) == 0
    said = capsys.readouterr().out
    assert "2 pictures, a face found in 2" in said
    assert "missing: 1 (gone.png)" in said


def test_a_picture_without_a_face_counts_as_undetected_and_as_wrong_over_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    group = fetch.path("photo_group")
    images = packed(
        tmp_path / "i.zip",
        {"group.jpg": group.read_bytes(), "even.png": png(np.full((90, 90, 3), 90, np.uint8))},
    )
    labels = written(tmp_path / "l.csv", "file,smile\ngroup.jpg,1\neven.png,0\n")
    found = evaluated("smile", ["--images", str(images), "--labels", str(labels)], capsys)
    assert (found["n"], found["detected"], found["accuracy"], found["accuracy_all"]) == (2, 1, 1.0, 0.5)
    assert found["auc"] is None


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("file,happy\na.png,1\n", "no column smile"),
        ("file,smile\n", "no rows"),
        ("file,smile\na.png,yes\n", "smile of 'a.png' is 'yes'; allowed are 0 and 1"),
        ("file,smile\nnone.png,1\n", "none of the 1 files"),
        ("file,smile\ntwice.png,1\n", "may mean 0/twice.png or 1/twice.png"),
        ("file,smile\n\xff\xfe", "cannot be read as a CSV"),
    ],
)
def test_labels_that_cannot_be_used_are_said_plainly(
    labels: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = packed(tmp_path / "i.zip", {f"{folder}/twice.png": png(noise()) for folder in "01"})
    (tmp_path / "l.csv").write_bytes(labels.encode("latin-1"))
    given = ["--images", str(images), "--labels", str(tmp_path / "l.csv"), "--crops"]
    assert main(["models", "evaluate", "smile", *given]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"), [("gone", "does not exist"), ("text.zip", "neither a folder nor a zip")]
)
def test_pictures_that_are_not_there_are_said_plainly(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "text.zip", "no zip")
    labels = written(tmp_path / "l.csv", "file,smile\na.png,1\n")
    given = ["--images", str(tmp_path / name), "--labels", str(labels)]
    assert main(["models", "evaluate", "smile", *given]) == 2
    assert said in capsys.readouterr().err


def test_the_detector_is_measured_by_recall_by_size_and_by_false_faces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = packed(
        tmp_path / "i.zip", {"g.jpg": fetch.path("photo_group").read_bytes(), "e.png": png(noise(200))}
    )
    rows = "".join(f"g.jpg,{box}\n" for box in FACES)
    labels = written(tmp_path / "l.csv", f"file,x,y,width,height\n{rows}g.jpg,0,0,20,20\ne.png,,,,\n")
    found = evaluated("detector", ["--images", str(images), "--labels", str(labels)], capsys)
    assert (found["n"], found["faces"], found["precision"], found["false_per_image"]) == (2, 6, 1.0, 0.0)
    assert found["recall"] == pytest.approx(5 / 6, abs=1e-4)
    assert found["recall_by_width_px"]["0-32"]["recall"] == 0.0
    assert found["recall_by_width_px"]["64-128"]["recall"] == 1.0


@pytest.mark.parametrize("box", ["1,2,3", "1,2,x,4", "1,2,0,4", "1,2,inf,4"])
def test_a_box_that_is_none_is_said_plainly(
    box: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = packed(tmp_path / "i.zip", {"a.png": png(noise())})
    labels = written(tmp_path / "l.csv", f"file,x,y,width,height\na.png,{box}\n")
    assert main(["models", "evaluate", "detector", "--images", str(images), "--labels", str(labels)]) == 2
    assert "give x, y, width, height in pixels" in capsys.readouterr().err


def test_one_found_face_serves_one_label_the_nearest() -> None:
    labels = [Box(0, 0, 10, 10), Box(2, 0, 10, 10)]
    assert match(labels, [Box(2, 0, 10, 10)], 0.3) == [False, True]
    assert match(labels, [Box(2, 0, 10, 10), Box(1, 0, 10, 10)], 0.3) == [True, True]


def test_the_area_under_the_curve_counts_ties_half() -> None:
    scores, truths = np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, False, True, True])
    assert figures.auc(scores, truths) == pytest.approx(0.875)
    assert figures.auc(scores, np.ones(4, bool)) is None


def test_the_interval_of_the_area_holds_the_truth_in_about_95_of_100_samples() -> None:
    draws, held = np.random.default_rng(3), 0
    truths = np.arange(200) % 2 == 0
    for _ in range(300):
        low, high = figures.auc_interval(draws.normal(truths * 1.0, 1.0), truths) or (0, 0)
        held += low <= 0.7602 <= high
    assert 0.91 <= held / 300 <= 0.985


def test_calibration_error_and_brier_score_of_a_known_case() -> None:
    scores, truths = np.array([0.95, 0.85, 0.05, 1.0]), np.array([False, True, False, True])
    assert figures.ece(scores, truths) == pytest.approx((abs(0.95 + 1 - 1) + 0.15 + 0.05) / 4)
    assert figures.brier(scores, truths) == pytest.approx((0.95**2 + 0.15**2 + 0.05**2) / 4)


def test_the_degradations_are_what_their_names_say() -> None:
    white = np.full((90, 120, 3), 255, np.uint8)
    assert set(VARIANTS["dark"](white).ravel()) == {8}
    assert set(VARIANTS["overexposed"](np.full((9, 9, 3), 60, np.uint8)).ravel()) == {180}
    assert set(VARIANTS["overexposed"](white).ravel()) == {255}
    assert VARIANTS["small"](white).shape == (30, 40, 3)
    lit = VARIANTS["side"](white)
    assert (int(lit[0, 0, 0]), int(lit[0, -1, 0])) == (255, 38)
    point = np.zeros((41, 41, 3), np.uint8)
    point[20, 20] = 255
    spread = VARIANTS["blur"](np.asarray(cv2.resize(point, None, fx=3, fy=3), np.uint8)).astype(float)[
        :, :, 0
    ]
    assert 4 < np.sqrt((spread.sum(0) * (np.arange(123) - 61.0) ** 2).sum() / spread.sum()) ** 2 < 8
    assert len(cv2.imencode(".png", VARIANTS["jpeg"](noise(96)))[1]) < len(png(noise(96)))


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_degradation_is_the_same_each_time_and_leaves_the_picture_alone(variant: str) -> None:
    image = noise(60)
    kept = image.copy()
    assert (VARIANTS[variant](image) == VARIANTS[variant](image)).all()
    assert (image == kept).all()


def test_the_help_says_which_pictures_count(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["models", "evaluate", "smile", "--help"])
    assert "counts a picture without a found face as wrong" in " ".join(capsys.readouterr().out.split())


def test_the_variants_that_the_command_offers_are_those_there_are() -> None:
    from gateway.cli_models import VARIANTS as OFFERED

    assert tuple(VARIANTS) == OFFERED


@pytest.fixture(scope="module")
def some_of_genki(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments for every 25th picture of the test set that was not for calibration."""
    if not GENKI.exists():
        pytest.skip("the test set of faces (GENKI-4K) is not beside the project")
    header, *rows = GENKI.with_suffix(".csv").read_text().splitlines()
    some = [row for row in rows if not is_calibration(row.split(",")[0])][::25]
    labels = written(tmp_path_factory.mktemp("genki") / "labels.csv", "\n".join([header, *some]))
    return ["--images", str(GENKI), "--labels", str(labels)]


def test_smiles_in_the_wild_are_told_from_none(
    some_of_genki: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluated("smile", some_of_genki, capsys)
    assert found["detected"] >= 0.95 * found["n"] >= 60
    assert found["accuracy"] >= 0.88
    assert found["auc"] >= 0.96


def test_the_own_network_sees_smiles_in_the_dark_where_fer_sees_none(
    some_of_genki: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    dark = [
        evaluated("smile", [*some_of_genki, "--variant", "dark", "--model", m], capsys)
        for m in ("own", "fer")
    ]
    assert dark[0]["accuracy"] >= 0.87
    assert dark[0]["accuracy"] >= dark[1]["accuracy"] + 0.2
