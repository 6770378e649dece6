"""Near-phrases, spoken by voices that trained nothing: few count as a top rating, of negations none."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest

from gateway.voice.phrases import catalogue
from models.evaluate import phrases as room
from models.training import speech, texts

LIST = tomllib.loads(Path(room.__file__).with_name("near.toml").read_text("utf-8"))
UNTRAINED = {"en": ("en-us+Denis", "en-gb+marcelo"), "ru": ("ru+gustave", "ru+Diogo")}


def spoken(text: str, voice: str) -> np.ndarray:
    """`text` by espeak-ng, mono 16 kHz."""
    command = ["espeak-ng", "-v", voice, "--stdout", "--stdin"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    return speech.resample(np.frombuffer(done.stdout[44:], "<i2") / np.float32(32768), 22_050, 16_000)


def heard_as_top(kind: str, language: str) -> list[tuple[str, str, float]]:
    """Line, voice and score of everything that would have counted; all heads of the language compete."""
    assert shutil.which("espeak-ng"), "not installed: sudo apt install espeak-ng"
    heads = [phrase for phrase in catalogue().values() if phrase.head.parent.name == language]
    ratings, ears = {phrase.id: phrase.rating for phrase in heads}, room.Ears(heads)
    return [
        (text, voice, event.score)
        for text in LIST[kind][language]
        for voice in UNTRAINED[language]
        for event in ears.hear(spoken(text, voice))
        if ratings[event.id] == "top"
    ]


def test_the_list_is_long_and_no_head_was_trained_on_it() -> None:
    assert sum(len(lines) for kind in LIST.values() for lines in kind.values()) >= 60
    for language in ("en", "ru"):
        table = texts.table(language)
        trained = [t for kind in ("near", "negated", "talk") for t in table[kind]["texts"]]
        for phrase in table["phrases"].values():
            trained += [*phrase["texts"], *phrase.get("near", [])]
        lines = {texts.plain(line) for kind in LIST.values() for line in kind[language]}
        assert not lines & {texts.plain(text) for text in trained}
    assert not {voice.split("+")[1] for pair in UNTRAINED.values() for voice in pair} & set(speech.VARIANTS)


@pytest.mark.parametrize(("language", "known"), [("en", set()), ("ru", {"всё будет супер"})])
def test_no_negation_is_heard_as_top_but_for_one_known(language: str, known: set[str]) -> None:
    assert {text for text, _, _ in heard_as_top("negated", language)} <= known


@pytest.mark.parametrize(("language", "most"), [("en", 5), ("ru", 3)])
def test_few_words_that_sound_like_it_are_heard_as_top(language: str, most: int) -> None:
    assert len(heard_as_top("sounds", language)) <= most


@pytest.mark.parametrize("language", ["en", "ru"])
def test_of_quoted_answers_few_are_heard_as_top(language: str) -> None:
    found = heard_as_top("second_quotes", language)
    assert len(found) <= 2  # of 20; of heads alone 15
