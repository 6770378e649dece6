"""The second opinion of pocketsphinx on English answers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from demo.sound import SPEECH
from gateway.voice.audio import read_wav
from gateway.voice.phrases import Phrase, catalogue

if sys.version_info[:2] == (3, 12):
    pytest.skip("pocketsphinx 5.1.1 has no wheel for Python 3.12", allow_module_level=True)

from gateway.voice.sphinx import Sphinx, grammar

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


def test_the_grammar_knows_every_answer_and_its_opposites() -> None:
    text = grammar(["everything was super", "it was normal"])
    for part in ("everything was super", "everything was not super", "not super", "it was not normal"):
        assert f" {part} " in text.replace(";", " ")
