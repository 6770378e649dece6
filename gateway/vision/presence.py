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


class PresenceModel:
    """Wraps MediaPipe's face landmark network: the second look that removes the detector's false alarms."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def is_face(self, image: Image, face: Detection) -> bool:
        """True when the model sees a face in the detection of a BGR frame."""
        rgb = cv2.cvtColor(level_crop(image, face, CROP_PX, MARGIN), cv2.COLOR_BGR2RGB)
        _, logit = self._model.run((rgb.astype(np.float32) / 255)[None])
        return float(logit.reshape(-1)[0]) >= math.log(PRESENT / (1 - PRESENT))
