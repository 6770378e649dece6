"""Does this face smile? EmoBox's own network, and fer's, which is the baseline and the fallback.

Both give seven emotions; that of `happiness` is the probability of a smile. How good they are is in
models/tflite/smile.md and fer.md.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.tflite import Model
from gateway.vision.crop import close_up, level_crop, smaller_grey, smaller_least
from gateway.vision.faces import Detection, Image
from models import fetch, shipped

CROP_PX = 64
MARGIN = 1.1  # of the face box (measured best for fer: components, Vision)
SMILE = "happiness"
OTHERS = ("anger", "disgust", "fear", "sadness", "surprise", "neutral")
LABELS = ("anger", "disgust", "fear", SMILE, "sadness", "surprise", "neutral")  # fer's order
DEVIATION_MIN = 0.3  # grey levels: an empty picture is not blown up to noise
CONTRAST_MIN, WHITE, WHITE_MAX, SHARPNESS_MIN = 20.0, 250.0, 0.3, 0.18
"""Levels; a level; a share; mean absolute Laplacian: they tell good from spoilt validation pictures."""
FERS_SHARE, AGREED = 0.35, 1.1  # two that agree are surer than their mean says
PER_WHITE = 1.25  # logit: a white mouth hides a smile, so less of a sign is enough
"""Those three have the least log loss on the calibration fifth of GENKI, as given, washed out and small."""
WHITE_SIZES = 0.9, 1.1
"""White skin leaves few marks: it is looked at in these sizes as well, and the mean counts."""
FERS_SHARE_CROP = 0.2  # of a picture cut by others: best on muxspace's validation people, cut tightly
FERS_DOUBT = 1e-3  # fer's probabilities are rounded to 1/256
LOCAL_PX, LOCAL_FLOOR = 17, 1.0  # about a mouth's width; grey levels: noise is not blown up
REACH = 3.0  # standard deviations, beyond which the own network is not shown more

Floats = NDArray[np.float32]


class SmileModel(Protocol):
    """What reads a smile."""

    def read(self, image: Image, face: Detection) -> dict[str, float]:
        """Probabilities by name (sum 1) of one face of a BGR frame."""

    def read_crop(self, picture: Image) -> dict[str, float]:
        """The same of a BGR picture that is nothing but a face."""


class OwnSmile:
    """Wraps EmoBox's 64x64 grey network: the logit of a smile, and the logits of what else it may be.

    The mean of the face and its mirror image counts. Where the picture is as good as those that fer knows,
    fer is asked as well, for a share of the answer.
    """

    def __init__(self, model: Model, fer: Model) -> None:
        self._model, self._fer = model, fer

    def read(self, image: Image, face: Detection) -> dict[str, float]:
        """Probabilities by name (sum 1) of one face of a BGR frame."""
        return self._emotions(close_up(image, face, CROP_PX, MARGIN), FERS_SHARE)

    def read_crop(self, picture: Image) -> dict[str, float]:
        """The same of a BGR picture that is nothing but a face."""
        return self._emotions(picture, FERS_SHARE_CROP)

    def _emotions(self, picture: Image, fers_share: float) -> dict[str, float]:
        grey = smaller_grey(picture, CROP_PX)
        face = prepared(with_least(grey, picture))
        faces = [face, *(_shown(picture, size) for size in WHITE_SIZES)] if _is_white(grey) else [face]
        smile, *others = np.mean([self._both_ways(one) for one in faces], axis=0)
        smile += PER_WHITE * white_share(grey)
        if fit_for_fer(grey, face[:, :, 0]):
            smile = AGREED * (smile + fers_share * (self._fers_logit(grey) - smile))
        happiness = float(1 / (1 + np.exp(-smile)))
        rest = np.exp(np.array(others) - max(others))
        rest *= (1 - happiness) / rest.sum()
        return {SMILE: happiness} | dict(zip(OTHERS, rest.tolist(), strict=True))

    def _both_ways(self, face: Floats) -> NDArray[np.float64]:
        one, other = (self._model.run(way[None])[0] for way in (face, np.ascontiguousarray(face[:, ::-1])))
        return np.asarray((one + other).reshape(-1) / 2, np.float64)

    def _fers_logit(self, grey: Floats) -> float:
        (out,) = self._fer.run((grey / 127.5 - 1)[None, :, :, None])
        happiness = float(out.reshape(-1)[LABELS.index(SMILE)])
        sure = min(max(happiness, FERS_DOUBT), 1 - FERS_DOUBT)
        return math.log(sure / (1 - sure))


class FerSmile:
    """Wraps fer's 64x64 grey network."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def read(self, image: Image, face: Detection) -> dict[str, float]:
        """Probabilities by name (sum 1) of one face of a BGR frame."""
        return self._emotions(level_crop(image, face, CROP_PX, MARGIN))

    def read_crop(self, picture: Image) -> dict[str, float]:
        """The same of a BGR picture that is nothing but a face."""
        way = cv2.INTER_AREA if min(picture.shape[:2]) > CROP_PX else cv2.INTER_LINEAR
        return self._emotions(np.asarray(cv2.resize(picture, (CROP_PX, CROP_PX), interpolation=way)))

    def _emotions(self, crop: Image) -> dict[str, float]:
        grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
        (out,) = self._model.run((grey.astype(np.float32) / 127.5 - 1)[None, :, :, None])
        return dict(zip(LABELS, (float(p) for p in out.reshape(-1)), strict=True))


