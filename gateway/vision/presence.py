"""The landmark model's presence flag: is this really a face? Its 468 points are not used and not kept."""

import math

import cv2
import numpy as np

from gateway.tflite import Model
from gateway.vision.crop import level_crop
from gateway.vision.faces import Detection, Image
from gateway.vision.light import readable

CROP_PX = 192
MARGIN = 1.5
FIRST, AGAIN = 0.98, 0.90  # probability of a face; 99 of 100 real faces of 48 px have over 0.99
SURE = 0.75  # the detector's score at the first look; drawn faces reach 0.72
HOLDS_S = 1.0
LOGIT_MAX = 80.0  # keeps exp() finite
REMEMBERED = 32  # tracks; four times as many as a frame may have


class PresenceModel:
    """Wraps MediaPipe's face landmark network: the second look that removes the detector's false alarms."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def presence(self, image: Image, face: Detection) -> float:
        """The probability (0…1) that the detection of a BGR frame is a face."""
        crop = readable(level_crop(image, face, CROP_PX, MARGIN))
        rgb = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB), np.float32)
        _, logit = self._model.run(rgb[None] / np.float32(255))
        return 1 / (1 + math.exp(-min(LOGIT_MAX, max(-LOGIT_MAX, float(logit.reshape(-1)[0])))))


class SecondLook:
    """Which tracks are really faces: looked at anew each second, and at every frame while one is not."""

    def __init__(self, model: PresenceModel) -> None:
        self._model = model
        self._good_s: dict[int, float] = {}

    def is_face(self, track: int, image: Image, face: Detection, time_s: float) -> bool:
        """True when a look at that track at `time_s`, or less than a second before, saw a face."""
        if time_s - self._good_s.get(track, -HOLDS_S) < HOLDS_S:
            return True
        present = self._looks_right(track, image, face)
        if present:
            self._remember(track, time_s)
        return present

    def was_face(self, track: int) -> bool:
        """True for a track that was a face once: a head that turned away, not a false alarm."""
        return track in self._good_s

    def _looks_right(self, track: int, image: Image, face: Detection) -> bool:
        """A new track has to be surer than one that was a face before."""
        if self.was_face(track):
            return self._model.presence(image, face) >= AGAIN
        return face.score >= SURE and self._model.presence(image, face) >= FIRST

    def _remember(self, track: int, time_s: float) -> None:
        self._good_s[track] = time_s
        if len(self._good_s) > REMEMBERED:
            del self._good_s[next(iter(self._good_s))]
