"""Condition 2 of a loyal customer, end to end: from the frames of a clip to `positive`.

    python -m models.evaluate.condition2 --images faces.zip --labels faces.csv --json

Each clip is a contact: asked, four seconds seen, the best key pressed in the middle of them. Its frames go
through the camera's pipeline, the face events through `emobox replay` as of a shop in a region without
special rules. Right is a contact whose `positive` is the label; unknown emotion is not right. The CSV has
file and smile (0 or 1). With a column yaw_rad it is told apart who is labelled as facing the lens, within the
30 degrees that spec 3 judges. Pictures on which the smile model's temperature was fitted are left out.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

from gateway.config import Site, parse_site
from gateway.indices.intervals import wilson
from gateway.replay import replay
from gateway.tflite import Model
from gateway.vision.faces import Image
from gateway.vision.pipeline import Pipeline, load_detector, load_pipeline
from gateway.vision.presence import LandmarkModel
from gateway.vision.smile import load_fer
from models import fetch
from models.evaluate.clips import FPS, Clip, media_clips, still_clips
from models.evaluate.labels import EvaluationError, open_pictures, read_rows
from models.training.smile_people import is_calibration

START_MS = 1_760_000_000_000
EVERY_MS = 600_000  # a contact: far enough apart that none touches another
SEEN_FROM_MS, RATED_MS, ARRIVE_MS = 2_000, 4_000, 1
YAW = "yaw_rad"
SITE: dict[str, Any] = {
    "site": "clips",
    "zone": "UTC",
    "region": "other",
    "camera": {"sign_posted": "made clips, nobody is watched"},
    "points": {
        "till": {
            "devices": {
                "cam": {"kind": "camera"},
                "fob": {"kind": "keyfob"},
                "term": {"kind": "terminal", "keys": 3},
            }
        }
    },
}


@dataclass(frozen=True)
class Result:
    """What became of a clip; `positive` is None where emotion is unknown."""

    name: str
    smiles: bool
    positive: bool | None

    @property
    def right(self) -> bool:
        """Whether `positive` says what the label says."""
        return self.positive is not None and self.positive == self.smiles


class Log:
    """The messages of a shop's day, as `emobox replay` reads them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._seq: dict[str, int] = {}

    def add(self, device: str, t: int, kind: str, fields: dict[str, Any]) -> None:
        """One event that happened at t (ms)."""
        seq = self._seq[device] = self._seq.get(device, 0) + 1
        payload = {"v": 1, "boot": 1, "seq": seq, "age": ARRIVE_MS, "kind": kind} | fields
        topic = f"emobox/v1/clips/{device}/event"
        self.lines.append(json.dumps({"received": t + ARRIVE_MS, "topic": topic, "payload": payload}))


def measure(clips: Iterable[Clip], pipeline: Pipeline) -> list[Result]:
    """One contact a clip."""
    log, labels = Log(), []
    for number, clip in enumerate(clips):
        _contact(log, START_MS + number * EVERY_MS, clip, pipeline)
        labels.append((clip.name, clip.smiles))
    found = _replayed(log, parse_site(SITE))
    return [Result(*label, positive) for label, positive in zip(labels, found, strict=True)]


def _contact(log: Log, asked: int, clip: Clip, pipeline: Pipeline) -> None:
    log.add("fob", asked, "click", {"pattern": "single"})
    log.add("term", asked + RATED_MS, "press", {"key": 1})
    for n, image in enumerate(clip.frames):
        t = asked + SEEN_FROM_MS + n * 1000 // FPS
        for face in pipeline.see(image.copy(), t / 1000):
            log.add("cam", t, "face", face.fields())


def _replayed(log: Log, site: Site) -> list[bool | None]:
    with TemporaryDirectory(prefix="emobox-clips-") as folder:
        file = Path(folder) / "log.jsonl"
        file.write_text("\n".join(log.lines))
        return [contact["positive"] for contact in replay(file, site)["contacts"]]


