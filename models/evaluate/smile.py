"""What a smile model is worth on labelled pictures: `emobox models evaluate smile`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from gateway.vision.faces import Detection, Image
from gateway.vision.pipeline import load_detector
from gateway.vision.smile import SMILE, SmileModel, load_fer, load_smile
from models.evaluate import figures
from models.evaluate.labels import EvaluationError, Pictures, Row, open_pictures, read_rows
from models.evaluate.variants import VARIANTS

MODELS: dict[str, Callable[[], SmileModel]] = {"own": load_smile, "fer": load_fer}
THRESHOLD = 0.5
NAMED = 10  # files at most that a report names as missing or unreadable
DIGITS = 4

Read = Callable[[Image], float | None]


@dataclass(frozen=True)
class Options:
    """How the pictures are read: `crops` are faces already; `variant` is a name of VARIANTS."""

    crops: bool = False
    variant: str | None = None
    model: str = "own"
    show: bool | None = None


@dataclass(frozen=True)
class Case:
    """A labelled picture and what the model says: None where no face was found."""

    file: str
    smile: bool
    reading: float | None
    seconds: float


@dataclass(frozen=True)
class Skipped:
    """A label whose picture is `missing` or `unreadable`."""

    file: str
    why: str


def evaluate(images: Path, labels: Path, options: Options) -> dict[str, Any]:
    """The report. Raises EvaluationError, fetch.FetchError, tflite.ModelError."""
    truths = read_truths(labels)
    cases, skipped = measured(open_pictures(images), truths, options)
    if not cases:
        raise EvaluationError(f"none of the {len(truths)} files that {labels} names is a picture in {images}")
    return report(cases, skipped, options)


def measured(
    pictures: Pictures, truths: Sequence[tuple[str, bool]], options: Options
) -> tuple[list[Case], list[Skipped]]:
    """Every file of `truths` (file, smile), read, or left out. Raises EvaluationError."""
    hidden = None if options.show is None else not options.show
    todo = tqdm(truths, desc=f"smile {options.variant or ''}".strip(), unit="pictures", disable=hidden)
    done = list(_cases(pictures, todo, reader(options), options))
    return [one for one in done if isinstance(one, Case)], [one for one in done if isinstance(one, Skipped)]


def read_truths(labels: Path) -> list[tuple[str, bool]]:
    """File and label of each row. Raises EvaluationError."""
    return [(row["file"], _truth(row, labels)) for row in read_rows(labels, ("file", "smile"))]


def _truth(row: Row, labels: Path) -> bool:
    if row["smile"].strip() not in ("0", "1"):
        raise EvaluationError(f"{labels}: smile of '{row['file']}' is '{row['smile']}'; allowed are 0 and 1")
    return row["smile"].strip() == "1"


def reader(options: Options) -> Read:
    """From a picture to the probability of a smile, as the camera process reads it."""
    model = MODELS[options.model]()
    if options.crops:
        return lambda image: model.read_crop(image)[SMILE]
    detector = load_detector()
    return lambda image: read_largest(image, detector.find(image), model)


def read_largest(image: Image, faces: Sequence[Detection], model: SmileModel) -> float | None:
    """The probability of a smile of the largest face; None without a face."""
    return model.read(image, max(faces, key=lambda face: face.box.width))[SMILE] if faces else None


def _cases(
    pictures: Pictures, truths: Iterable[tuple[str, bool]], read: Read, options: Options
) -> Iterator[Case | Skipped]:
    for file, smile in truths:
        name = pictures.find(file)
        image = pictures.read(name) if name else None
        if image is None:
            yield Skipped(file, "unreadable" if name else "missing")
            continue
        if options.variant:
            image = VARIANTS[options.variant](image)
        start = time.perf_counter()
        reading = read(image)
        yield Case(file, smile, reading, time.perf_counter() - start)


def report(cases: Sequence[Case], skipped: Sequence[Skipped], options: Options) -> dict[str, Any]:
    """All figures; those without `_all` are over the pictures in which a face was found."""
    found = [(case.reading, case.smile) for case in cases if case.reading is not None]
    scores = np.array([reading for reading, _ in found], np.float64)
    truths = np.array([smile for _, smile in found], np.bool_)
    right = (scores >= THRESHOLD) == truths
    everywhere = np.concatenate([right, np.zeros(len(cases) - len(found), np.bool_)])
    shares = {"accuracy": right, "accuracy_all": everywhere, "tpr": right[truths], "tnr": right[~truths]}
    return {
        "model": options.model,
        "variant": options.variant,
        "n": len(cases),
        "detected": len(found),
        "auc": rounded(figures.auc(scores, truths)),
        **{name: rounded(figures.share(hits)) for name, hits in shares.items()},
        "ece": rounded(figures.ece(scores, truths)),
        "brier": rounded(figures.brier(scores, truths)),
        "ms_per_image": round(float(np.median([case.seconds for case in cases])) * 1000, 3),
        "intervals": {
            "auc": pair(figures.auc_interval(scores, truths)),
            **{name: pair(figures.share_interval(hits)) for name, hits in shares.items()},
        },
        **left_out(skipped),
    }


def left_out(skipped: Sequence[Skipped]) -> dict[str, Any]:
    """How many files are missing or unreadable, and the first of them by name."""
    files = {why: [one.file for one in skipped if one.why == why] for why in ("missing", "unreadable")}
    return {why: {"n": len(names), "files": names[:NAMED]} for why, names in files.items()}


def rounded(value: float | None) -> float | None:
    """As many digits as a report bears."""
    return None if value is None else round(value, DIGITS)


def pair(interval: figures.Interval | None) -> list[float] | None:
    """An interval for a report."""
    return None if interval is None else [round(limit, DIGITS) for limit in interval]


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The report for a reader."""
    yield f"model {found['model']}, pictures {found['variant'] or 'as given'}"
    yield f"{found['n']} pictures, a face found in {found['detected']}; over those (accuracy_all: over all):"
    for name in ("auc", "accuracy", "accuracy_all", "tpr", "tnr", "ece", "brier"):
        yield _line(name, found[name], found["intervals"].get(name))
    yield f"{found['ms_per_image']} ms a picture (median), detector included unless --crops"
    yield from lines_left_out(found)


def lines_left_out(found: Mapping[str, Any]) -> Iterator[str]:
    """What was not measured, by name."""
    for why in ("missing", "unreadable"):
        if found[why]["n"]:
            yield f"{why}: {found[why]['n']} ({', '.join(found[why]['files'])})"


def _line(name: str, value: float | None, interval: list[float] | None) -> str:
    shown = "not to be had" if value is None else f"{value:.4f}"
    return f"{name:<13}{shown}" + (f"  (95 %: {interval[0]:.4f} to {interval[1]:.4f})" if interval else "")
