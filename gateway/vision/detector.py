"""BlazeFace back camera model: where the faces are (MediaPipe's decoding, written anew in numpy)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.tflite import Model
from gateway.vision.faces import Box, Detection, Image, Keypoints

INPUT_PX = 256
GRIDS = ((16, 2), (8, 6))  # cells a side, anchors a cell: strides 16 and 3 x 32 of the 256 px input
SCORE_MIN = 0.60  # below it false alarms begin (measured: components, Vision)
OVERLAP_MAX = 0.3
LOGIT_MAX = 80.0  # keeps exp() finite

Floats = NDArray[np.float64]


class Detector:
    """Finds faces of about 32 px and more in a 640x480 frame."""

    def __init__(self, model: Model, score_min: float = SCORE_MIN) -> None:
        self._model = model
        self._score_min = score_min
        self._anchors = anchors()

    def find(self, image: Image) -> list[Detection]:
        """Faces of a BGR frame, best score first; boxes and points in the frame's pixels."""
        tensor, scale, shift = letterbox(image)
        raw, logits = self._model.run(tensor)
        scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1), -LOGIT_MAX, LOGIT_MAX).astype(np.float64)))
        keep = np.flatnonzero(scores >= self._score_min)
        corners = decode(raw.reshape(-1, 8, 2)[keep], self._anchors[keep])
        merged = merge(corners, scores[keep])
        return [_detection((points * INPUT_PX - shift) / scale, score) for points, score in merged]


def anchors() -> Floats:
    """(896, 2) anchor centres, 0…1 of the input, in the model's order."""
    return np.concatenate([_grid(cells, repeats) for cells, repeats in GRIDS])


def _grid(cells: int, repeats: int) -> Floats:
    centres = (np.arange(cells) + 0.5) / cells
    y, x = np.meshgrid(centres, centres, indexing="ij")
    return np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), repeats, axis=0)


def letterbox(image: Image) -> tuple[NDArray[np.float32], float, Floats]:
    """The frame in the middle of a (1, 256, 256, 3) RGB tensor in -1…1, its scale and its shift in pixels."""
    height, width = image.shape[:2]
    scale = INPUT_PX / max(height, width)
    shift = np.array([INPUT_PX - width * scale, INPUT_PX - height * scale]) / 2
    move = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    square = cv2.warpAffine(_shrunk(image, scale, move), move, (INPUT_PX, INPUT_PX), flags=cv2.INTER_LINEAR)
    rgb: Any = cv2.cvtColor(square, cv2.COLOR_BGR2RGB)
    return (rgb.astype(np.float32) / 127.5 - 1)[None], scale, shift


def _shrunk(image: Image, scale: float, move: Floats) -> Image:
    """The frame halved as often as the scale asks for (warpAffine alone would skip pixels); mends `move`."""
    while scale <= 0.5:
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        move[:, :2] *= 2
        scale *= 2
    return image


def decode(raw: NDArray[Any], centres: Floats) -> Floats:
    """(n, 8, 2) points, 0…1 of the input, from raw outputs: two box corners, then the six keypoints."""
    points = raw.astype(np.float64) / INPUT_PX
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
