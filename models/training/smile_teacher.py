"""The teacher: what fer, face-api and the face's landmarks say together, learnt without the picture itself.

A small network sees fer's probabilities, face-api's features and the 468 landmarks, levelled and scaled. It
is fitted four times, each time without a quarter of the people, and judges only people whom it has not seen.
Its answers soften the noisy labels of the training sets.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from models.training.smile_data import FER, NO_LABEL, PATCH_PX, TRAIN, Faces, kept, middle_of
from models.training.smile_faceapi import LOGITS, SIDE_PX, load_face_api

FOLDS, EPOCHS, BATCH, HIDDEN = 4, 10, 256, 192
RATE, DECAY, SMOOTHING = 1e-3, 0.02, 0.03
PROBABILITY_MIN = 1e-4
CHUNK = 64

Floats = NDArray[np.float32]


def teach(faces: Faces, face_api: Path, work: Path, seed: int) -> Floats:
    """(n, 7) probabilities of LABELS, of models that never saw the person; kept in `work`."""
    return kept(
        work / "teacher.npy",
        lambda: _fitted(features(faces, _face_api(faces, face_api, work)), faces, seed),
    )


def _face_api(faces: Faces, folder: Path, work: Path) -> Floats:
    return kept(work / "face_api.npy", lambda: _seen_by_face_api(faces, folder))


def _seen_by_face_api(faces: Faces, folder: Path) -> Floats:
    network = load_face_api(folder)
    starts = tqdm(range(0, len(faces), CHUNK), desc="face-api", file=sys.stderr)
    return np.concatenate([np.concatenate(network.read(_large(faces, n)), axis=1) for n in starts])


def _large(faces: Faces, start: int) -> NDArray[np.uint8]:
    """(n, 112, 112): the product's crop of each patch, other pictures whole."""
    chosen = faces.pictures[start : start + CHUNK]
    shown = [middle_of(picture) if len(picture) == PATCH_PX else picture for picture in chosen]
    return np.array([cv2.resize(picture, (SIDE_PX, SIDE_PX)) for picture in shown], np.uint8)


def features(faces: Faces, face_api: Floats) -> Floats:
    """What the teacher sees: one row a face, each column of mean 0 and deviation 1 over the training part."""
    there = faces.landmarks.any(axis=1)
    columns = [_scaled(faces.landmarks), np.log(np.maximum(faces.fer, PROBABILITY_MIN)), face_api]
    flags = np.column_stack([there, faces.source == FER])
    rows = np.concatenate([*columns, flags], axis=1).astype(np.float32)
    known = rows[faces.part == TRAIN]
    return np.asarray((rows - known.mean(0)) / (known.std(0) + 1e-3), np.float32)


def _scaled(landmarks: NDArray[np.float16]) -> Floats:
    """Landmarks around their middle, in units of their spread; zeros stay zeros."""
    points = landmarks.astype(np.float32).reshape(len(landmarks), -1, 3)
    points = points - points.mean(axis=1, keepdims=True)
    points /= np.maximum(points.std(axis=(1, 2), keepdims=True), 1e-3)
    return np.asarray(points.reshape(len(landmarks), -1), np.float32)


def _fitted(rows: Floats, faces: Faces, seed: int) -> Floats:
    torch.manual_seed(seed)
    x, y, fold = torch.from_numpy(rows), torch.from_numpy(faces.label), faces.group % FOLDS
    usable = (faces.part == TRAIN) & (faces.label != NO_LABEL)
    answers = np.zeros((len(rows), LOGITS), np.float32)
    for number in tqdm(range(FOLDS), desc="teacher", file=sys.stderr):
        own = fold == number
        said = _fit(x, y, np.flatnonzero(usable & ~own))
        answers[own] = said[own]
    return answers


def _fit(x: Tensor, y: Tensor, chosen: NDArray[np.int64]) -> Floats:
    parts = (
        nn.Dropout(0.3),
        nn.Linear(x.shape[1], HIDDEN),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(HIDDEN, LOGITS),
    )
    model, rows = nn.Sequential(*parts), torch.from_numpy(chosen)
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=DECAY)
    fade = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS * (len(rows) // BATCH))
    for _ in range(EPOCHS):
        for batch in rows[torch.randperm(len(rows))].split(BATCH)[: len(rows) // BATCH]:
            loss = nn.functional.cross_entropy(model(x[batch]), y[batch], label_smoothing=SMOOTHING)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            fade.step()
    with torch.no_grad():
        return np.asarray(model.eval()(x).softmax(1).numpy(), np.float32)
