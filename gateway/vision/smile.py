"""The fer model: seven emotions of a face; `happiness` is the probability that it smiles."""

import cv2
import numpy as np

from gateway.tflite import Model
from gateway.vision.crop import level_crop
from gateway.vision.faces import Detection, Image

CROP_PX = 64
MARGIN = 1.1  # of the face box (measured best for fer: components, Vision)
SMILE = "happiness"
LABELS = ("anger", "disgust", "fear", SMILE, "sadness", "surprise", "neutral")  # the model's order


class SmileModel:
    """Wraps fer's 64x64 grey network."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def read(self, image: Image, face: Detection) -> dict[str, float]:
        """Probabilities by name (sum 1) of one face of a BGR frame."""
        grey = cv2.cvtColor(level_crop(image, face, CROP_PX, MARGIN), cv2.COLOR_BGR2GRAY)
        (out,) = self._model.run((grey.astype(np.float32) / 127.5 - 1)[None, :, :, None])
        return dict(zip(LABELS, (float(p) for p in out.reshape(-1)), strict=True))
