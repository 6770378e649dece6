"""Who must not be seen: the fifth of GENKI for calibration, and the people of LFW who are kept for the test.

SMILEsmileD's pictures have no names. They are LFW's, as muxspace's are, in a tighter crop that is always
about the same (60 pairs were aligned to find it): that part of each muxspace picture, at a few sizes and
places, is made 16x16 and compared by normalised correlation. The muxspace picture most alike gives the
name. A picture whose best match is not clearly better than all other people is left out.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.training import smile_data
from models.training.smile_data import TEST, Grey, hash_of, part_of

SIDE_PX = 16
PARTS = [(side, dx, dy) for side in (91, 95, 100) for dx in (-1.5, 1.5) for dy in (9, 12)]
"""Of muxspace's 128 px: side, and how far right of and below the middle."""
MIDDLE = 63.5
ALIKE = 0.95  # correlation with the best picture
CLEARLY = 0.03  # how far the best of any other person must be behind
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
        thumbs = normed([_small(grey) for grey in greys])
    people = who_is(thumbs, _known(data), smile_data.muxspace_names(data))
    return [file for file, who in zip(files, people, strict=True) if who and part_of(who) == TEST]


def _known(data: Path) -> list[Array]:
    """(n, 256) of each part of the muxspace pictures."""
    todo = tqdm(smile_data.plain_muxspace(data), desc="muxspace", unit="pictures")
    rows = [[_small(_part(grey, *part)) for part in PARTS] for grey in todo]
    return [normed(column) for column in zip(*rows, strict=True)]


def _part(grey: Grey, side: int, dx: float, dy: float) -> Grey:
    return np.asarray(cv2.getRectSubPix(grey, (side, side), (MIDDLE + dx, MIDDLE + dy)), np.uint8)


def _small(grey: Grey) -> Grey:
    return np.asarray(cv2.resize(grey, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)


def _grey(data: bytes) -> Grey:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


def normed(greys: Sequence[Grey]) -> Array:
    """(n, pixels) of mean 0 and length 1."""
    rows = np.array(greys, np.float32).reshape(len(greys), -1)
    rows -= rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


def who_is(thumbs: Array, known: Sequence[Array], files: Sequence[str]) -> list[str | None]:
    """The file of the same picture, for each row of `thumbs`; None where that is not clear."""
    people = np.unique([smile_data.person(file) for file in files], return_inverse=True)[1]
    found: list[str | None] = []
    for start in tqdm(range(0, len(thumbs), CHUNK), desc="compared", unit="chunks"):
        rows = thumbs[start : start + CHUNK]
        alike = rows @ known[0].T
        for part in known[1:]:
            np.maximum(alike, rows @ part.T, out=alike)
        found += [_clear(row, people, files) for row in alike]
    return found


def _clear(alike: Array, people: Array, files: Sequence[str]) -> str | None:
    best = int(alike.argmax())
    other = alike[people != people[best]].max(initial=-1.0)
    return files[best] if alike[best] >= ALIKE and alike[best] - other >= CLEARLY else None
