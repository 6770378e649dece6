"""Who gives the second opinion, and what it does to a recording."""

from __future__ import annotations

import json

import numpy as np
import pytest

from demo.sound import SPEECH
from gateway import cli
from gateway.voice import opinion, whisper
from gateway.voice.confirm import OpinionError
from gateway.voice.opinion import confirmed, recogniser
from gateway.voice.phrases import catalogue
from gateway.voice.spotter import Spotted
from tests.unit.voice.deaf import Deaf

PHRASES = [catalogue()["super"], catalogue()["rate-visit"]]


def test_whisper_is_asked_where_it_is_installed_and_nobody_where_it_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with opinion.asked("auto", PHRASES) as ears:
        assert isinstance(ears, whisper.Whisper)
        child = ears._child
    assert child is not None
    assert child.poll() is not None, "its process ends with the block"
    monkeypatch.setattr(whisper, "is_installed", lambda: False)
    assert recogniser("auto", PHRASES) is None
    with pytest.raises(OpinionError, match="script/setup whisper"):
        recogniser("whisper", PHRASES)


@pytest.mark.parametrize("name", ["none", ""])
def test_nobody_is_asked_where_none_is_wanted_or_nothing_is_answered(name: str) -> None:
    assert recogniser(name, PHRASES) is None
    assert recogniser("auto", PHRASES[1:]) is None


def test_only_answers_are_asked_about_with_their_surroundings() -> None:
    sound = np.arange(32_000, dtype=np.int16)
    answer, ask = Spotted("super", 0.9, 1.5), Spotted("rate-visit", 0.9, 1.0)
    ears = Deaf()
    assert confirmed([ask, answer], PHRASES, sound, 0.0, ears) == ([ask], [answer])
    (heard,) = ears.heard
    assert (len(heard), heard[0], heard[31_999], heard[32_000], heard[-1]) == (40_000, 0, 31_999, 0, 0)
    assert confirmed([ask, answer], PHRASES, sound, 0.0, None) == ([ask, answer], [])


def test_times_count_from_where_the_sound_begins() -> None:
    ears = Deaf()
    confirmed([Spotted("super", 0.9, 1.0)], PHRASES, np.arange(32_000, dtype=np.int16), -1.0, ears)
    assert (len(ears.heard[0]), ears.heard[0][0]) == (48_000, 0)


def test_the_command_tells_what_is_vetoed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = str(SPEECH / "super.wav")
    for confirm in ("none", "whisper"):
        assert cli.main(["voice", said, "--json", "--confirm", confirm]) == 0
        found = json.loads(capsys.readouterr().out)
        assert ([one["id"] for one in found["phrases"]], found["vetoed"]) == (["super"], [])
    monkeypatch.setattr(whisper.Whisper, "agrees", lambda *_: False)
    assert cli.main(["voice", said]) == 0
    told = capsys.readouterr().out
    assert "super" in told
    assert "vetoed by the second opinion" in told
    assert "0 phrases in" in told


def test_the_command_says_how_to_get_one_that_is_not_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper, "is_installed", lambda: False)
    assert cli.main(["voice", str(SPEECH / "super.wav"), "--confirm", "whisper"]) == 2
    assert "script/setup whisper" in capsys.readouterr().err
