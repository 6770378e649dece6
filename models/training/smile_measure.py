"""The figures of models/tflite/smile.md: `python -m models.training.smile_measure --data FOLDER`.

DATA holds genki_even.zip and .csv, smiled.zip, muxspace_128.zip and muxspace.csv. GENKI's calibration fifth
is left out. Of SMILEsmileD and muxspace, which are LFW, only pictures of people who were kept from training
and validation count: smile_people.py finds out who is on a picture. Glasses are labelled nowhere, so they are
drawn (smile_glasses.py). Needs only what the product runs with. About ten minutes.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from tqdm import tqdm

from gateway.vision.faces import Image
from gateway.vision.pipeline import load_detector
from gateway.vision.smile import SMILE, SmileModel
from models.evaluate.labels import EvaluationError, Pictures, open_pictures
from models.evaluate.smile import MODELS, Case, Options, measured, read_largest, report
from models.evaluate.variants import VARIANTS
from models.training.smile_data import PATCH_WINDOW, Grey, bgr, middle_of, unseen
from models.training.smile_glasses import glasses
from models.training.smile_people import is_calibration, kept_for_test

Slice = tuple[str, Callable[[Case], bool]]

GLASSES_SEED = 20_261_123
YAW_DEG, PITCH_DEG = (0, 10, 20, 30, 90), (-90, -10, 0, 10, 90)


def genki(data: Path) -> Iterator[str]:
    """A line a slice and model, on the four fifths of GENKI-4K's even half that are not for calibration."""
    pictures = open_pictures(data / "genki_even.zip")
    with (data / "genki_even.csv").open(newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file) if not is_calibration(row["file"])}
    for variant in (None, *VARIANTS):
        todo = tqdm(rows.items(), desc=f"genki {variant or ''}", unit="pictures")
        both = _both((file, row["smile"] == "1", _picture(pictures, file, variant)) for file, row in todo)
        for model, cases in both.items():
            yield line(f"{model} {variant or 'as given'}", cases)
            if variant is None:
                yield from (line(f"{model} {name}", list(filter(ok, cases))) for name, ok in _poses(rows))


def _picture(pictures: Pictures, file: str, variant: str | None) -> Image:
    image = pictures.read(pictures.find(file) or file)
    if image is None:
        raise EvaluationError(f"{file} cannot be read")
    return VARIANTS[variant](image) if variant else image


def _both(todo: Iterable[tuple[str, bool, Image]]) -> dict[str, list[Case]]:
    """Cases by model; the detector looks once. Its time counts with each."""
    detector, models = load_detector(), {name: load() for name, load in MODELS.items()}
    cases: dict[str, list[Case]] = {name: [] for name in models}
    for file, smile, image in todo:
        start = perf_counter()
        faces = detector.find(image)
        found_s = perf_counter() - start
        for name, model in models.items():
            start = perf_counter()
            reading = read_largest(image, faces, model)
            cases[name].append(Case(file, smile, reading, found_s + perf_counter() - start))
    return cases


def _poses(rows: dict[str, dict[str, str]]) -> Iterator[Slice]:
    """By how far the head is turned (either way), and how far it looks down or up, as labelled."""

    def within(column: str, low: float, high: float, turn: Callable[[float], float], case: Case) -> bool:
        return low <= turn(float(np.degrees(float(rows[case.file][column])))) < high

    for low, high in pairwise(YAW_DEG):
        yield f"yaw {low} to {high}", partial(within, "yaw_rad", low, high, abs)
    for low, high in pairwise(PITCH_DEG):
        yield f"pitch {low} to {high}", partial(within, "pitch_rad", low, high, float)


def smiled(data: Path) -> Iterator[str]:
    """SMILEsmileD: people who were kept from training."""
    truths = [(file, file.startswith("1/")) for file in kept_for_test(data)]
    for model in MODELS:
        cases, _ = measured(open_pictures(data / "smiled.zip"), truths, Options(crops=True, model=model))
        yield line(f"{model} SMILEsmileD, people unseen", cases)


def in_glasses(data: Path) -> Iterator[str]:
    """Levelled crops of LFW's people who were kept from training: as they are, and in drawn glasses."""
    rng, models = np.random.default_rng(GLASSES_SEED), {name: load() for name, load in MODELS.items()}
    bare = list(unseen(data))
    worn = [(file, smile, glasses(patch, PATCH_WINDOW, 0, rng)) for file, smile, patch in bare]
    for name, model in models.items():
        for what, faces in (("muxspace, people unseen", bare), ("the same in drawn glasses", worn)):
            yield line(f"{name} {what}", [_cropped(model, *face) for face in faces])


def _cropped(model: SmileModel, file: str, smile: bool, patch: Grey) -> Case:
    start = perf_counter()
    reading = model.read_crop(bgr(middle_of(patch)))[SMILE]
    return Case(file, smile, reading, perf_counter() - start)


def line(name: str, cases: Sequence[Case]) -> str:
    """One row of the card's table."""
    if not cases:
        return f"| {name} | 0 |"
    found = report(cases, [], Options())
    cells = [f"{found['n']}", f"{found['detected']}", *(_cell(found, key) for key in ("auc", "accuracy"))]
    more = (found[key] for key in ("tpr", "tnr", "ece", "brier", "accuracy_all", "ms_per_image"))
    return f"| {name} | {' | '.join(cells)} | {' | '.join(map(_short, more))} |"


def _cell(found: dict[str, Any], key: str) -> str:
    if found[key] is None or found["intervals"][key] is None:
        return "–"
    low, high = found["intervals"][key]
    return f"{_short(found[key])} ({_short(low)}–{_short(high)})"


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".removeprefix("0")


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m models.training.smile_measure", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args(argv).data
    print("| slice | n | found | AUC | accuracy | TPR | TNR | ECE | Brier | accuracy, all | ms |")
    for rows in (genki, smiled, in_glasses):
        for row in rows(data):
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
