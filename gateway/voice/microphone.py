"""The microphone process: sound in, `phrase` and `health` events out. Sound is only ever in memory."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from gateway.clips import clips_of
from gateway.config import Site
from gateway.device import Health, MomentDevice
from gateway.privacy import why_no_clips
from gateway.supervisor import stop_on_signals
from gateway.tflite import ModelError
from gateway.voice import opinion
from gateway.voice.arming import Arming
from gateway.voice.audio import AudioError, opener
from gateway.voice.capture import Capture, Frame
from gateway.voice.confirm import Confirmer, OpinionError, Recogniser
from gateway.voice.ear import Ear
from gateway.voice.engine import FRAME_S
from gateway.voice.keeper import Keeper
from gateway.voice.level import Level
from gateway.voice.phrases import CardError, Phrase, catalogue, choose
from gateway.voice.spotter import RATING, Spotted
from models.fetch import FetchError

log = logging.getLogger(__name__)

MUTE_AFTER_S = 3.0
ZERO_WARNING_S = 10.0
TAKE_TIMEOUT_S = 0.5
OWN_HEADS = "phrases"  # below the store: <language>/<id>.tflite and its card
DONE, FAILED, CANNOT = 0, 1, 2


class Sender(Protocol):
    """What the microphone needs of MomentDevice."""

    dropped: int

    def send(self, kind: str, fields: dict[str, object], happened_s: float) -> bool:
        """Publish an event that happened at monotonic `happened_s`; False: dropped and counted."""


class Microphone:
    """Takes frames from a capture, spots phrases, sends events; one thread."""

    def __init__(
        self,
        device: Sender,
        capture: Capture,
        ear: Ear,
        keeper: Keeper | None = None,
        recogniser: Recogniser | None = None,
    ) -> None:
        self._device, self._capture, self._ear, self._keeper = device, capture, ear, keeper
        self._confirmer = Confirmer(recogniser, self._publish) if recogniser else None
        self._next_sample = 0
        self._zero_s = 0.0
        self._heard_s: float | None = None
        self._level = Level()
        self._health = Health(device.send, self._figures, capture.started_s)

    def run(self, stop: threading.Event) -> None:
        """Listen until `stop` is set or the sound has ended."""
        while not stop.is_set() and not self._capture.is_over:
            self._health.tick(time.monotonic())
            self._restart_when_mute()
            if frame := self._capture.take(TAKE_TIMEOUT_S):
                self._hear(frame)
            elif self._confirmer:
                self._confirmer.tick(time.monotonic())
        self._send(self._ear.flush())
        if self._confirmer:
            self._confirmer.close()

    def _hear(self, frame: Frame) -> None:
        if frame.start != self._next_sample:
            self._ear.reset()
        self._next_sample = frame.start + len(frame.samples)
        if self._confirmer:
            self._confirmer.push(frame.start, frame.samples, frame.end_s)
        self._send(self._ear.hear(frame.samples, frame.end_s))
        self._watch_for_zeros(frame)
        self._level.push(frame.samples)
        if self._keeper:
            self._keeper.push(frame)

    def _send(self, spotted: Iterable[Spotted]) -> None:
        for one in spotted:
            phrase = self._ear.phrases[one.id]
            if self._confirmer and phrase.role == RATING:
                self._confirmer.hold(one, phrase)
            else:
                self._publish(one)

    def _publish(self, one: Spotted) -> None:
        self._heard_s = one.end_s
        fields: dict[str, object] = {"id": one.id, "score": round(min(1.0, one.score), 4)}
        self._device.send("phrase", fields, one.end_s)

    def _watch_for_zeros(self, frame: Frame) -> None:
        """Nothing but zeros for long is a muted microphone or the wrong card."""
        self._zero_s = 0.0 if frame.samples.any() else self._zero_s + FRAME_S
        if ZERO_WARNING_S <= self._zero_s < ZERO_WARNING_S + FRAME_S:
            log.warning("the microphone gives only zeros; is it muted, or is the name of another card right?")

    def _restart_when_mute(self) -> None:
        if self._capture.is_live and self._capture.mute_s > MUTE_AFTER_S:
            self._capture.close_source()

    def _figures(self) -> dict[str, object]:
        figures: dict[str, object] = {
            "dropped": self._device.dropped,
            "sound_lost_s": round(self._capture.dropped * FRAME_S, 2),
            "sound_restarts": self._capture.restarts,
            "zero_s": round(self._zero_s),
        }
        if self._heard_s is not None:
            figures["heard_ago_s"] = round(time.monotonic() - self._heard_s)
        figures |= self._level.figures() | self._ear.figures()
        for part in (self._keeper, self._confirmer):
            figures |= part.figures() if part else {}
        return figures


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
    source, point = site.microphones[device], site.point_of[device]
    arming = Arming(site.timeout_ms(point) / 1000)
    phrases = _phrases(site)
    ear = Ear(phrases, None if site.voice.spontaneous else arming)
    capture = Capture(opener(source.source, source.loop))
    keeper = _keeper(site, device)
    obey = [arming.command, *([keeper.command] if keeper else [])]
    sender = MomentDevice(
        site.broker.address(), site.site, device, state_dir, lambda command: _each(obey, command)
    )
    capture.start()
    try:
        sender.start()
        Microphone(sender, capture, ear, keeper, _recogniser(site, phrases)).run(stop)
    finally:
        capture.stop()
        sender.stop()
        if keeper:
            keeper.close()


def _keeper(site: Site, device: str) -> Keeper | None:
    """Where clips of sound may be kept; else None, and not even in memory is sound longer than seconds."""
    why_not = why_no_clips(site.region, switched_on=site.voice.clips, consent=site.voice.clips_consent)
    if site.voice.clips and why_not:
        log.warning("no clip of sound is kept: %s", why_not)
    return None if why_not else Keeper(clips_of(site), device, site.point_of[device])


def _recogniser(site: Site, phrases: Sequence[Phrase]) -> Recogniser | None:
    """Who gives a second opinion, where that is installed."""
    try:
        return opinion.recogniser(site.voice.confirm, phrases)
    except OpinionError as error:
        log.warning('answers are not confirmed: %s, or set voice.confirm to "none"', error)
        return None


def _each(obey: Iterable[Callable[[dict[str, object]], None]], command: dict[str, object]) -> None:
    for one in obey:
        one(command)


def _phrases(site: Site) -> Sequence[Phrase]:
    """The heads of the site's phrases, in the roles that site.toml gives; the log names those without one."""
    known = catalogue() | catalogue(Path(site.store.path) / OWN_HEADS)
    chosen, without = choose(site.phrases, known)
    if without:
        log.warning("no model hears %s; known are %s", ", ".join(without), ", ".join(known))
    return [
        replace(phrase, role=site.phrases[phrase.id].role, rating=site.phrases[phrase.id].rating or "")
        for phrase in chosen
    ]