def standardised(grey: Floats) -> Floats:
    """Mean 0 and deviation 1, cut at 3: brightness and contrast of the light are taken out."""
    mean, deviation = float(grey.mean()), max(float(grey.std()), DEVIATION_MIN)
    return np.asarray(np.clip((grey - mean) / deviation, -REACH, REACH), np.float32)


def prepared(grey: Floats) -> Floats:
    """(64, 64, 2): standardised as a whole, and each place by its surroundings: faint marks in white skin."""
    return np.dstack([standardised(grey), locally_standardised(grey)])


def locally_standardised(grey: Floats) -> Floats:
    """Each pixel less the mean of the square around it, by that square's deviation."""
    square = (LOCAL_PX, LOCAL_PX)
    mean = cv2.blur(grey, square)
    spread = np.sqrt(np.maximum(cv2.sqrBoxFilter(grey, cv2.CV_32F, square) - mean * mean, 0))
    return np.asarray(np.clip((grey - mean) / (spread + LOCAL_FLOOR), -REACH, REACH), np.float32)


def _shown(picture: Image, size: float) -> Floats:
    """What the network sees of a BGR picture's middle, `size` of its sides; beyond them, its edge."""
    more = round(min(picture.shape[:2]) * (size - 1) / 2)
    if more < 0:
        cut = picture[-more:more, -more:more]
    else:
        cut = np.asarray(cv2.copyMakeBorder(picture, more, more, more, more, cv2.BORDER_REPLICATE))
    return prepared(with_least(smaller_grey(cut, CROP_PX), cut))


def with_least(grey: Floats, picture: Image) -> Floats:
    """The grey of a BGR picture; where much of it is white, half of it the least colour, cut last of all."""
    if not _is_white(grey):
        return grey
    return np.asarray((grey + smaller_least(picture, CROP_PX)) / 2, np.float32)


def _is_white(grey: Floats) -> bool:
    return white_share(grey) > WHITE_MAX


def white_share(grey: Floats) -> float:
    """How much of a crop is cut at white."""
    return float((grey >= WHITE).mean())


def fit_for_fer(grey: Floats, face: Floats) -> bool:
    """Whether a crop (grey, standardised) is neither dark, nor washed out, nor blurred: fer fails there."""
    if float(grey.std()) < CONTRAST_MIN or _is_white(grey):
        return False
    return float(np.abs(cv2.Laplacian(face, cv2.CV_32F)).mean()) > SHARPNESS_MIN


def load_smile(own: Path = shipped.SMILE) -> SmileModel:
    """The own network, or fer's where that file is missing. Raises fetch.FetchError, tflite.ModelError."""
    return OwnSmile(Model(own), Model(fetch.path("fer"))) if own.is_file() else load_fer()


def load_fer() -> SmileModel:
    """The baseline. Raises the same."""
    return FerSmile(Model(fetch.path("fer")))
