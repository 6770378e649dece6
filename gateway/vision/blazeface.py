"""BlazeFace, both models: faces in a view of a frame (MediaPipe's decoding, written anew in numpy)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.tflite import Model
from gateway.vision.faces import Box, Detection, Image, Keypoints
from gateway.vision.light import readable, washed_out
from gateway.vision.view import Floats, View

GRIDS = ((16, 2), (8, 6))  # cells a side, anchors a cell: the same in both models
OVERLAP_MAX = 0.3
LOGIT_MAX = 80.0  # keeps exp() finite


class BlazeFace:
    """One model; `side` px a side, detections of at least `score_min` are reported.

    In a washed-out view of at least `white_min`, too: many that are less sure are no faces there.
    """

    def __init__(self, model: Model, score_min: float, white_min: float = 0.0) -> None:
        self._model, self._score_min, self._white_min = model, score_min, white_min
        self._anchors = anchors()

    @property
    def side(self) -> int:
        """Width and height of what the model is shown, in pixels."""
        return self._model.input_shape[1]

    def find(self, image: Image, view: View) -> list[Detection]:
        """Faces in a view of a BGR frame, best score first; boxes and points in the frame's pixels."""
        picture = view.cut(image)
        raw, logits = self._model.run(tensor(readable(picture)))
        scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1), -LOGIT_MAX, LOGIT_MAX).astype(np.float64)))
        keep = np.flatnonzero(scores >= self._least(picture))
        corners = decode(raw.reshape(-1, 8, 2)[keep] / view.side, self._anchors[keep])
        found = merge(corners, scores[keep])
        return [_detection(view.to_frame(points * view.side), score) for points, score in found]

    def _least(self, picture: Image) -> float:
        return max(self._score_min, self._white_min) if washed_out(picture) else self._score_min


def anchors() -> Floats:
    """(896, 2) anchor centres, 0…1 of the input, in the model's order."""
    return np.concatenate([_grid(cells, repeats) for cells, repeats in GRIDS])


def _grid(cells: int, repeats: int) -> Floats:
    centres = (np.arange(cells) + 0.5) / cells
    y, x = np.meshgrid(centres, centres, indexing="ij")
    return np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), repeats, axis=0)


def tensor(picture: Image) -> NDArray[np.float32]:
    """(1, side, side, 3) RGB in -1…1 of a BGR picture."""
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return np.asarray(rgb, np.float32)[None] / np.float32(127.5) - np.float32(1)


def decode(raw: NDArray[Any], centres: Floats) -> Floats:
    """(n, 8, 2) points from (n, 8, 2) raw outputs, both 0…1 of the input: two box corners, six keypoints."""
    points = raw.astype(np.float64)
    half = points[:, 1] / 2
    points[:, 2:] += centres[:, None]
    middle = points[:, 0] + centres
    points[:, 0], points[:, 1] = middle - half, middle + half
    return points


def merge(points: Floats, scores: Floats) -> list[tuple[Floats, float]]:
    """Non-maximum suppression by weighted mean: one (8, 2) array and score a face, best first."""
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    boxes = [_box(face) for face in points]
    found: list[tuple[Floats, float]] = []
    while order:
        best = order[0]
        same = [i for i in order if i == best or boxes[best].overlap(boxes[i]) > OVERLAP_MAX]
        found.append((np.average(points[same], axis=0, weights=scores[same]), float(scores[best])))
        order = [i for i in order if i not in same]
    return found


def _detection(points: Floats, score: float) -> Detection:
    return Detection(_box(points), Keypoints(*((float(x), float(y)) for x, y in points[2:])), score)


def _box(points: Floats) -> Box:
    (left, top), (right, bottom) = points[:2].tolist()
    return Box(left, top, right - left, bottom - top)
