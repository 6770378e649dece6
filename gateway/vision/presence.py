"""The landmark model's presence flag: is this really a face? Its 468 points are not used and not kept."""

import math

import cv2
import numpy as np

from gateway.tflite import Model
from gateway.vision.crop import level_crop
from gateway.vision.faces import Detection, Image

CROP_PX = 192
MARGIN = 1.5
PRESENT = 0.5
HOLDS_S = 1.0
REMEMBERED = 32  # tracks; four times as many as a frame may have


class PresenceModel:
    """Wraps MediaPipe's face landmark network: the second look that removes the detector's false alarms."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def is_face(self, image: Image, face: Detection) -> bool:
        """True when the model sees a face in the detection of a BGR frame."""
        rgb = cv2.cvtColor(level_crop(image, face, CROP_PX, MARGIN), cv2.COLOR_BGR2RGB)
        _, logit = self._model.run((rgb.astype(np.float32) / 255)[None])
        return float(logit.reshape(-1)[0]) >= math.log(PRESENT / (1 - PRESENT))


class SecondLook:
    """Which tracks are really faces: looked at anew each second, and at every frame while one is not."""

    def __init__(self, model: PresenceModel) -> None:
        self._model = model
        self._good_s: dict[int, float] = {}

    def is_face(self, track: int, image: Image, face: Detection, time_s: float) -> bool:
        """True when a look at that track at `time_s`, or less than a second before, saw a face."""
        if time_s - self._good_s.get(track, -HOLDS_S) < HOLDS_S:
            return True
        present = self._model.is_face(image, face)
        if present:
            self._remember(track, time_s)
        return present

    def was_face(self, track: int) -> bool:
        """True for a track that was a face once: a head that turned away, not a false alarm."""
        return track in self._good_s

    def _remember(self, track: int, time_s: float) -> None:
        self._good_s[track] = time_s
        if len(self._good_s) > REMEMBERED:
            del self._good_s[next(iter(self._good_s))]
