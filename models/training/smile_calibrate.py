"""Temperature and shift that make a probability mean what it says; on a fifth of GENKI (Platt 1999)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gateway.vision.crop import close_up, smaller_grey
from gateway.vision.pipeline import load_detector
from gateway.vision.smile import CROP_PX, MARGIN, prepared, with_least
from models.evaluate.labels import open_pictures
from models.evaluate.smile import read_truths
from models.training.smile_net import Net, both_ways
from models.training.smile_people import is_calibration

TEMPERATURES = np.exp(np.linspace(np.log(0.3), np.log(4), 120))
SHIFTS = np.linspace(-2, 2, 161)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """A logit becomes logit / temperature + shift."""

    temperature: float
    shift: float


def scale_of(net: Net, images: Path, labels: Path) -> Scale:
    """The one of the least log loss on the calibration fifth."""
    crops, truths = zip(*_fifth(images, labels), strict=True)
    faces = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
    logits = both_ways(net, faces)
    return best_scale(logits.numpy().astype(np.float64), np.array(truths))


def best_scale(logits: Floats, truths: NDArray[np.bool_]) -> Scale:
    """The one of the least mean log loss."""
    signs = np.where(truths, 1, -1)
    _, temperature, shift = min(
        (float(np.logaddexp(0, -signs * (logits / t + s)).mean()), float(t), float(s))
        for t in TEMPERATURES
        for s in SHIFTS
    )
    return Scale(temperature, shift)


def _fifth(images: Path, labels: Path) -> Iterator[tuple[NDArray[np.float32], bool]]:
    """The crop of the largest face and its label, of each picture of the fifth with a face."""
    pictures, detector = open_pictures(images), load_detector()
    for file, smile in read_truths(labels):
        name = pictures.find(file) if is_calibration(file) else None
        image = pictures.read(name) if name else None
        faces = detector.find(image) if image is not None else []
        if image is not None and faces:
            face = max(faces, key=lambda one: one.box.width)
            picture = close_up(image, face, CROP_PX, MARGIN)
            yield prepared(with_least(smaller_grey(picture, CROP_PX), picture)), smile