def figures(results: Sequence[Result]) -> dict[str, Any]:
    """{"n", "right", "share", "low", "high"} of all; of the known; by label; "wrong": names."""
    right = sum(result.right for result in results)
    known = sum(result.positive is not None for result in results)
    low, high = wilson(right, len(results))
    smiles = [result.right for result in results if result.smiles]
    others = [result.right for result in results if not result.smiles]
    return {
        "n": len(results),
        "right": right,
        "share": right / len(results),
        "low": low,
        "high": high,
        "known": known,
        "of_known": right / known if known else None,
        "of_known_interval": wilson(right, known) if known else None,
        "smiles_right": f"{sum(smiles)} of {len(smiles)}",
        "others_right": f"{sum(others)} of {len(others)}",
        "wrong": [result.name for result in results if not result.right][:40],
    }


def stills(images: Path, labels: Path, step: int) -> Iterator[tuple[str, Image, bool]]:
    """Labelled photographs that were not used to fit anything. Raises EvaluationError."""
    pictures = open_pictures(images)
    rows = [row for row in read_rows(labels, ("file", "smile")) if not is_calibration(row["file"])]
    for row in tqdm(rows[::step], desc=images.name, unit="clip", disable=None):
        name = pictures.find(row["file"])
        image = pictures.read(name) if name else None
        if image is not None:
            yield row["file"], image, row["smile"].strip() == "1"


class Left:
    """Names of photographs without a face that could be moved; clips pass through."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def out(self, found: Iterable[Clip | str]) -> Iterator[Clip]:
        """The clips alone."""
        for one in found:
            if isinstance(one, Clip):
                yield one
            else:
                self.names.append(one)


def photographs(images: Path, labels: Path, step: int, pipeline: Pipeline) -> dict[str, Any]:
    """The figures of animated photographs; `left_out`: those without a face. Raises EvaluationError."""
    left = Left()
    look = LandmarkModel(Model(fetch.path("face_landmarks")))
    clips = still_clips(stills(images, labels, step), load_detector(), look)
    results = measure(left.out(clips), pipeline)
    return figures(results) | {"left_out": len(left.names)} | by_turn(results, labels)


def by_turn(results: Sequence[Result], labels: Path) -> dict[str, Any]:
    """The figures of `facing` and, how many of them are unknown, of `turned`, as labelled; {} without labels.

    Raises EvaluationError.
    """
    rows = read_rows(labels, ("file",))
    if YAW not in rows[0]:
        return {}
    limit = parse_site(SITE).defaults.face_yaw_max
    away = {row["file"] for row in rows if abs(math.degrees(float(row[YAW]))) > limit}
    facing, turned = [
        [result for result in results if (result.name in away) == is_away] for is_away in (False, True)
    ]
    unknown = sum(result.positive is None for result in turned)
    counts = {"turned": {"n": len(turned), "unknown": unknown}}
    return counts | ({"facing": figures(facing)} if facing else {})


def main() -> int:
    """Prints the media's part and, apart from it, that of the photographs."""
    args = _parser().parse_args()
    pipeline = load_pipeline(smile=load_fer() if args.fer else None)
    report = {"media": figures(measure(media_clips(load_detector()), pipeline))}
    try:
        if args.images:
            report[args.images.name] = photographs(args.images, args.labels, args.step, pipeline)
    except EvaluationError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(report) if args.json else "\n".join(lines(report)))
    return 0


def lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for a person."""
    for name, part in report.items():
        span = f"{part['low']:.3f} to {part['high']:.3f}"
        yield f"{name}: {part['share']:.3f} of contacts right ({span}), {part['right']} of {part['n']}"
        kinds = f"smiling: {part['smiles_right']}; not: {part['others_right']}"
        yield f"  {kinds}; emotion known: {part['known']}, of these right: {part['of_known'] or 0:.3f}"
        if "facing" in part:
            yield from lines({"  labelled as facing the lens": part["facing"]})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate.condition2", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--images", type=Path, help="a folder or ZIP of photographs with one face each")
    parser.add_argument("--labels", type=Path, help="their CSV: file, smile")
    parser.add_argument("--fer", action="store_true", help="with the baseline's network, not the own one")
    parser.add_argument("--step", type=int, default=1, help="take every STEP-th of them (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
