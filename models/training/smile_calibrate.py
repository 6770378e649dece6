"""The temperature that makes a probability mean what it says (Guo et al. 2017), on a fifth of GENKI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gateway.vision.crop import grey_crop
from gateway.vision.pipeline import load_detector
from gateway.vision.smile import CROP_PX, MARGIN, standardised
from models.evaluate.labels import open_pictures
from models.evaluate.smile import read_truths
from models.training.smile_net import Net
from models.training.smile_people import is_calibration

TEMPERATURES = np.exp(np.linspace(np.log(0.3), np.log(4), 400))

Floats = NDArray[np.float64]


def temperature_of(net: Net, images: Path, labels: Path) -> float:
    """The one of the least log loss."""
    crops, truths = zip(*_fifth(images, labels), strict=True)
    with torch.no_grad():
        logits = net(torch.from_numpy(np.stack(crops)[:, None]))[:, 0].numpy().astype(np.float64)
    return best_temperature(logits, np.array(truths))


def best_temperature(logits: Floats, truths: NDArray[np.bool_]) -> float:
    """The one of the least mean log loss of sigmoid(logit / temperature)."""
    signs = np.where(truths, 1, -1)
    losses = [np.logaddexp(0, -signs * logits / t).mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def _fifth(images: Path, labels: Path) -> Iterator[tuple[NDArray[np.float32], bool]]:
    """The crop of the largest face and its label, of each picture of the fifth with a face."""
    pictures, detector = open_pictures(images), load_detector()
    for file, smile in read_truths(labels):
        name = pictures.find(file) if is_calibration(file) else None
        image = pictures.read(name) if name else None
        faces = detector.find(image) if image is not None else []
        if image is not None and faces:
            face = max(faces, key=lambda one: one.box.width)
            yield standardised(grey_crop(image, face, CROP_PX, MARGIN)), smile
