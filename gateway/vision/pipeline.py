"""Frame in, readings out: mask, faces, second look, smile, plausibility."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.tflite import Model
from gateway.vision.blazeface import BlazeFace
from gateway.vision.detector import CLOSE_MIN, SEARCH_MIN, Detector
from gateway.vision.faces import Detection, Face, Image
from gateway.vision.finder import Finder
from gateway.vision.mask import NO_MASK, Mask
from gateway.vision.pose import SCORE_OK, plausible
from gateway.vision.presence import LandmarkModel, SecondLook
from gateway.vision.smile import SMILE, SmileModel, load_smile
from gateway.vision.tracks import Tracks
from models import fetch


@dataclass(frozen=True)
class Found:
    """A face of a frame, its track, its turn in degrees, and whether it is fit to be read (spec 2, `ok`)."""

    track: int
    detection: Detection
    yaw: float
    ok: bool


class Pipeline:
    """Reads the faces of one camera's frames, in the order of time."""

    def __init__(self, finder: Finder, look: SecondLook, smile: SmileModel, mask: Mask = NO_MASK) -> None:
        self._finder, self._look, self._smile, self._mask = finder, look, smile, mask

    def see(self, image: Image, time_s: float) -> list[Face]:
        """Readings of a BGR frame taken at `time_s` (seconds, growing); the frame is not kept."""
        return [self._read(image, face) for face in self.find(image, time_s)]

    def find(self, image: Image, time_s: float) -> list[Found]:
        """The faces alone; what the mask covers is black in `image` afterwards, false alarms are left out."""
        self._mask.cover(image)
        looks = [
            (track, face, self._look.is_face(track, image, face, time_s))
            for track, face in self._finder.find(image, time_s)
        ]
        return [
            Found(track, face, self._look.yaw(track, face), present and plausible(face, image))
            for track, face, present in looks
            if self._look.was_face(track)
        ]

    def _read(self, image: Image, face: Found) -> Face:
        emotion = self._smile.read(image, face.detection)
        return Face(
            track=face.track,
            smile=emotion[SMILE],
            px=round(face.detection.box.width),
            yaw=face.yaw,
            ok=face.ok,
            emotion=emotion,
        )


def load_pipeline(mask: Mask = NO_MASK, smile: SmileModel | None = None) -> Pipeline:
    """The pipeline with its models, fetched when missing; `smile`: another reader than the usual one.

    Raises fetch.FetchError, tflite.ModelError.
    """
    look = SecondLook(LandmarkModel(Model(fetch.path("face_landmarks"))))
    return Pipeline(Finder(load_detector(), Tracks()), look, smile or load_smile(), mask)


def load_detector() -> Detector:
    """Where the faces of single frames are, as the pipeline sees it. Raises the same."""
    paths = fetch.fetch_all(["blazeface_back", "blazeface_short"])
    back = BlazeFace(Model(paths["blazeface_back"]), SEARCH_MIN)
    return Detector(back, BlazeFace(Model(paths["blazeface_short"]), CLOSE_MIN, SCORE_OK))
