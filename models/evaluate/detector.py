"""What the camera's gate finds on pictures with labelled boxes: `emobox models evaluate detector`.

The gate is the whole of it: detector, then the second look that removes false alarms (`Pipeline.find`). A
labelled face counts as found when a face of the gate overlaps it; each found face serves one label.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from gateway.vision.faces import Box, Image
from gateway.vision.pipeline import Pipeline, load_pipeline
from models.evaluate import figures
from models.evaluate.labels import EvaluationError, Pictures, Row, open_pictures, read_rows
from models.evaluate.smile import DIGITS, Skipped, left_out, lines_left_out, pair, rounded
from models.evaluate.variants import VARIANTS

COLUMNS = ("file", "x", "y", "width", "height")
WIDTHS_PX = (0, 32, 48, 64, 128)
APART_S = 10.0  # between pictures: no face is followed from one to the next
OVERLAP = 0.3  # label makers draw heads or faces; nothing else is so near

Truths = dict[str, list[Box]]


@dataclass(frozen=True)
class Scene:
    """One picture: its labelled boxes, which of them were found, and how many faces were seen."""

    boxes: list[Box]
    hits: list[bool]
    seen: int
    seconds: float


def evaluate(
    images: Path,
    labels: Path,
    *,
    variant: str | None = None,
    overlap: float = OVERLAP,
    show: bool | None = None,
) -> dict[str, Any]:
    """The report. Raises EvaluationError, fetch.FetchError, tflite.ModelError."""
    truths, pictures, gate = read_boxes(labels), open_pictures(images), load_pipeline()
    hidden = None if show is None else not show
    todo = tqdm(truths.items(), desc="detector", unit="pictures", disable=hidden)
    scenes: list[Scene] = []
    skipped: list[Skipped] = []
    for number, (file, boxes) in enumerate(todo):
        image = _picture(pictures, file, variant)
        if isinstance(image, Skipped):
            skipped.append(image)
        else:
            scenes.append(_scene(image, boxes, gate, number * APART_S, overlap))
    if not scenes:
        raise EvaluationError(f"none of the {len(truths)} files that {labels} names is a picture in {images}")
    return report(scenes, skipped, variant, overlap)


def read_boxes(labels: Path) -> Truths:
    """Boxes by file; a file without numbers is an empty scene. Raises EvaluationError."""
    found: Truths = {}
    for row in read_rows(labels, COLUMNS):
        boxes = found.setdefault(row["file"], [])
        if any(row[name].strip() for name in COLUMNS[1:]):
            boxes.append(_box(row, labels))
    return found


def _box(row: Row, labels: Path) -> Box:
    try:
        box = Box(*(float(row[name]) for name in COLUMNS[1:]))
    except ValueError:
        box = Box(0, 0, 0, 0)
    if not (0 < box.width < np.inf and 0 < box.height < np.inf and np.isfinite(box.x + box.y)):
        given = ", ".join(row[name] for name in COLUMNS[1:])
        raise EvaluationError(
            f"{labels}: the box of '{row['file']}' is ({given}); give x, y, width, height in pixels, "
            "or leave all four empty for a picture without a face"
        )
    return box


def _picture(pictures: Pictures, file: str, variant: str | None) -> Image | Skipped:
    name = pictures.find(file)
    image = pictures.read(name) if name else None
    if image is None:
        return Skipped(file, "unreadable" if name else "missing")
    return VARIANTS[variant](image) if variant else image


def _scene(image: Image, boxes: list[Box], gate: Pipeline, time_s: float, overlap: float) -> Scene:
    start = time.perf_counter()
    seen = [found.detection.box for found in gate.find(image, time_s)]
    return Scene(boxes, match(boxes, seen, overlap), len(seen), time.perf_counter() - start)


def match(boxes: Sequence[Box], seen: Sequence[Box], overlap: float) -> list[bool]:
    """Which boxes are found: the pairs that overlap most are joined first."""
    pairs = [(box.overlap(face), i, j) for i, box in enumerate(boxes) for j, face in enumerate(seen)]
    hits: set[int] = set()
    used: set[int] = set()
    for share, i, j in sorted(pairs, key=lambda pair: -pair[0]):
        if share >= overlap and i not in hits and j not in used:
            hits.add(i)
            used.add(j)
    return [i in hits for i in range(len(boxes))]


def report(
    scenes: Sequence[Scene], skipped: Sequence[Skipped], variant: str | None, overlap: float
) -> dict[str, Any]:
    """All figures; a false face is one that no labelled box takes."""
    hits = [hit for scene in scenes for hit in scene.hits]
    seen, false = sum(scene.seen for scene in scenes), sum(scene.seen - sum(scene.hits) for scene in scenes)
    return {
        "variant": variant,
        "overlap": overlap,
        "n": len(scenes),
        "faces": len(hits),
        **share("recall", hits),
        **share("precision", [True] * (seen - false) + [False] * false),
        "false_per_image": round(false / len(scenes), DIGITS),
        "recall_by_width_px": dict(_by_width(scenes)),
        "ms_per_image": round(float(np.median([scene.seconds for scene in scenes])) * 1000, 3),
        **left_out(skipped),
    }


def _by_width(scenes: Sequence[Scene]) -> Iterator[tuple[str, dict[str, Any]]]:
    pairs = [(box.width, hit) for s in scenes for box, hit in zip(s.boxes, s.hits, strict=True)]
    for low, high in zip(WIDTHS_PX, [*WIDTHS_PX[1:], None], strict=True):
        hits = [hit for width, hit in pairs if low <= width and (high is None or width < high)]
        if hits:
            yield f"{low}-{high or ''}", {"faces": len(hits), **share("recall", hits)}


def share(name: str, hits: Sequence[bool]) -> dict[str, Any]:
    """The share of true ones and its 95 % interval; None of none."""
    all_hits = np.array(hits, np.bool_)
    found, interval = figures.share(all_hits), figures.share_interval(all_hits)
    return {name: rounded(found), f"{name}_interval": pair(interval)}


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The report for a reader."""
    yield f"{found['n']} pictures ({found['variant'] or 'as given'}), {found['faces']} labelled faces"
    yield f"recall     {_shown('recall', found)}"
    for width, part in found["recall_by_width_px"].items():
        yield f"  {width:>7} px wide, {part['faces']}: {_shown('recall', part)}"
    yield f"precision  {_shown('precision', found)}"
    yield f"{found['false_per_image']} false faces and {found['ms_per_image']} ms a picture"
    yield from lines_left_out(found)


def _shown(name: str, part: Mapping[str, Any]) -> str:
    if part[name] is None:
        return "not to be had"
    low, high = part[f"{name}_interval"]
    return f"{part[name]:.4f}  (95 %: {low:.4f} to {high:.4f})"
