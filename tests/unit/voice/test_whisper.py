"""The second opinion of Whisper: the real model, in its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from demo.sound import SPEECH
from gateway.voice import whisper
from gateway.voice.audio import read_wav
from gateway.voice.confirm import OpinionError
from gateway.voice.engine import RATE, Samples
from gateway.voice.phrases import catalogue
from gateway.voice.whisper import AFTER_S, Whisper, answer_of

ANSWERS = [phrase for phrase in catalogue().values() if phrase.role == "rating"]
SAID = ("super", "normal", "could-be-better")


@pytest.fixture(scope="module")
def ears() -> Iterator[Whisper]:
    """One for all tests: it takes seconds to start."""
    made = Whisper(ANSWERS)
    yield made
    made.close()


def room(seconds: float, level: float = 4) -> Samples:
    """A quiet room."""
    return np.random.default_rng(7).normal(0, level, round(seconds * RATE)).astype(np.int16)


def spoken(name: str) -> Samples:
    """An answer as the confirmer cuts it: AFTER_S follow."""
    sound = read_wav(SPEECH / f"{name}.wav")
    loud = np.flatnonzero(np.abs(sound) > 300)
    return np.concatenate([room(1.0), sound[: loud[-1]], room(AFTER_S)])


@pytest.mark.parametrize("name", SAID)
def test_whisper_confirms_what_was_said_and_vetoes_other_ratings(name: str, ears: Whisper) -> None:
    english = [one for one in ANSWERS if one.head.parent.name == "en"]
    rating = catalogue()[name].rating
    assert {one.id: ears.agrees(one, spoken(name)) for one in english} == {
        one.id: one.rating == rating for one in english
    }


def test_praise_that_goes_on_is_vetoed(ears: Whisper) -> None:
    said, more = spoken("super"), spoken("could-be-better")
    both = np.concatenate([said[: -round(AFTER_S * RATE)], more[round(0.95 * RATE) :]])
    heard, _ = ears.hear(both, "en")
    assert "super" in heard.lower()
    assert "better" in heard.lower()


def test_in_noise_and_where_it_only_guesses_it_vetoes_nothing(ears: Whisper) -> None:
    top = catalogue()["super"]
    noise = room(4.0, 3000)
    assert answer_of(noise) is None
    assert ears.agrees(top, noise)
    for sure, agreed in ((-0.5, False), (-0.6, True)):
        with patch.object(Whisper, "hear", return_value=("Everything was soup.", sure)):
            assert ears.agrees(top, spoken("super")) is agreed


def test_what_was_said_before_a_pause_is_another_matter() -> None:
    before, answer = spoken("normal"), spoken("super")
    sound = np.concatenate([before[: -round(AFTER_S * RATE)], room(0.7), answer[RATE:]])
    own = answer_of(sound)
    assert own is not None
    assert len(answer) - 1.1 * RATE < len(own) < len(answer)
    for pause_s in (0.0, 0.25):
        near = np.concatenate([before[: -round(AFTER_S * RATE)], room(pause_s), answer[RATE:]])
        close = answer_of(near)
        assert close is not None
        assert len(close) > len(own) + 0.5 * RATE


def test_another_process_takes_the_place_of_one_that_died(ears: Whisper) -> None:
    child = ears._child
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    child.wait(10)
    with pytest.raises(OpinionError, match="started anew"):
        ears.hear(spoken("super"), "en")
    assert ears.hear(spoken("super"), "en")[0].lower().startswith("everything was super")


def test_a_language_that_it_does_not_know_is_let_through(ears: Whisper) -> None:
    top = catalogue()["super"]
    elsewhere = replace(top, head=Path("xx/super.tflite"))
    strange = Whisper([elsewhere])
    try:
        assert strange.agrees(elsewhere, spoken("normal"))
    finally:
        strange.close()


def test_its_process_ends_with_whoever_asked() -> None:
    command = "from gateway.voice.whisper import Whisper; w = Whisper([]); print(w._child.pid, flush=True); "
    asker = subprocess.Popen(
        [sys.executable, "-c", command + "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert asker.stdout is not None
    pid = int(asker.stdout.readline())
    asker.kill()
    asker.communicate()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}/cmdline").is_file() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "Whisper's process outlived whoever asked it"
        time.sleep(0.2)


def test_a_model_that_is_not_the_published_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    monkeypatch.setattr(whisper, "_places", lambda: {"config.json": [tmp_path / "config.json"]})
    with pytest.raises(OpinionError, match=r"config.json is not the published one.*script/setup whisper"):
        whisper.model()
