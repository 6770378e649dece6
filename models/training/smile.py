"""Trains the smile network: `python -m models.training.smile --data FOLDER --face-api FOLDER`.

DATA holds fer2013_train.npz, fer2013_validation.npz, muxspace_128.zip, muxspace.csv and, for the temperature,
genki_even.zip and genki_even.csv: a fifth of GENKI-4K's even half, chosen by a hash of the name; nothing else
of it is read here. FACE-API is the `model` folder of that npm package (smile_faceapi.py says how to get it).
Seeded, CPU only, two cores: about an hour when they are quiet. A run that was cut goes on where it stopped
when it is started again with the same --work. Needs more packages: models/training/requirements.txt.
The card is written by hand from `python -m models.training.smile_measure`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.training import extra, smile_augment, smile_data
from models.training.smile_data import TRAIN, Faces

SEED, STEPS = 20_261_122, 12_000
GENKI = "genki_even.zip", "genki_even.csv"
RANGE_PICTURES = 500  # shaken training pictures that give each layer's INT8 range


class TrainingError(Exception):
    """Something is missing; the text says what to type."""


def train(data: Path, face_api: Path, out: Path, work: Path, steps: int) -> Path:
    """Writes out/smile.tflite. Raises TrainingError, fetch.FetchError, tflite.ModelError."""
    check(data, face_api)
    from models.training import smile_calibrate, smile_export, smile_fit, smile_teacher

    work.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    faces = smile_data.load(data, work)
    teacher = smile_teacher.teach(faces, face_api, work, SEED)
    plan = smile_fit.Plan(steps, SEED)
    net = smile_fit.fit(faces, teacher, plan, work / f"smile-{steps}.pt")
    scale = smile_calibrate.scale_of(net, *(data / name for name in GENKI))
    print(scale, file=sys.stderr)
    target = out / "smile.tflite"
    smile_export.export(smile_export.calibrated(net, scale), range_pictures(faces), target)
    return target


def check(data: Path, face_api: Path) -> None:
    """Raises TrainingError unless all is there."""
    if complaint := extra.complaint():
        raise TrainingError(complaint)
    absent = [name for name in (*smile_data.FILES, *GENKI) if not (data / name).is_file()]
    if absent:
        raise TrainingError(f"{data} lacks {', '.join(absent)}; docs/models.md says where they come from")
    if not (face_api / "face_expression_model.bin").is_file():
        raise TrainingError(
            f"{face_api} holds no face_expression_model.bin; run: npm pack @vladmandic/face-api@1.7.15 && "
            "tar xzf vladmandic-face-api-1.7.15.tgz, and give --face-api package/model"
        )


def range_pictures(faces: Faces) -> NDArray[np.float32]:
    """(500, 64, 64, 2), shaken and prepared, of the training part."""
    rng = np.random.default_rng(SEED)
    rows = rng.choice(np.flatnonzero(faces.part == TRAIN), RANGE_PICTURES)
    return np.stack(
        [
            smile_augment.face(faces.pictures[row], float(faces.window[row]), float(faces.down[row]), rng)
            for row in rows
        ]
    )


def main(argv: Sequence[str] | None = None) -> int:
    """2 when something is missing."""
    from gateway.tflite import ModelError
    from models.fetch import FetchError

    args = _parser().parse_args(argv)
    try:
        print(train(args.data, args.face_api, args.out, args.work, args.steps))
    except (TrainingError, FetchError, ModelError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.smile",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the data sets")
    parser.add_argument("--face-api", type=Path, required=True, help="folder with face_expression_model.bin")
    parser.add_argument("--out", type=Path, default=Path("models/tflite"), help="default: models/tflite")
    parser.add_argument("--work", type=Path, default=Path(".emobox/smile"), help="default: .emobox/smile")
    parser.add_argument(
        "--steps",
        type=int,
        default=STEPS,
        help=f"batches of 128 before the polish and the rounds (default: {STEPS})",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
