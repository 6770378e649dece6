"""Who must not be seen: the fifth of GENKI for calibration, and the people of LFW who are kept for the test.

SMILEsmileD's pictures have no names. Their faces are those of LFW, as muxspace's are, in another crop: both
are levelled by the detector's eyes, made 20x20, and compared by normalised correlation. The muxspace picture
that is most alike gives the name; a picture whose best match is not clearly better than all other people is
left out, as nobody knows who it is.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from gateway.tflite import Model
from gateway.vision.blazeface import BlazeFace
from gateway.vision.crop import level_crop
from gateway.vision.view import whole
from models import fetch
from models.training import smile_data
from models.training.smile_data import TEST, Grey, hash_of, part_of

SIDE_PX, MARGIN = 20, 0.8
SCORE_MIN = 0.4
ALIKE = 0.95  # correlation with the best picture
CLEARLY = 0.05  # how far the best of any other person must be behind
CHUNK = 500

Array = NDArray[Any]


def is_calibration(file: str) -> bool:
    """Whether a picture of GENKI is of the calibration fifth; it is left out of all figures of the card."""
    return hash_of("calibration" + file) % 5 == 0


def kept_for_test(data: Path) -> list[str]:
    """The pictures of smiled.zip whose people were kept from training and validation."""
    with zipfile.ZipFile(data / "smiled.zip") as archive:
        files = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        greys = (_grey(archive.read(name)) for name in tqdm(files, desc="smiled", unit="pictures"))
        thumbs = thumbnails(greys)
    known = thumbnails(tqdm(smile_data.plain_muxspace(data), desc="muxspace", unit="pictures"))
    people = who_is(thumbs, known, smile_data.muxspace_names(data))
    return [file for file, who in zip(files, people, strict=True) if who and part_of(who) == TEST]


def _grey(data: bytes) -> Grey:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def thumbnails(greys: Iterable[Grey]) -> Array:
    """(n, 400) of mean 0 and length 1; not a number where no face is found."""
    model = BlazeFace(Model(fetch.path("blazeface_short")), SCORE_MIN)
    rows = np.array([_thumbnail(grey, model) for grey in greys], np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _thumbnail(grey: Grey, model: BlazeFace) -> Array:
    image = smile_data.padded(grey)
    faces = model.find(image, whole(image, model.side))
    if not faces:
        return np.full(SIDE_PX**2, np.nan)
    crop = level_crop(image, max(faces, key=lambda one: one.box.width), 3 * SIDE_PX, MARGIN)[:, :, 0]
    return np.asarray(cv2.resize(crop, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)).ravel()


def who_is(thumbs: Array, known: Array, files: list[str]) -> list[str | None]:
    """The file of the same picture, for each thumbnail; None where that is not clear."""
    people = np.unique([smile_data.person(file) for file in files], return_inverse=True)[1]
    found: list[str | None] = []
    for start in range(0, len(thumbs), CHUNK):
        alike = np.nan_to_num(thumbs[start : start + CHUNK] @ known.T, nan=-1.0)
        found += [_clear(row, people, files) for row in alike]
    return found


def _clear(alike: Array, people: Array, files: list[str]) -> str | None:
    best = int(alike.argmax())
    other = alike[people != people[best]].max(initial=-1.0)
    return files[best] if alike[best] >= ALIKE and alike[best] - other >= CLEARLY else None
