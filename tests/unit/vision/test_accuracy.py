"""The models are worth what their cards say, on every fourth image of the development test set."""

from collections.abc import Sequence

import pytest

from tests import genki


@pytest.fixture(scope="module")
def readings() -> Sequence[genki.Reading]:
    if not genki.DATA.exists():
        pytest.skip("the test set of faces (GENKI-4K) is not beside the project")
    return genki.read(step=4)


def test_finds_the_face_in_nearly_every_image(readings: Sequence[genki.Reading]) -> None:
    assert sum(r.face is not None for r in readings) / len(readings) >= 0.98


def test_tells_smiles_from_other_faces_as_well_as_its_card_says(readings: Sequence[genki.Reading]) -> None:
    figures = genki.smile_figures(readings)
    assert figures["auc"] >= 0.97
    assert figures["accuracy"] >= 0.91
    assert figures["ece"] <= 0.04


def test_estimates_yaw_as_well_as_its_card_says(readings: Sequence[genki.Reading]) -> None:
    figures = genki.yaw_figures(readings)
    assert figures["mean"] <= 3.2
    assert figures["agree"] >= 0.955
