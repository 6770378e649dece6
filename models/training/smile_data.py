"""Faces to train a smile model on: read, levelled as the camera does, split by person, kept in a work folder.

FER2013's pictures are tight and go in as they are. Those of muxspace go through the very detector and
levelled crop of the product, with more around the face, so that boxes can be shaken; where no face is found
the picture goes in as it is. Nearly all of muxspace is LFW, whose people are the test set SMILEsmileD as
well: a hash of the name sends 65 % of them to training, 10 % to validation, and keeps 25 % away for the test.
"""

from __future__ import annotations

import csv
import hashlib
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from gateway.tflite import Model
from gateway.vision.crop import level_crop
from gateway.vision.detector import Detector
from gateway.vision.faces import Detection, Image
from gateway.vision.pipeline import load_detector
from gateway.vision.smile import LABELS, MARGIN, SMILE, load_fer
from models import fetch

Array = NDArray[Any]
Grey = NDArray[np.uint8]

FER_TRAIN, FER_VALIDATION = "fer2013_train.npz", "fer2013_validation.npz"
MUXSPACE, MUXSPACE_LABELS = "muxspace_128.zip", "muxspace.csv"
FILES = (FER_TRAIN, FER_VALIDATION, MUXSPACE, MUXSPACE_LABELS)
TRAIN, VALIDATION, TEST = 0, 1, 2
FER, LFW, FILM = 0, 1, 2  # where a picture comes from
TRAIN_PERCENT, VALIDATION_PERCENT = 65, 10  # of muxspace's people

PATCH_PX, PATCH_MARGIN = 96, 1.6
PATCH_WINDOW = PATCH_PX * MARGIN / PATCH_MARGIN
"""The product's crop is the middle 66 px of a patch."""
FER_WINDOW, FER_DOWN = 44.0, 3.0
"""The same square in FER2013's 48 px pictures, and how far below their middle (median of 218 detections)."""
PLAIN_WINDOW = 112.0  # of muxspace's 128 px, where no face was found
PADDED_PX, PADDING_PX = 144, 56  # the detector sees the picture at 144 px in 256, its edge drawn out
FACE_MIN_PX = 60
LANDMARKS, LANDMARK_PX, LANDMARK_MARGIN = 1404, 192, 1.5
HAPPY = LABELS.index(SMILE)
NO_LABEL = -1


@dataclass(frozen=True)
class Faces:
    """n training pictures: greys of any size, the window of the product's crop, what is known of each."""

    pictures: list[Grey]
    window: Array  # (n,) side of the crop in the picture's pixels
    down: Array  # (n,) its middle below that of the picture, in pixels
    label: Array  # (n,) index of LABELS, or NO_LABEL
    part: Array  # (n,) TRAIN, VALIDATION or TEST
    source: Array  # (n,) FER, LFW or FILM
    group: Array  # (n,) a hash of the person, or of the picture where nobody is named
    landmarks: Array  # (n, 1404) of the landmark model; zeros where no face was found
    fer: Array  # (n, 7) of the fer model

    def __len__(self) -> int:
        return len(self.pictures)


def person(file: str) -> str:
    """`Tony_Blair_0012.jpg` is of Tony_Blair."""
    return re.sub(r"_[^_]*$", "", file)


def hash_of(text: str) -> int:
    """The same number on every machine."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


def part_of(file: str) -> int:
    """The part that the person belongs to; people of films are no test."""
    percent = hash_of("smile" + person(file)) % 100
    if percent < TRAIN_PERCENT:
        return TRAIN
    if percent < TRAIN_PERCENT + VALIDATION_PERCENT:
        return VALIDATION
    return TEST if is_lfw(file) else TRAIN


def is_lfw(file: str) -> bool:
    """LFW numbers its pictures with four digits."""
    return re.search(r"_\d{4}\.jpg$", file) is not None


def load(data: Path, work: Path) -> Faces:
    """All training and validation pictures; the slow part is kept in `work`."""
    fer = load_fer_rows(data / FER_TRAIN, TRAIN), load_fer_rows(data / FER_VALIDATION, VALIDATION)
    kept = work / "muxspace.npz"
    if not kept.exists():
        _keep(kept, dict(_upright(data)))
    return joined([*fer, _muxspace(data, kept)])


def joined(parts: Sequence[Faces]) -> Faces:
    """One set of several."""
    names = [name for name in Faces.__dataclass_fields__ if name != "pictures"]
    columns = {name: np.concatenate([getattr(one, name) for one in parts]) for name in names}
    return Faces(pictures=[grey for one in parts for grey in one.pictures], **columns)


def load_fer_rows(path: Path, part: int) -> Faces:
    """FER2013 as it is; fer's own reading of it included."""
    with np.load(path) as file:
        pictures, label = list(file["images"]), file["labels"].astype(int)
    model, n = load_fer(), len(pictures)
    todo = tqdm(pictures, desc=path.name, unit="pictures")
    seen = np.array([list(model.read_crop(bgr(grey)).values()) for grey in todo], np.float32)
    return Faces(
        pictures,
        np.full(n, FER_WINDOW),
        np.full(n, FER_DOWN),
        label,
        np.full(n, part),
        np.full(n, FER),
        np.array([hash_of(f"{path.name}{i}") % 2**31 for i in range(n)]),
        np.zeros((n, LANDMARKS), np.float16),
        seen,
    )


