"""`emobox models evaluate phrases`: recall and false accepts per hour of phrase heads on labelled recordings.

The product's own embeddings (features.py gives them to the last bit), thresholds and spotter are used. Each
recording is judged by itself, with silence (or the noise asked for) before and after it, as by a microphone
that was on before.
"""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from scipy.stats import chi2
from tqdm import tqdm

from gateway.indices.intervals import wilson
from gateway.voice.check import Check
from gateway.voice.confirm import Recogniser
from gateway.voice.ear import Ear
from gateway.voice.engine import FRAME, FRAME_S, HEAD_WINDOW, RATE, WARM_UP_FRAMES, Floats, Head, Samples
from gateway.voice.opinion import confirmed
from gateway.voice.phrases import Phrase
from gateway.voice.spotter import Spotted
from models.training import augment, recordings
from models.training.features import Batch, pcm
from models.training.recordings import RecordingError, Sound

EARLY_S, LATE_S = 0.3, 0.5
"""A firing counts for a label from so long before its start to so long after its end."""
TAIL_FRAMES = 12
NOISE_FRAMES = 50
"""4 s: noise was there before anybody spoke."""
SEED = 5
RT60_S, TAIL = (0.3, 0.5), (0.4, 0.8)
"""The rooms of `--reverb`: a furnished shop, the microphone 1 to 2 m away (tail against direct sound)."""
COLUMNS = ("file", "start_s", "end_s", "phrase")


class LabelError(ValueError):
    """The labels cannot be used; the text names the line and what is allowed."""


@dataclass(frozen=True)
class Label:
    """`phrase` is said in `file` between two times, s; without times somewhere in it."""

    file: str
    start_s: float
    end_s: float
    phrase: str


@dataclass(frozen=True)
class Condition:
    """What is done to recordings first: noise at a ratio (dB) to the speech, a room; seeded by name."""

    noise_db: float | None = None
    reverb: bool = False

    def apply(self, sound: Sound, name: str) -> Sound:
        """`sound` under this condition; the same for the same name."""
        digest = hashlib.sha256(PurePosixPath(name).name.encode()).digest()
        rng = np.random.default_rng([SEED, *digest[:8]])
        room = (rng.uniform(*RT60_S), rng.uniform(*TAIL))
        out = augment.reverberate(sound, *room, rng) if self.reverb else sound
        if self.noise_db is not None:
            out = augment.add_noise(out, augment.hiss(len(out), rng), self.noise_db)
        return np.asarray(out / max(1.0, float(np.abs(out).max(initial=0.0))), np.float32)


QUIETLY = Condition()


@dataclass
class Tally:
    """What a phrase did so far."""

    hits: int = 0
    n: int = 0
    false_accepts: int = 0
    hours: float = 0.0


