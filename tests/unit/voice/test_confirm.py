"""A second opinion may veto an answer within a second; late, broken or unsure it vetoes nothing."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import numpy as np
import pytest

from gateway.voice.confirm import Confirmer
from gateway.voice.engine import FRAME, Samples
from gateway.voice.phrases import Phrase
from gateway.voice.spotter import Spotted
from tests.unit.voice.test_microphone import Radio, listen, spoken

ANSWER = Spotted("super", 0.9, 10.0)
PHRASE = Phrase("super", "everything was super", "rating", "top", Path("en/super.tflite"), 0.5, 0.2)


def confirmed(agrees: object, allowed_s: float = 1.0) -> tuple[list[Spotted], Confirmer, float]:
    """What was sent of one held answer, and after how many seconds all was decided."""
    sent: list[Spotted] = []
    confirmer = Confirmer(agrees, sent.append, allowed_s)  # type: ignore[arg-type]
    began_s = time.monotonic()
    confirmer.hold(ANSWER, PHRASE)
    confirmer.close()
    return sent, confirmer, time.monotonic() - began_s


def test_a_confirmed_answer_is_sent_and_a_vetoed_one_is_counted() -> None:
    sent, confirmer, _ = confirmed(lambda phrase, sound: phrase.id == "super")
    assert (sent, confirmer.figures()["vetoed"]) == ([ANSWER], 0)
    sent, confirmer, _ = confirmed(lambda phrase, sound: False)
    assert (sent, confirmer.figures()["vetoed"]) == ([], 1)


def test_a_late_word_vetoes_nothing_and_holds_up_nobody() -> None:
    def slow(_phrase: Phrase, _sound: Samples) -> bool:
        time.sleep(0.8)
        return False

    sent, confirmer, took_s = confirmed(slow, allowed_s=0.1)
    assert (sent, confirmer.figures()["confirm_late"]) == ([ANSWER], 1)
    assert took_s < 0.6


def test_a_recogniser_that_breaks_is_told_once_and_vetoes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_phrase: Phrase, _sound: Samples) -> bool:
        raise RuntimeError("no model")

    with caplog.at_level(logging.WARNING):
        sent, confirmer, _ = confirmed(broken)
    assert (sent, confirmer.figures()["confirm_failed"]) == ([ANSWER], 1)
    assert "it counts all the same" in caplog.text


def test_it_hears_the_two_seconds_around_the_last_word() -> None:
    heard: list[Samples] = []
    confirmer = Confirmer(lambda phrase, sound: heard.append(sound) is None, lambda one: None)
    for number in range(130):
        confirmer.push(number * FRAME, np.full(FRAME, number, np.int16), (number + 1) * 0.08)
    confirmer.hold(ANSWER, PHRASE)
    confirmer.close()
    assert (len(heard[0]), int(heard[0][0]), int(heard[0][-1])) == (36_800, 100, 128)


def test_a_microphone_that_asks_for_a_second_opinion_sends_what_is_confirmed() -> None:
    for agrees, expected in ((True, ["super"]), (False, [])):
        radio = Radio()
        listen(spoken("super"), radio, lambda _phrase, _sound, agrees=agrees: agrees)
        assert [fields["id"] for fields in radio.of("phrase")] == expected
