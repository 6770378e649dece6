"""The fer model: seven emotions of a face crop; `happiness` is the probability that the face smiles."""

import numpy as np
from numpy.typing import NDArray

from gateway.tflite import Model

CROP_PX = 64
SMILE = "happiness"
LABELS = ("anger", "disgust", "fear", SMILE, "sadness", "surprise", "neutral")  # the model's order


class SmileModel:
    """Wraps fer's 64x64 grey network."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def read(self, crop: NDArray[np.uint8]) -> dict[str, float]:
        """Probabilities by name (sum 1) of a (64, 64) grey crop."""
        tensor = (crop.astype(np.float32) / 127.5 - 1)[None, :, :, None]
        (out,) = self._model.run(tensor)
        return dict(zip(LABELS, (float(p) for p in out.reshape(-1)), strict=True))
