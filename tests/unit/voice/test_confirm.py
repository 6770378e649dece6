"""A second opinion may veto an answer in its time; late, broken or unsure it vetoes nothing."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gateway.voice.audio import PipeSource
from gateway.voice.capture import Capture
from gateway.voice.confirm import Confirmer
from gateway.voice.ear import Ear
from gateway.voice.engine import FRAME, RATE, Samples
from gateway.voice.microphone import Microphone
from gateway.voice.phrases import Phrase, catalogue
from gateway.voice.spotter import Spotted
from tests.unit.voice.test_microphone import Radio, listen, spoken
from tests.waiting import wait_for

ANSWER = Spotted("super", 0.9, 10.0)
PHRASE = Phrase("super", "everything was super", "rating", "top", Path("en/super.tflite"), 0.5, 0.2)


class Ears:
    """Says what it is told to say, and remembers what it was asked."""

    before_s, after_s = 2.0, 0.3

    def __init__(self, says: bool | Callable[[], bool], allowed_s: float = 1.0) -> None:
        self._says, self.allowed_s = says, allowed_s
        self.heard: list[Samples] = []
        self.is_closed = False

    def agrees(self, phrase: Phrase, sound: Samples) -> bool:
        assert phrase.id == "super"
        self.heard.append(sound)
        return self._says if isinstance(self._says, bool) else self._says()

    def close(self) -> None:
        self.is_closed = True


def confirmed(ears: Ears) -> tuple[list[Spotted], Confirmer, float]:
    """What was sent of one held answer, and after how many seconds all was decided."""
    sent: list[Spotted] = []
    confirmer = Confirmer(ears, sent.append)
    began_s = time.monotonic()
    confirmer.hold(ANSWER, PHRASE)
    confirmer.close()
    assert ears.is_closed
    return sent, confirmer, time.monotonic() - began_s


def test_a_confirmed_answer_is_sent_and_a_vetoed_one_is_counted() -> None:
    sent, confirmer, _ = confirmed(Ears(True))
    assert (sent, confirmer.figures()["vetoed"]) == ([ANSWER], 0)
    sent, confirmer, _ = confirmed(Ears(False))
    assert (sent, confirmer.figures()["vetoed"]) == ([], 1)


def test_a_late_word_vetoes_nothing_and_holds_up_nobody() -> None:
    def slow() -> bool:
        time.sleep(0.8)
        return False

    sent, confirmer, took_s = confirmed(Ears(slow, allowed_s=0.1))
    assert (sent, confirmer.figures()["confirm_late"]) == ([ANSWER], 1)
    assert took_s < 0.6


def test_a_recogniser_that_breaks_is_told_once_and_vetoes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> bool:
        raise RuntimeError("no model")

    with caplog.at_level(logging.WARNING):
        sent, confirmer, _ = confirmed(Ears(broken))
    assert (sent, confirmer.figures()["confirm_failed"]) == ([ANSWER], 1)
    assert "it counts all the same" in caplog.text


def push(confirmer: Confirmer, frames: range) -> None:
    """Sound whose samples are the number of their frame."""
    for number in frames:
        confirmer.push(number * FRAME, np.full(FRAME, number, np.int16), (number + 1) * 0.08)


@pytest.mark.parametrize("held_at", [125, 126, 130])
def test_it_hears_what_lies_around_the_last_word_whenever_the_answer_is_held(held_at: int) -> None:
    ears, sent = Ears(True), list[Spotted]()
    confirmer = Confirmer(ears, sent.append)
    push(confirmer, range(held_at))
    confirmer.hold(ANSWER, PHRASE)
    push(confirmer, range(held_at, 135))
    confirmer.close()
    (heard,) = ears.heard
    assert (len(heard), int(heard[0]), int(heard[-1]), sent) == (36_800, 100, 128, [ANSWER])


def test_nobody_is_asked_before_what_follows_was_heard() -> None:
    ears = Ears(True)
    confirmer = Confirmer(ears, lambda one: None)
    push(confirmer, range(128))
    confirmer.hold(ANSWER, PHRASE)
    time.sleep(0.1)
    assert not ears.heard
    push(confirmer, range(128, 129))
    confirmer.close()
    assert len(ears.heard) == 1


def test_an_answer_whose_sound_is_there_already_is_asked_about_at_once() -> None:
    ears = Ears(True)
    confirmer = Confirmer(ears, lambda one: None)
    push(confirmer, range(129))
    confirmer.hold(ANSWER, PHRASE)
    wait_for(lambda: bool(ears.heard), "the second opinion")
    confirmer.close()


def test_an_answer_does_not_wait_for_sound_that_no_longer_comes() -> None:
    ears = Ears(True)
    confirmer = Confirmer(ears, lambda one: None)
    push(confirmer, range(126))
    confirmer.hold(ANSWER, PHRASE)
    confirmer.tick(ANSWER.end_s + 0.2)
    time.sleep(0.1)
    assert not ears.heard
    confirmer.tick(ANSWER.end_s + 0.4)
    wait_for(lambda: bool(ears.heard), "the second opinion")
    confirmer.close()


def test_sound_that_ends_too_soon_is_asked_about_as_it_is() -> None:
    ears, sent = Ears(True), list[Spotted]()
    confirmer = Confirmer(ears, sent.append)
    push(confirmer, range(126))
    confirmer.hold(ANSWER, PHRASE)
    confirmer.close()
    assert (len(ears.heard[0]), sent) == (33_280, [ANSWER])


@pytest.mark.parametrize(("says", "expected"), [(True, ["super"]), (False, [])])
def test_a_microphone_that_asks_for_a_second_opinion_sends_what_is_confirmed(
    says: bool, expected: list[str]
) -> None:
    radio = Radio()
    listen(spoken("super"), radio, Ears(says))
    assert [fields["id"] for fields in radio.of("phrase")] == expected


def test_an_ask_is_nobodys_to_veto() -> None:
    radio, ears = Radio(), Ears(False)
    listen(spoken("rate-visit"), radio, ears)
    assert ([fields["id"] for fields in radio.of("phrase")], ears.heard) == (["rate-visit"], [])


def test_a_microphone_whose_sound_stops_sends_what_was_answered() -> None:
    class Patient(Ears):
        after_s = 1.0

    radio, stop, (read_end, write_end) = Radio(), threading.Event(), os.pipe()
    sound = spoken("super")[: -round(0.9 * RATE)]
    capture = Capture(lambda: PipeSource(os.fdopen(read_end, "rb")))
    capture.start()
    microphone = Microphone(radio, capture, Ear([catalogue()["super"]]), recogniser=Patient(True))
    thread = threading.Thread(target=microphone.run, args=(stop,))
    thread.start()
    with os.fdopen(write_end, "wb") as pipe:
        pipe.write(sound.tobytes())
        pipe.flush()
        wait_for(lambda: bool(radio.of("phrase")), "the answer")
        stop.set()
    thread.join()
    capture.stop()
