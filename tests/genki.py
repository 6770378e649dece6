"""What the shipped vision models are worth on GENKI-4K's even half (the development test set for smile).

    python -m tests.genki        # prints the figures of the cards in models/tflite

Nothing was trained on these images. The yaw constant was fitted on the fifth that is for calibration: yaw
is reported on the rest.
"""

import csv
import io
import math
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from gateway.vision.faces import Face, Image
from gateway.vision.pipeline import load_pipeline
from models.training.smile_people import is_calibration

DATA = Path(__file__).parents[2] / "shared" / "data" / "faces" / "genki_even.zip"


@dataclass(frozen=True)
class Truth:
    """One image and its label; `number` counts the rows; `fitted`: of the calibration fifth."""

    number: int
    smile: bool
    yaw: float
    fitted: bool
    image: Image


@dataclass(frozen=True)
class Reading:
    """The label and what the pipeline says; None where it finds no face."""

    truth: Truth
    face: Face | None


def images(step: int = 1) -> Iterator[Truth]:
    """Every `step`-th image."""
    with zipfile.ZipFile(DATA) as archive:
        rows = list(csv.DictReader(io.StringIO(DATA.with_suffix(".csv").read_text())))
        for number, row in list(enumerate(rows))[::step]:
            pixels = np.frombuffer(archive.read(row["file"]), np.uint8)
            image = np.asarray(cv2.imdecode(pixels, cv2.IMREAD_COLOR), np.uint8)
            yaw, fitted = math.degrees(float(row["yaw_rad"])), is_calibration(row["file"])
            yield Truth(number, row["smile"] == "1", yaw, fitted, image)


def read(step: int = 1) -> list[Reading]:
    """The largest face of each image; each image counts as far apart in time, so that tracks play no part."""
    pipeline = load_pipeline()
    todo = tqdm(images(step), disable=not sys.stderr.isatty())
    seen = ((truth, pipeline.see(truth.image, 10.0 * truth.number)) for truth in todo)
    return [Reading(truth, faces[0] if faces else None) for truth, faces in seen]


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a smiling face has the higher figure."""
    ranks = np.searchsorted(np.sort(negative), positive, "left") + np.searchsorted(
        np.sort(negative), positive, "right"
    )
    return float(ranks.mean() / 2 / len(negative))


def wilson(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a share."""
    z2 = 1.96**2
    middle, half = share + z2 / (2 * n), 1.96 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (middle - half) / (1 + z2 / n), (middle + half) / (1 + z2 / n)


def smile_figures(readings: Sequence[Reading]) -> dict[str, float]:
    """n, AUC, accuracy at 0.5 with its 95 % interval, and calibration error, over faces that are ok."""
    pairs = [(r.face.smile, r.truth.smile) for r in readings if r.face and r.face.ok]
    right = sum((smile >= 0.5) == truth for smile, truth in pairs) / len(pairs)
    low, high = wilson(right, len(pairs))
    area = auc([s for s, truth in pairs if truth], [s for s, truth in pairs if not truth])
    return {"n": len(pairs), "auc": area, "accuracy": right, "low": low, "high": high, "ece": _ece(pairs)}


def _ece(pairs: Sequence[tuple[float, bool]]) -> float:
    bins: dict[int, list[tuple[float, bool]]] = {}
    for pair in pairs:
        bins.setdefault(min(9, int(pair[0] * 10)), []).append(pair)
    gaps = (abs(sum(s for s, _ in b) - sum(t for _, t in b)) for b in bins.values())
    return sum(gaps) / len(pairs)


def yaw_figures(readings: Sequence[Reading]) -> dict[str, float]:
    """Errors in degrees, and how often `|yaw| <= 30` is judged as labelled; images not used for the fit."""
    pairs = [(r.face.yaw, r.truth.yaw) for r in readings if r.face and not r.truth.fitted]
    errors = np.array([abs(yaw - truth) for yaw, truth in pairs])
    far = np.array([abs(yaw) - abs(truth) for yaw, truth in pairs if abs(truth) > 30])
    agree = sum((abs(yaw) <= 30) == (abs(truth) <= 30) for yaw, truth in pairs) / len(pairs)
    return {
        "n": len(pairs),
        "mean": float(errors.mean()),
        "p95": float(np.percentile(errors, 95)),
        "n_far": len(far),
        "bias_far": float(far.mean()),
        "agree": agree,
    }


def main() -> None:
    """Prints all figures."""
    readings = read()
    print("images", len(readings), "found", sum(r.face is not None for r in readings))
    print("smile", smile_figures(readings))
    print("yaw", yaw_figures(readings))


if __name__ == "__main__":
    main()
