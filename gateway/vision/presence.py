"""The landmark model: is this really a face, and how far is it turned? Its points are not kept.

Its points tell the turn better than the detector's, but are there once a second only: until the next look the
detector's follow the head, corrected as the last look corrected them. While a head moves, little of that gain
is left after half a second. How much of the difference counts has the least squared error on the calibration
fifth of GENKI-4K's even half, together with the points' own gain.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.tflite import Model
from gateway.vision.crop import level_crop
from gateway.vision.faces import Detection, Image, Keypoints
from gateway.vision.light import readable
from gateway.vision.pose import yaw_degrees

CROP_PX = 192
MARGIN = 1.5
FIRST, AGAIN = 0.98, 0.90  # probability of a face; 99 of 100 real faces of 48 px have over 0.99
SURE = 0.75  # the detector's score at the first look; drawn faces reach 0.72
HOLDS_S = 1.0
LOGIT_MAX = 80.0  # keeps exp() finite
RIGHT_EYE, LEFT_EYE, BRIDGE, MOUTH, RIGHT_CHEEK, LEFT_CHEEK = 33, 263, 6, 13, 234, 454  # of Face Mesh's 468
POINTS_GAIN, YAW_SHARE = 0.98, 0.65
REMEMBERED = 32  # tracks; four times as many as a frame may have


@dataclass(frozen=True)
class Glance:
    """One look at a detection: the probability (0…1) that it is a face, and its turn in degrees (pose.py)."""

    presence: float
    yaw: float


class LandmarkModel:
    """Wraps MediaPipe's face landmark network: the second look that removes the detector's false alarms."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def glance(self, image: Image, face: Detection) -> Glance:
        """What it says of a detection in a BGR frame."""
        crop = readable(level_crop(image, face, CROP_PX, MARGIN))
        rgb = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB), np.float32)
        points, logit = self._model.run(rgb[None] / np.float32(255))
        return Glance(_probability(float(logit.reshape(-1)[0])), _yaw(points.reshape(-1, 3)))


@dataclass(frozen=True)
class LastLook:
    """The last look at a track that saw a face: when (s), and what the turn lacked then (degrees)."""

    time_s: float
    yaw_correction: float


class SecondLook:
    """Which tracks are really faces: looked at anew each second, and at every frame while one is not."""

    def __init__(self, model: LandmarkModel) -> None:
        self._model = model
        self._good: dict[int, LastLook] = {}

    def is_face(self, track: int, image: Image, face: Detection, time_s: float) -> bool:
        """True when a look at that track at `time_s`, or less than a second before, saw a face."""
        known = self._good.get(track)
        if known and time_s - known.time_s < HOLDS_S:
            return True
        glance = self._glance(track, image, face)
        if glance is None:
            return False
        correction = YAW_SHARE * (glance.yaw - yaw_degrees(face.keypoints))
        self._remember(track, LastLook(time_s, correction))
        return True

    def was_face(self, track: int) -> bool:
        """True for a track that was a face once: a head that turned away, not a false alarm."""
        return track in self._good

    def yaw(self, track: int, face: Detection) -> float:
        """The turn of a detection of a track that was a face once, in degrees, -90…90."""
        return min(90.0, max(-90.0, yaw_degrees(face.keypoints) + self._good[track].yaw_correction))

    def _glance(self, track: int, image: Image, face: Detection) -> Glance | None:
        """A look that sees a face, or None; a new track has to be surer than one that was a face before."""
        known = self.was_face(track)
        if not known and face.score < SURE:
            return None
        glance = self._model.glance(image, face)
        return glance if glance.presence >= (AGAIN if known else FIRST) else None

    def _remember(self, track: int, look: LastLook) -> None:
        self._good.pop(track, None)  # so that the first of them is who was looked at longest ago
        self._good[track] = look
        if len(self._good) > REMEMBERED:
            del self._good[next(iter(self._good))]


def _probability(logit: float) -> float:
    return 1 / (1 + math.exp(-min(LOGIT_MAX, max(-LOGIT_MAX, logit))))


def _yaw(points: NDArray[np.float32]) -> float:
    """Degrees, of (468, 3) points; the bridge of the nose tells it better than its tip."""
    chosen = points[[RIGHT_EYE, LEFT_EYE, BRIDGE, MOUTH, RIGHT_CHEEK, LEFT_CHEEK], :2].tolist()
    return yaw_degrees(Keypoints(*map(tuple, chosen)), POINTS_GAIN)
