"""Level and clipping: what a microphone says of its sound, in words for a shop, on page and in doctor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gateway.checks.events import check_journal
from gateway.config import parse_site
from gateway.sound import words
from gateway.voice.engine import FRAME, RATE, Samples
from gateway.voice.level import Level
from tests.web.shop import NOON, open_shop, table
from tests.web.test_browser import visit


def tone(amplitude: float, seconds: float = 1.0) -> Samples:
    """A sine, cut off at full scale as a card does."""
    wave = amplitude * np.sin(np.arange(int(seconds * RATE)) * 2 * np.pi * 440 / RATE)
    return np.clip(np.round(wave), -32768, 32767).astype(np.int16)


def level_of(*sounds: Samples) -> Level:
    level = Level()
    for sound in sounds:
        for frame in sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME):
            level.push(frame)
    return level


@pytest.mark.parametrize(
    ("sound", "word"),
    [
        (np.zeros(RATE, np.int16), "no sound at all"),
        (tone(100), "too quiet"),
        (tone(3000), "fine"),
        (tone(30_000), "fine"),
        (tone(40_000), "clipping"),
    ],
)
def test_says_how_loud_it_is_in_the_words_of_a_shop(sound: Samples, word: str) -> None:
    what, do = words(level_of(sound).figures())
    assert what == word
    assert (do == "") == (word == "fine")


def test_the_level_is_that_of_the_loudest_80_ms_and_the_floor_that_of_the_quiet_ones() -> None:
    figures = level_of(tone(30, 4.0), tone(3277, 0.16), tone(30, 4.0)).figures()
    assert figures["level_db"] == pytest.approx(-23, abs=0.2)
    assert figures["floor_db"] == pytest.approx(-63.8, abs=0.3)


def test_what_was_a_minute_ago_is_forgotten() -> None:
    assert words(level_of(tone(40_000, 1.0), tone(3000, 61.0)).figures())[0] == "fine"


def test_a_device_that_says_nothing_or_nonsense_of_its_sound_has_no_word() -> None:
    assert words({}) == words({"level_db": "loud", "clipped": 0}) == ("", "")


def test_the_page_shows_the_level_what_to_do_and_when_a_phrase_was_heard_last(tmp_path: Path) -> None:
    figures = {"level_db": -50.0, "clipped": 0.0, "heard_ago_s": 60, "sound_lost_s": 0.4, "undecided": 2}
    with open_shop(tmp_path) as shop:
        shop.send("mic-1", NOON, "health", dropped=3, **figures)
        shop.catch_up()
        (row,) = [one for one in shop.today().devices if one.name == "mic-1"]
        others = [one.sound for one in shop.today().devices if one.name != "mic-1"]
    assert row.sound is not None
    assert (row.sound.level, row.sound.heard, row.sound.lost_s) == ("too quiet", "11:59:00", 0.4)
    assert "move the microphone nearer" in row.sound.do
    assert row.health["dropped"] == 3
    assert set(others) == {None}


@pytest.mark.parametrize("wrong", [{"heard_ago_s": -1}, {"heard_ago_s": 1e300}, {"sound_lost_s": 1e308}])
def test_figures_beyond_measure_do_no_harm(tmp_path: Path, wrong: dict[str, float]) -> None:
    with open_shop(tmp_path) as shop:
        shop.send("mic-1", NOON, "health", level_db=-20.0, clipped=0.0, **wrong)
        shop.catch_up()
        (row,) = [one for one in shop.today().devices if one.name == "mic-1"]
    assert row.sound is not None
    assert (row.sound.level, row.sound.heard) == ("fine", None)


def test_the_browser_shows_the_word_in_red_and_the_last_phrase(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.send("mic-1", NOON, "health", level_db=-20.0, clipped=0.01, heard_ago_s=60)
        shop.catch_up()
        shown = visit(shop, tmp_path)
    assert shown.figures["sound-mic-1"] == "clipping"
    assert "1.00 % cut off · last phrase 11:59:00" in shown.text


def test_the_doctor_says_how_each_microphone_hears(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.send("mic-1", NOON, "health", level_db=-60.0, clipped=0.0, sound_lost_s=1.5, sound_restarts=2)
    findings = list(check_journal(parse_site(table(store={"path": str(tmp_path)}))))
    said = {finding.what: finding for finding in findings if "microphone mic-1" in finding.what}
    assert [(one.level, bool(one.do)) for one in said.values()] == [("warning", True)] * 2
    assert list(said) == [
        "microphone mic-1: its sound is too quiet (-60 dB)",
        "microphone mic-1: 1.5 s of sound lost, opened again 2 times",
    ]
