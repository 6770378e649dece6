"""The microphone's loop with real models; only the radio (the sender) is played."""

import io
import logging
import threading
from collections.abc import Callable

import numpy as np
import pytest

from demo.sound import SPEECH
from gateway.voice.audio import PipeSource, read_wav
from gateway.voice.capture import Capture
from gateway.voice.confirm import Recogniser
from gateway.voice.ear import Ear
from gateway.voice.engine import FRAME, Samples
from gateway.voice.microphone import Microphone
from gateway.voice.phrases import catalogue


class Radio:
    """Records what is sent; `up` says whether the link is there."""

    def __init__(self, up: Callable[[], bool] = lambda: True) -> None:
        self.sent: list[tuple[str, dict[str, object], float]] = []
        self.dropped = 0
        self._up = up

    def send(self, kind: str, fields: dict[str, object], happened_s: float) -> bool:
        """As MomentDevice.send."""
        if self._up():
            self.sent.append((kind, fields, happened_s))
        else:
            self.dropped += kind != "health"
        return self._up()

    def of(self, kind: str) -> list[dict[str, object]]:
        """The fields of all events of a kind."""
        return [fields for sent, fields, _ in self.sent if sent == kind]


def silence(seconds: float) -> Samples:
    """Not digital silence: a quiet room."""
    return np.random.default_rng(5).normal(0, 4, int(seconds * 16_000)).astype(np.int16)


def listen(sound: Samples, radio: Radio, recogniser: Recogniser | None = None) -> Capture:
    """Run the loop over `sound` to its end."""
    phrases = [catalogue()[name] for name in ("super", "normal", "rate-visit")]
    capture = Capture(lambda: PipeSource(io.BytesIO(sound.tobytes())))
    capture.start()
    Microphone(radio, capture, Ear(phrases), recogniser=recogniser).run(threading.Event())
    return capture


def spoken(name: str) -> Samples:
    """A recording with silence before and after."""
    return np.concatenate([silence(3), read_wav(SPEECH / f"{name}.wav"), silence(1.5)])


def test_a_spoken_answer_becomes_one_phrase_event_after_a_health_event() -> None:
    radio = Radio()
    listen(spoken("super"), radio)
    assert [kind for kind, _, _ in radio.sent] == ["health", "phrase"]
    assert radio.of("phrase")[0]["id"] == "super"


def test_an_answer_that_ends_with_the_sound_is_still_sent() -> None:
    radio = Radio()
    listen(spoken("super")[: -int(1.2 * 16_000)], radio)
    assert [fields["id"] for fields in radio.of("phrase")] == ["super"]


def test_uptime_counts_from_the_first_sample_so_that_a_file_can_be_placed_in_time() -> None:
    radio = Radio()
    capture = listen(silence(0.5), radio)
    kind, fields, happened_s = radio.sent[0]
    assert kind == "health"
    assert happened_s - float(str(fields["uptime_s"])) == pytest.approx(capture.started_s, abs=0.002)


def test_health_is_sent_again_every_minute_and_not_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    radio = Radio()
    monkeypatch.setattr("gateway.device.HEALTH_S", 0.0)
    listen(silence(0.8), radio)
    assert len(radio.of("health")) >= 10


def test_phrases_that_meet_no_link_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.device.HEALTH_S", 0.0)
    links = {"up": False}
    monkeypatch.setattr("gateway.device.HEALTH_RETRY_S", 0.0)
    radio = Radio(up=lambda: links["up"])
    radio.send = _up_after_a_phrase(radio, links)  # type: ignore[method-assign]
    listen(spoken("super"), radio)
    assert radio.of("phrase") == []
    assert radio.of("health")[-1]["dropped"] == 1


def _up_after_a_phrase(
    radio: Radio, links: dict[str, bool]
) -> Callable[[str, dict[str, object], float], bool]:
    def send(kind: str, fields: dict[str, object], happened_s: float) -> bool:
        sent = Radio.send(radio, kind, fields, happened_s)
        links["up"] = links["up"] or kind == "phrase"
        return sent

    return send


def test_a_gap_in_the_middle_of_a_phrase_is_not_pasted_over(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = spoken("super")
    cut = (3 * 16_000 + len(read_wav(SPEECH / "super.wav")) // 2) // FRAME * FRAME
    radio = Radio()
    capture = Capture(lambda: PipeSource(io.BytesIO(whole.tobytes())))
    accept = capture._accept

    def skipping(data: bytes, offset_s: float, live: bool) -> float:
        if capture._next_sample == cut:
            capture._next_sample += FRAME
        return accept(data, offset_s, live)

    monkeypatch.setattr(capture, "_accept", skipping)
    capture.start()
    phrase = catalogue()["super"]
    Microphone(radio, capture, Ear([phrase])).run(threading.Event())
    assert radio.of("phrase") == []


def test_a_muted_microphone_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        listen(np.zeros(16_000 * 14, np.int16), Radio())
    assert [record.message for record in caplog.records if "only zeros" in record.message] != []
    assert len(caplog.records) == 1
