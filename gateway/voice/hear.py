"""`emobox voice WAV`: what the microphone process would have heard in a file, as fast as possible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gateway.voice import opinion
from gateway.voice.arming import Arming
from gateway.voice.audio import frames_of, read_wav
from gateway.voice.ear import Ear
from gateway.voice.engine import FRAME, FRAME_S, RATE, WARM_UP_FRAMES, Samples
from gateway.voice.phrases import Phrase, catalogue
from gateway.voice.spotter import Spotted

TAIL_FRAMES = 12


def voice_file(
    wav: Path,
    ids: Sequence[str] | None = None,
    heads: Path | None = None,
    timeout_s: float | None = None,
    confirm: str = opinion.NONE,
) -> dict[str, Any]:
    """The phrases spoken in `wav`, as JSON-ready data; `ids` limits them, `heads` holds further heads.

    `timeout_s`: answers count only so long after an ask phrase; None: at any time. `confirm`: who gives a
    second opinion on answers (opinion.py). Raises AudioError for a file that is no 16 kHz mono 16-bit WAV,
    FetchError, ModelError, CardError, OpinionError.
    """
    every = known(heads)
    phrases = [every[name] for name in ids] if ids is not None else list(every.values())
    samples = read_wav(wav)
    spotted, highest = hear(samples, phrases, Arming(timeout_s) if timeout_s is not None else None)
    with opinion.asked(confirm, phrases) as ears:
        counted, vetoed = opinion.confirmed(spotted, phrases, samples, 0.0, ears)
    return {
        "file": str(wav),
        "seconds": round(len(samples) / RATE, 3),
        "phrases": [plain(every[event.id], event.score, event.end_s) for event in counted],
        "vetoed": [plain(every[event.id], event.score, event.end_s) for event in vetoed],
        "highest": {name: round(score, 4) for name, score in highest.items()},
    }


def known(heads: Path | None = None) -> dict[str, Phrase]:
    """The shipped phrases and those of a shop's own folder, which win. Raises CardError."""
    return catalogue() | (catalogue(heads) if heads else {})


def hear(
    samples: Samples, phrases: Sequence[Phrase], arming: Arming | None = None
) -> tuple[list[Spotted], dict[str, float]]:
    """Events of `samples` (int16, 16 kHz), times from their start; and the highest score of each phrase.

    Silence is put before and after, so that the first and the last word of a short file are judged too.
    """
    ear = Ear(phrases, arming)
    lead = np.zeros(WARM_UP_FRAMES * FRAME, np.int16)
    tail = np.zeros(TAIL_FRAMES * FRAME, np.int16)
    events: list[Spotted] = []
    highest = {phrase.id: 0.0 for phrase in phrases}
    for number, frame in enumerate(frames_of(np.concatenate([lead, samples, tail])), 1 - WARM_UP_FRAMES):
        events += ear.hear(frame, number * FRAME_S)
        highest |= {name: max(score, highest[name]) for name, score in ear.scores.items()}
    return [*events, *ear.flush()], highest


def plain(phrase: Phrase, score: float, end_s: float) -> dict[str, Any]:
    """One phrase as JSON-ready data; `end_s` is the end of its last word."""
    said = {"id": phrase.id, "text": phrase.text, "role": phrase.role, "rating": phrase.rating or None}
    return said | {"score": round(score, 4), "end_s": round(end_s, 3)}


def line(said: dict[str, Any]) -> str:
    """The same for a person."""
    return f"{said['end_s']:8.2f} s  {said['id']:<20} {said['score']:.2f}  “{said['text']}”"


def lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for a person."""
    yield from map(line, report["phrases"])
    yield from (f"{line(said)}: vetoed by the second opinion" for said in report["vetoed"])
    yield f"{len(report['phrases'])} phrases in {report['seconds']:.1f} s of {report['file']}"
