"""Small faces that must be found, and empty scenes in which nobody may be found: the whole gate, up to `ok`.

    python -m models.evaluate.scenes --images faces.zip --pictures photo.png … --json

A face of a picture (of the package media, or of `--images`, a ZIP of photographs with one face each) is
shrunk to a width of 32, 48 and 64 px and laid with a soft edge onto an empty frame of 640x480, in a place
of chance (seeded). It is found when a reading that is `ok` lies on it (overlap of the boxes at least
0.3). A photograph in which no face is found at its own size has no box and is left out; how many is said.
The empty scenes run for ten minutes at five frames a second: every reading there is a false face.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from gateway.indices.intervals import wilson
from gateway.tflite import Model
from gateway.vision.blazeface import BlazeFace
from gateway.vision.detector import SEARCH_MIN, Detector
from gateway.vision.faces import Box, Image
from gateway.vision.pipeline import load_detector, load_pipeline
from gateway.vision.report import sampled
from gateway.vision.view import whole
from models import fetch
from models.evaluate.backdrops import backdrops, scenes

WIDTHS = (32, 48, 64)
FOUND = 0.3
HEAD = 1.7  # of the face's width: what is laid onto the backdrop
FPS = 5
SEED = 4_720_261
MOMENTS = {"video_woman": (1.5, 8.0, 14.0), "video_man": (0.2, 1.5)}


@dataclass(frozen=True)
class Head:
    """One face of a photograph, and its box there."""

    image: Image
    box: Box


def heads_of(images: Iterable[Image], detector: Detector) -> Iterator[Head | None]:
    """The largest face of each; None where there is none."""
    for image in images:
        found = detector.find(image)
        yield Head(image, max(found, key=lambda one: one.box.width).box) if found else None


def media_heads(detector: Detector) -> list[Head]:
    """The faces of the fetched media: seven people."""
    group = np.asarray(cv2.imread(str(fetch.path("photo_group"))), np.uint8)
    heads = [Head(group, one.box) for one in detector.find(group)]
    for media, moments in MOMENTS.items():
        frames = [min(sampled(fetch.path(media), 10), key=lambda f: abs(f[0] - at))[1] for at in moments]
        heads += [head for head in heads_of(frames, detector) if head]
    return heads


def zipped(archive: Path, step: int = 1) -> Iterator[Image]:
    """Every `step`-th image of a ZIP, in the order of names."""
    with zipfile.ZipFile(archive) as pack:
        names = sorted(name for name in pack.namelist() if name.lower().endswith((".jpg", ".png")))
        for name in names[::step]:
            pixels = np.frombuffer(pack.read(name), np.uint8)
            yield np.asarray(cv2.imdecode(pixels, cv2.IMREAD_COLOR), np.uint8)


def lay(head: Head, backdrop: Image, px: int, at: tuple[float, float]) -> tuple[Image, Box]:
    """The frame with the face `px` wide, its middle at `at` (fractions of the room there is), and its box."""
    small, box = _shrunk(head, px)
    height, width = small.shape[:2]
    x = round(at[0] * (backdrop.shape[1] - width))
    y = round(at[1] * (backdrop.shape[0] - height))
    soft = _soft(height, width)
    frame = backdrop.copy()
    place = frame[y : y + height, x : x + width]
    place[:] = np.round(soft * small + (1 - soft) * place).astype(np.uint8)
    return frame, Box(box.x + x, box.y + y, box.width, box.height)


def _shrunk(head: Head, px: int) -> tuple[Image, Box]:
    """The head cut out and shrunk, and the face's box in it."""
    scale, (mx, my) = px / head.box.width, head.box.center
    half = HEAD / 2 * head.box.width
    left, top = max(0, round(mx - half)), max(0, round(my - 1.1 * half))
    cut = head.image[top : round(my + 1.1 * half), left : round(mx + half)]
    small = cv2.resize(
        cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    x, y = (head.box.x - left) * scale, (head.box.y - top) * scale
    return np.asarray(small, np.uint8), Box(x, y, px, head.box.height * scale)


def _soft(height: int, width: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """(height, width, 1): 1 in the middle, down to 0 over the outer eighth."""
    across = np.clip(np.minimum(np.arange(width), np.arange(width)[::-1]) / (width / 8), 0, 1)
    down = np.clip(np.minimum(np.arange(height), np.arange(height)[::-1]) / (height / 8), 0, 1)
    return (down[:, None] * across)[:, :, None]


def recall(heads: Sequence[Head], px: int, pictures: Sequence[Path] = ()) -> dict[str, Any]:
    """{"px", "n", "found", "recall", "low", "high", "seen"}; `seen`: with a reading, ok or not."""
    pipeline, rng = load_pipeline(), np.random.default_rng(SEED)
    found = seen = 0
    pairs = zip(heads, backdrops(len(heads), SEED, pictures), strict=True)
    for n, (head, backdrop) in enumerate(
        tqdm(pairs, desc=f"{px} px", total=len(heads), unit="face", disable=None)
    ):
        frame, box = lay(head, backdrop, px, (rng.random(), rng.random()))
        hits = [one for one in pipeline.find(frame, 10.0 * n) if one.detection.box.overlap(box) >= FOUND]
        seen += bool(hits)
        found += any(hit.ok for hit in hits)
    low, high = wilson(found, len(heads))
    return {
        "px": px,
        "n": len(heads),
        "found": found,
        "recall": found / len(heads),
        "low": low,
        "high": high,
        "seen": seen,
    }


def false_faces(minutes: float, pictures: Sequence[Path] = ()) -> dict[str, dict[str, int]]:
    """By scene: frames, those in which the search alone sees a face, readings, and readings that are ok."""
    kinds = scenes(pictures)
    frames = round(minutes * 60 * FPS / len(kinds))
    return {name: _empty(scene(SEED), frames, name) for name, scene in kinds.items()}


def _empty(scene: Iterator[Image], frames: int, name: str) -> dict[str, int]:
    pipeline, counts = load_pipeline(), Counter(frames=frames)
    search = BlazeFace(Model(fetch.path("blazeface_back")), SEARCH_MIN)
    for n, frame in enumerate(
        tqdm(islice(scene, frames), desc=name, total=frames, unit="frame", disable=None)
    ):
        counts["search"] += bool(search.find(frame, whole(frame, search.side)))
        faces = pipeline.see(frame, n / FPS)
        counts["readings"] += len(faces)
        counts["ok"] += sum(face.ok for face in faces)
    return {key: counts[key] for key in ("frames", "search", "readings", "ok")}


def main() -> int:
    """Prints both measurements."""
    args = _parser().parse_args()
    detector = load_detector()
    sources: dict[str, list[Head | None]] = {"media": [*media_heads(detector)]}
    if args.images:
        sources[args.images.name] = list(heads_of(zipped(args.images, args.step), detector))
    report = {
        "recall": {
            name: [recall([h for h in heads if h], px, args.pictures) for px in WIDTHS]
            for name, heads in sources.items()
        },
        "left_out": {name: sum(head is None for head in heads) for name, heads in sources.items()},
        "empty": false_faces(args.minutes, args.pictures),
    }
    print(json.dumps(report) if args.json else "\n".join(lines(report)))
    return 0


def lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for a person."""
    for name, rows in report["recall"].items():
        yield f"recall, faces of {name} ({report['left_out'][name]} left out, no face at their own size):"
        for row in rows:
            yield (
                f"  {row['px']} px: {row['recall']:.3f} ({row['low']:.3f} to {row['high']:.3f}), "
                f"{row['found']} of {row['n']}; with a reading, ok or not: {row['seen']}"
            )
    for name, row in report["empty"].items():
        yield (
            f"empty scene {name}: {row['frames']} frames; false faces: the search alone in {row['search']}, "
            f"readings {row['readings']}, ok {row['ok']}"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate.scenes", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--images", type=Path, help="a ZIP of photographs with one face each")
    parser.add_argument("--step", type=int, default=1, help="take every STEP-th of them (default: 1)")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="photographs that show nobody")
    parser.add_argument("--minutes", type=float, default=10, help="of empty scenes (default: 10)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
