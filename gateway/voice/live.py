"""`emobox voice --microphone`: what a microphone hears now, phrase by phrase, until the sound ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gateway.sound import words
from gateway.voice.arming import Arming
from gateway.voice.audio import AudioError, opener
from gateway.voice.capture import Capture, Frame
from gateway.voice.ear import Ear
from gateway.voice.level import Level
from gateway.voice.phrases import Phrase
from gateway.voice.spotter import Spotted

LEVEL_EVERY_S = 1.0
TAKE_S = 0.5
MUTE_S = 2.5


@dataclass(frozen=True, slots=True)
class Live:
    """A phrase as it was heard; `end_s` counts from the first sound, `time` is the local wall time of it."""

    phrase: Phrase
    score: float
    end_s: float
    time: str


def listen(
    source: str,
    phrases: list[Phrase],
    arming: Arming | None,
    stop: threading.Event,
    on_level: Callable[[str], None],
) -> Iterator[Live]:
    """Phrases from an ALSA card, a FIFO or `-`, as they are heard; `on_level` gets a line a second.

    Raises AudioError when the sound cannot be had, also when a card falls silent altogether.
    """
    ear, capture, level = Ear(phrases, arming), Capture(opener(source)), Level(period_s=5.0)
    capture.start()
    next_sample, due_s, heard_s = 0, 0.0, time.monotonic()
    try:
        while not stop.is_set() and not capture.is_over:
            if capture.is_live and time.monotonic() - heard_s > MUTE_S:
                raise AudioError(f"{source}: gives no sound; `arecord -L` lists the cards of this machine")
            if frame := capture.take(TAKE_S):
                heard_s = time.monotonic()
                if frame.start != next_sample:
                    ear.reset()
                next_sample = frame.start + len(frame.samples)
                level.push(frame.samples)
                yield from (_live(one, ear, capture) for one in ear.hear(frame.samples, frame.end_s))
                due_s = _tell(frame, due_s, level, on_level)
        yield from (_live(one, ear, capture) for one in ear.flush())
    finally:
        capture.stop()


def _tell(frame: Frame, due_s: float, level: Level, on_level: Callable[[str], None]) -> float:
    if frame.end_s < due_s:
        return due_s
    figures = level.figures()
    what, do = words(figures)
    on_level(f"level {figures['level_db']} dB: {what}{f' ({do})' if do else ''}")
    return frame.end_s + LEVEL_EVERY_S


def _live(one: Spotted, ear: Ear, capture: Capture) -> Live:
    wall = datetime.fromtimestamp(time.time() - (time.monotonic() - one.end_s)).astimezone()
    end_s = one.end_s - capture.started_s
    return Live(ear.phrases[one.id], one.score, end_s, wall.isoformat(timespec="milliseconds"))
