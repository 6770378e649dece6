"""Head turn and plausibility, estimated from six points of a face.

Yaw: the nose stands out from the line between the ears, so turning the head moves it along that line by
`tan(yaw)` times a constant of the head. The constant has the least squared error on the calibration fifth of
GENKI-4K's even half: a reading is right on average for those who are read so, and far turns are read
somewhat too small. What it is worth on the rest is in models/tflite/blazeface_back.md. Pitch is not
measured, and beyond some 60 degrees, where an eye is hidden, the figure only says "far".
"""

import math
from dataclasses import dataclass

from gateway.vision.faces import Detection, Image, Keypoints, Point

SCORE_OK = 0.65  # detector; between the detection threshold and this a face is reported, but not ok
YAW_GAIN = 0.64
EYES_APART = (0.25, 0.55)  # of the box width; GENKI-4K: 0.32 to 0.49
MOUTH_BELOW = (0.6, 1.8)  # of the eye distance; GENKI-4K: 0.76 to 1.39
NOSE_BELOW = (-0.1, 1.2)  # of the eye distance; GENKI-4K: 0.03 to 0.85


@dataclass(frozen=True)
class Axes:
    """The face's own directions in the picture: along the eyes (`across`, a unit vector), and down."""

    across: Point
    eye_px: float

    def along(self, start: Point, end: Point) -> float:
        """Pixels from start to end along the eyes, positive towards the person's left."""
        return (end[0] - start[0]) * self.across[0] + (end[1] - start[1]) * self.across[1]

    def down(self, start: Point, end: Point) -> float:
        """Pixels from start to end down the face."""
        return (end[1] - start[1]) * self.across[0] - (end[0] - start[0]) * self.across[1]


def axes(points: Keypoints) -> Axes:
    """Axes from the two eyes; upright where the eyes coincide."""
    dx = points.left_eye[0] - points.right_eye[0]
    dy = points.left_eye[1] - points.right_eye[1]
    length = math.hypot(dx, dy)
    return Axes((dx / length, dy / length) if length else (1.0, 0.0), length)


def yaw_degrees(points: Keypoints, gain: float = YAW_GAIN) -> float:
    """Head turn in degrees, -90…90: 0 faces the lens, positive turns towards the person's left.

    `gain` belongs to the network whose points they are; the detector's, if not said otherwise.
    """
    axis = axes(points)
    half = abs(axis.along(points.right_ear, points.left_ear)) / 2
    nose = axis.along(_middle(points.right_ear, points.left_ear), points.nose)
    return math.degrees(math.atan2(gain * nose, half))


def plausible(face: Detection, image: Image) -> bool:
    """True when the score is good, the points lie as in a face, and eyes, nose and mouth are in the frame."""
    return face.score >= SCORE_OK and _in_proportion(face) and _in_frame(face.keypoints, image)


def _in_proportion(face: Detection) -> bool:
    points, axis = face.keypoints, axes(face.keypoints)
    eyes = _middle(points.right_eye, points.left_eye)
    return (
        _within(axis.eye_px, EYES_APART, face.box.width)
        and _within(axis.down(eyes, points.mouth), MOUTH_BELOW, axis.eye_px)
        and _within(axis.down(eyes, points.nose), NOSE_BELOW, axis.eye_px)
    )


def _in_frame(points: Keypoints, image: Image) -> bool:
    height, width = image.shape[:2]
    inner = (points.right_eye, points.left_eye, points.nose, points.mouth)
    return all(0 <= x < width and 0 <= y < height for x, y in inner)


def _within(value: float, limits: tuple[float, float], unit: float) -> bool:
    return limits[0] * unit <= value <= limits[1] * unit


def _middle(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
