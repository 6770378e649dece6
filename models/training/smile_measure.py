"""The figures of models/tflite/smile.md: `python -m models.training.smile_measure --data FOLDER`.

DATA holds genki_even.zip and .csv, and if they are to be measured, smiled.zip with muxspace_128.zip and
muxspace.csv. GENKI's calibration fifth is left out. Of SMILEsmileD, which is LFW, only pictures of people who
were kept from training and validation count: smile_people.py finds out who is on a picture.
Needs only what the product runs with. About ten minutes.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from models.evaluate.labels import open_pictures
from models.evaluate.smile import Case, Options, measured, report
from models.evaluate.variants import VARIANTS
from models.training.smile_people import is_calibration, kept_for_test

Slice = tuple[str, Callable[[Case], bool]]

YAW_DEG, PITCH_DEG = (0, 10, 20, 30, 90), (-90, -10, 0, 10, 90)
MODELS = ("own", "fer")


def genki(data: Path) -> Iterator[str]:
    """A line a slice and model, on the four fifths of GENKI-4K's even half that are not for calibration."""
    pictures = open_pictures(data / "genki_even.zip")
    with (data / "genki_even.csv").open(newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file) if not is_calibration(row["file"])}
    truths = [(file, row["smile"] == "1") for file, row in rows.items()]
    for model in MODELS:
        for variant in (None, *VARIANTS):
            options = Options(variant=variant, model=model)
            cases, _ = measured(pictures, truths, options)
            yield line(f"{model} {variant or 'as given'}", cases, options)
            if variant is None:
                yield from (
                    line(f"{model} {name}", list(filter(ok, cases)), options) for name, ok in _poses(rows)
                )


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
    files = kept_for_test(data)
    truths = [(file, file.startswith("1/")) for file in files]
    for model in MODELS:
        options = Options(crops=True, model=model)
        cases, _ = measured(open_pictures(data / "smiled.zip"), truths, options)
        yield line(f"{model} SMILEsmileD, people unseen", cases, options)


def line(name: str, cases: Sequence[Case], options: Options) -> str:
    """One row of the card's table."""
    if not cases:
        return f"| {name} | 0 |"
    found = report(cases, [], options)
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
    for rows in (genki, smiled):
        for row in rows(data):
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
