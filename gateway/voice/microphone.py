"""The microphone process: sound in, `phrase` and `health` events out. Sound is only ever in memory."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from gateway.config import Site
from gateway.device import Health, MomentDevice
from gateway.supervisor import stop_on_signals
from gateway.tflite import ModelError
from gateway.voice.audio import AudioError, opener
from gateway.voice.capture import Capture, Frame
from gateway.voice.engine import FRAME_S, Engine
from gateway.voice.phrases import CardError, Phrase, catalogue, choose
from gateway.voice.spotter import Spotted, Spotter
from models.fetch import FetchError

log = logging.getLogger(__name__)

MUTE_AFTER_S = 3.0
ZERO_WARNING_S = 10.0
TAKE_TIMEOUT_S = 0.5
DONE, FAILED, CANNOT = 0, 1, 2


class Sender(Protocol):
    """What the microphone needs of MomentDevice."""

    dropped: int

    def send(self, kind: str, fields: dict[str, object], happened_s: float) -> bool:
        """Publish an event that happened at monotonic `happened_s`; False: dropped and counted."""


class Microphone:
    """Takes frames from a capture, spots phrases, sends events; one thread."""

    def __init__(self, device: Sender, capture: Capture, engine: Engine, spotter: Spotter) -> None:
        self._device = device
        self._capture = capture
        self._engine = engine
        self._spotter = spotter
        self._next_sample = 0
        self._zero_s = 0.0
        self._health = Health(device.send, self._figures, capture.started_s)

    def run(self, stop: threading.Event) -> None:
        """Listen until `stop` is set or the sound has ended."""
        while not stop.is_set() and not self._capture.is_over:
            self._health.tick(time.monotonic())
            self._restart_when_mute()
            if frame := self._capture.take(TAKE_TIMEOUT_S):
                self._hear(frame)
        self._send(self._spotter.flush())

    def _hear(self, frame: Frame) -> None:
        if frame.start != self._next_sample:
            self._engine.reset()
            self._spotter.reset()
        self._next_sample = frame.start + len(frame.samples)
        self._watch_for_zeros(frame)
        scores = self._engine.push(frame.samples)
        if scores is not None:
            self._send(self._spotter.push(frame.end_s, scores))

    def _send(self, spotted: Spotted | None) -> None:
        if spotted:
            fields: dict[str, object] = {"id": spotted.id, "score": round(min(1.0, spotted.score), 4)}
            self._device.send("phrase", fields, spotted.end_s)

    def _watch_for_zeros(self, frame: Frame) -> None:
        """Nothing but zeros for long is a muted microphone or the wrong card."""
        self._zero_s = 0.0 if frame.samples.any() else self._zero_s + FRAME_S
        if ZERO_WARNING_S <= self._zero_s < ZERO_WARNING_S + FRAME_S:
            log.warning("the microphone gives only zeros; is it muted, or is the name of another card right?")

    def _restart_when_mute(self) -> None:
        if self._capture.is_live and self._capture.mute_s > MUTE_AFTER_S:
            self._capture.close_source()

    def _figures(self) -> dict[str, object]:
        return {
            "dropped": self._device.dropped,
            "sound_lost_s": round(self._capture.dropped * FRAME_S, 2),
            "sound_restarts": self._capture.restarts,
            "zero_s": round(self._zero_s),
        }


def run_microphone(site: Site, device: str, state_dir: Path) -> int:
    """The microphone process of `device`; ends at the end of a file or pipe, or on SIGTERM. An exit status.

    0: stopped, or the sound is over. 1: start again. 2: a person must act. A lost card is waited for.
    """
    if device not in site.microphones:
        log.error("%s: site.toml has no [microphones.%s]; give its source there", device, device)
        return CANNOT
    try:
        _serve(site, device, state_dir, stop_on_signals())
    except (AudioError, ModelError, FetchError, CardError) as error:
        log.error("%s: %s", device, error)
        return FAILED if isinstance(error, FetchError) else CANNOT
    return DONE


def _serve(site: Site, device: str, state_dir: Path, stop: threading.Event) -> None:
    """Wires the process: models first, so that a file starts to play only when it is listened to."""
    source = site.microphones[device]
    phrases = _phrases(site)
    engine = Engine({phrase.id: phrase.head for phrase in phrases})
    capture = Capture(opener(source.source, source.loop))
    sender = MomentDevice(site.broker.address(), site.site, device, state_dir, lambda command: None)
    capture.start()
    try:
        sender.start()
        Microphone(sender, capture, engine, Spotter(phrases)).run(stop)
    finally:
        capture.stop()
        sender.stop()


def _phrases(site: Site) -> Sequence[Phrase]:
    """The heads of the site's phrases; those without one are named in the log."""
    chosen, without = choose(site.phrases, catalogue())
    if without:
        log.warning("no model hears %s; known are %s", ", ".join(without), ", ".join(catalogue()))
    return chosen