def read_labels(file: Path, known: Sequence[str]) -> list[Label]:
    """The rows of a CSV with file, start_s, end_s, phrase. Raises LabelError."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            table = csv.DictReader(lines)
            missing = [name for name in ("file", "phrase") if name not in (table.fieldnames or ())]
            if missing:
                raise LabelError(f"{file}: has no column {missing[0]!r}; needed are {', '.join(COLUMNS)}")
            rows = [_label(file, number, row) for number, row in enumerate(table, 2) if row["phrase"]]
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{file}: cannot be read ({error}); give a CSV: {', '.join(COLUMNS)}") from None
    unknown = sorted({row.phrase for row in rows} - set(known))
    if unknown:
        raise LabelError(f"{file}: no head for {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    return rows


def _label(file: Path, number: int, row: Mapping[str, str | None]) -> Label:
    try:
        start_s, end_s = float(row.get("start_s") or 0.0), float(row.get("end_s") or inf)
    except ValueError:
        raise LabelError(f"{file}, line {number}: start_s and end_s are seconds, such as 1.25") from None
    if not 0 <= start_s < end_s:
        raise LabelError(f"{file}, line {number}: start_s must lie before end_s, and not below 0")
    return Label(str(row["file"]), start_s, end_s, str(row["phrase"]))


def evaluate(
    place: Path,
    labels: Sequence[Label],
    phrases: Sequence[Phrase],
    condition: Condition,
    recogniser: Recogniser | None = None,
) -> dict[str, Any]:
    """Figures by phrase id, JSON-ready, with a second opinion if any. Raises RecordingError, LabelError."""
    names = recordings.names(place)
    by_file = _by_file(labels, names)
    tallies = {phrase.id: Tally() for phrase in phrases}
    ears = Ears(phrases, recogniser)
    with tqdm(recordings.read(place, names), total=len(names), desc="listen", unit="file") as bar:
        for name, sound in bar:
            events = ears.hear(sound, condition, name)
            _count(tallies, by_file[name], events, len(sound) / RATE)
    about = {
        "audio": str(place),
        "files": len(names),
        "noise_db": condition.noise_db,
        "reverb": condition.reverb,
        "confirmed": recogniser is not None,
    }
    return about | {"phrases": {phrase.id: _figures(phrase, tallies[phrase.id]) for phrase in phrases}}


def _by_file(labels: Sequence[Label], names: Sequence[str]) -> dict[str, list[Label]]:
    """Labels by the recording they mean: its path, or its bare name where that is unique."""
    keys = defaultdict(set)
    for name in names:
        for key in (name, PurePosixPath(name).name):
            keys[key].add(name)
    out = defaultdict(list)
    for label in labels:
        found = keys.get(label.file) or keys.get(PurePosixPath(label.file).name) or set()
        if len(found) != 1:
            problem = "means several recordings; give its path" if found else "is not among the recordings"
            raise LabelError(f"{label.file!r} {problem}")
        out[next(iter(found))].append(label)
    return out


class Ears:
    """All heads on whole recordings; answers that `recogniser` vetoes do not count."""

    def __init__(self, phrases: Sequence[Phrase], recogniser: Recogniser | None = None) -> None:
        self._phrases, self._recogniser = phrases, recogniser
        self._batch = Batch(96)
        self._check = Check(phrases)
        self._heads = {phrase.id: Head(phrase.head) for phrase in phrases}
        longest = max(head.window for head in self._heads.values())
        self._warm_up = WARM_UP_FRAMES + max(0, longest - HEAD_WINDOW)

    def hear(self, sound: Sound, condition: Condition = QUIETLY, name: str = "") -> list[Spotted]:
        """Events of one recording under a condition seeded by its name; times from its start."""
        lead = max(self._warm_up, NOISE_FRAMES if condition.noise_db is not None else 0)
        padded = np.pad(sound, (lead * FRAME, TAIL_FRAMES * FRAME - len(sound) % FRAME))
        samples = pcm(condition.apply(padded, name))
        played = Played(*self._batch.embed_twice(samples), self._heads, lead)
        ear = Ear(self._phrases, scorer=played, check=self._check)
        events: list[Spotted] = []
        for number, frame in enumerate(samples.reshape(-1, FRAME), 1 - lead):
            events += ear.hear(frame, number * FRAME_S)
        events += ear.flush()
        return confirmed(events, self._phrases, samples, -lead * FRAME_S, self._recogniser)[0]


class Played:
    """Scores of sound whose embeddings (n, 96) are there, and those between; None before so many frames."""

    def __init__(self, rows: Floats, between: Floats, heads: Mapping[str, Head], lead: int) -> None:
        self._rows, self._between, self._heads, self._lead = rows, between, heads, lead
        self._count = 0
        self.scores: dict[str, float] = {}

    @property
    def embeddings(self) -> Floats:
        """So far."""
        return self._rows[: self._count]

    def between(self) -> Floats:
        """So far."""
        return self._between[: self._count]

    def push(self, _frame: Samples) -> dict[str, float] | None:
        """The scores after the next frame."""
        self._count += 1
        if self._count <= self._lead:
            return None
        self.scores = {name: head.score(self.embeddings) for name, head in self._heads.items()}
        return self.scores

    def reset(self) -> None:
        """From the first one again."""
        self._count, self.scores = 0, {}


def _count(
    tallies: Mapping[str, Tally], labels: Sequence[Label], events: Sequence[Spotted], seconds: float
) -> None:
    for label in labels:
        tallies[label.phrase].n += 1
        tallies[label.phrase].hits += any(_is_hit(event, label) for event in events)
    for name, tally in tallies.items():
        own = [label for label in labels if label.phrase == name]
        spans_s = sum(min(label.end_s, seconds) - label.start_s for label in own)
        tally.hours += max(0.0, seconds - spans_s) / 3600
        others = [
            event for event in events if event.id == name and not any(_is_hit(event, lab) for lab in own)
        ]
        tally.false_accepts += len(others)


def _is_hit(event: Spotted, label: Label) -> bool:
    return event.id == label.phrase and label.start_s - EARLY_S <= event.end_s <= label.end_s + LATE_S


def _figures(phrase: Phrase, tally: Tally) -> dict[str, Any]:
    rate = tally.false_accepts / tally.hours if tally.hours else None
    return {
        "recall": round(tally.hits / tally.n, 4) if tally.n else None,
        "recall_interval": [round(x, 4) for x in wilson(tally.hits, tally.n)] if tally.n else None,
        "false_accepts_per_hour": None if rate is None else round(rate, 4),
        "false_accepts_per_hour_interval": poisson(tally.false_accepts, tally.hours),
        "n": tally.n,
        "hours": round(tally.hours, 4),
        "hits": tally.hits,
        "false_accepts": tally.false_accepts,
        "threshold": phrase.threshold,
    }


def poisson(count: int, hours: float) -> list[float] | None:
    """Exact 95 % interval of a rate per hour (Garwood 1936); None without any sound."""
    if not hours:
        return None
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return [round(float(low) / hours, 4), round(float(chi2.ppf(0.975, 2 * count + 2)) / 2 / hours, 4)]


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report for a person."""
    for name, found in report["phrases"].items():
        recall = "no label" if found["recall"] is None else f"recall {found['recall']:.3f} of {found['n']}"
        wrong = f"{found['false_accepts']} false accepts in {found['hours']:.2f} h"
        yield f"{name:<24} {recall:<24} {wrong}"


__all__ = ["Condition", "Label", "LabelError", "RecordingError", "evaluate", "lines", "read_labels"]
