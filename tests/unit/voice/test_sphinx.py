"""The second opinion of pocketsphinx on English answers."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from demo.sound import SPEECH
from gateway.voice.audio import read_wav
from gateway.voice.phrases import Phrase, catalogue

if sys.version_info[:2] == (3, 12):
    pytest.skip("pocketsphinx 5.1.1 has no wheel for Python 3.12", allow_module_level=True)

from gateway.voice.sphinx import Sphinx, grammar, opposites

ENGLISH = [p for p in catalogue().values() if p.role == "rating" and p.head.parent.name == "en"]


@pytest.mark.parametrize("name", ["super", "normal", "could-be-better"])
def test_pocketsphinx_agrees_with_what_was_said_and_with_nothing_else(name: str) -> None:
    sphinx, sound = Sphinx(ENGLISH), read_wav(SPEECH / f"{name}.wav")
    rating = catalogue()[name].rating
    assert {one.id: sphinx.agrees(one, sound) for one in ENGLISH} == {
        one.id: one.rating == rating for one in ENGLISH
    }


def test_pocketsphinx_vetoes_no_answer_in_a_language_that_it_does_not_know() -> None:
    russian = Phrase("ru-super", "всё было супер", "rating", "top", Path("ru/x.tflite"), 0.5, 0.2)
    assert Sphinx(ENGLISH).agrees(russian, read_wav(SPEECH / "normal.wav"))


@pytest.mark.parametrize(
    ("heard", "agreed"),
    [
        ("everything was super", {"super"}),
        ("everything was okay", {"okay", "normal"}),
        ("it could have been better", {"could-be-better", "not-super"}),
        ("everything was not super", {"could-be-better", "not-super"}),
        ("not okay", {"could-be-better", "not-super"}),
        ("everything was", {one.id for one in ENGLISH}),
        ("", {one.id for one in ENGLISH}),
    ],
)
def test_any_wording_confirms_its_rating_an_opposite_low_and_half_an_answer_vetoes_nothing(
    heard: str, agreed: set[str]
) -> None:
    sphinx, silence = Sphinx(ENGLISH), np.zeros(16_000, np.int16)
    with patch.object(Sphinx, "hear", return_value=heard):
        assert {one.id for one in ENGLISH if sphinx.agrees(one, silence)} == agreed


def test_the_grammar_knows_every_wording_and_its_opposites() -> None:
    texts = ["everything was super", "it was normal", "it was not okay"]
    assert opposites(texts) == ["everything was not super", "it was not normal", "not normal", "not super"]
    for part in (*texts, *opposites(texts)):
        assert f" {part} " in grammar([*texts, *opposites(texts)]).replace(";", " ")
    assert {text for one in ENGLISH for text in one.texts} <= set(Sphinx(ENGLISH).ratings)