def _muxspace(data: Path, kept: Path) -> Faces:
    names, labels = muxspace_names(data), _labels(data)
    with np.load(kept) as file:
        found, patches, landmarks, fer = (file[k] for k in ("found", "patches", "landmarks", "fer"))
    plain = plain_muxspace(data)
    pictures = [
        patch if seen else next_one for patch, seen, next_one in zip(patches, found, plain, strict=True)
    ]
    return Faces(
        pictures,
        np.where(found, PATCH_WINDOW, PLAIN_WINDOW),
        np.zeros(len(names)),
        np.array([LABELS.index(labels[n]) if labels[n] in LABELS else NO_LABEL for n in names]),
        np.array([part_of(name) for name in names]),
        np.array([LFW if is_lfw(name) else FILM for name in names]),
        np.array([hash_of("fold" + person(name)) % 2**31 for name in names]),
        landmarks,
        fer,
    )


def _labels(data: Path) -> dict[str, str]:
    with (data / MUXSPACE_LABELS).open(newline="") as file:
        return {row["file"]: row["emotion"] for row in csv.DictReader(file)}


def muxspace_names(data: Path) -> list[str]:
    """The files of muxspace."""
    return sorted(_labels(data))


def plain_muxspace(data: Path) -> Iterator[Grey]:
    """The pictures of muxspace in the order of names."""
    with zipfile.ZipFile(data / MUXSPACE) as archive:
        for name in muxspace_names(data):
            pixels = np.frombuffer(archive.read(name), np.uint8)
            yield np.asarray(cv2.imdecode(pixels, cv2.IMREAD_GRAYSCALE), np.uint8)


def _upright(data: Path) -> Iterator[tuple[str, Array]]:
    """Patch, landmarks and fer's reading of each muxspace picture, as columns."""
    detector, mesh, fer = load_detector(), Model(fetch.path("face_landmarks")), load_fer()
    rows = []
    for grey in tqdm(plain_muxspace(data), desc=MUXSPACE, unit="pictures", total=len(muxspace_names(data))):
        image = padded(grey)
        face = _largest(detector, image)
        if face:
            patch = _patch(image, face)
            rows.append((True, patch, _points(mesh, image, face), list(fer.read(image, face).values())))
        else:
            none = np.zeros((PATCH_PX, PATCH_PX), np.uint8), np.zeros(LANDMARKS)
            rows.append((False, *none, list(fer.read_crop(bgr(grey)).values())))
    for name, column, kind in zip(
        ("found", "patches", "landmarks", "fer"),
        zip(*rows, strict=True),
        (bool, np.uint8, np.float16, np.float32),
        strict=True,
    ):
        yield name, np.array(column, kind)


def unseen(data: Path) -> Iterator[tuple[str, bool, Grey]]:
    """File, whether it is labelled as a smile, and patch, of the people who are kept for the test."""
    detector, labels = load_detector(), _labels(data)
    todo = tqdm(plain_muxspace(data), desc=MUXSPACE, unit="pictures", total=len(labels))
    for name, grey in zip(muxspace_names(data), todo, strict=True):
        if part_of(name) == TEST and labels[name] in LABELS:
            image = padded(grey)
            face = _largest(detector, image)
            if face:
                yield name, labels[name] == SMILE, _patch(image, face)


def _largest(detector: Detector, image: Image) -> Detection | None:
    faces = [face for face in detector.find(image) if face.box.width > FACE_MIN_PX]
    return max(faces, key=lambda one: one.box.width, default=None)


def _patch(image: Image, face: Detection) -> Grey:
    return level_crop(image, face, PATCH_PX, PATCH_MARGIN)[:, :, 0]


def middle_of(patch: Grey) -> Grey:
    """(66, 66) that the product's crop shows of a patch."""
    edge = round((PATCH_PX - PATCH_WINDOW) / 2)
    return patch[edge : PATCH_PX - edge, edge : PATCH_PX - edge]


def padded(grey: Grey) -> Image:
    """(256, 256, 3) with a tight face picture in its middle: such as the detector knows faces."""
    large = cv2.resize(grey, (PADDED_PX, PADDED_PX), interpolation=cv2.INTER_CUBIC)
    edge = (PADDING_PX,) * 4
    return bgr(np.asarray(cv2.copyMakeBorder(large, *edge, cv2.BORDER_REPLICATE), np.uint8))


def _points(mesh: Model, image: Image, face: Detection) -> Array:
    rgb = cv2.cvtColor(level_crop(image, face, LANDMARK_PX, LANDMARK_MARGIN), cv2.COLOR_BGR2RGB)
    return np.asarray(mesh.run((rgb.astype(np.float32) / 255)[None])[0].reshape(-1))


def bgr(grey: Grey) -> Image:
    """Three channels."""
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)


def _keep(path: Path, columns: dict[str, Array]) -> None:
    """Written beside and renamed: a cut leaves no half file."""
    part = path.with_suffix(".part.npz")
    np.savez(part, allow_pickle=False, **columns)
    part.replace(path)


def kept(path: Path, make: Callable[[], Array]) -> NDArray[np.float32]:
    """What `make` gives, or what is kept of it at `path`; written beside and renamed."""
    if not path.exists():
        part = path.with_suffix(".part.npy")
        np.save(part, make())
        part.replace(path)
    return np.asarray(np.load(path), np.float32)
