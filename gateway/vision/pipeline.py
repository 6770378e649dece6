"""Frame in, readings out: detector, tracks, crop, smile."""

from __future__ import annotations

from gateway.tflite import Model
from gateway.vision.crop import level_crop
from gateway.vision.detector import Detector
from gateway.vision.faces import Detection, Face, Image
from gateway.vision.pose import plausible, yaw_degrees
from gateway.vision.smile import CROP_PX, SMILE, SmileModel
from gateway.vision.tracks import Tracks
from models import fetch

FACES_MAX = 8  # the largest; a crowd behind the customer must not take the processor


class Pipeline:
    """Reads the faces of one camera's frames, in the order of time."""

    def __init__(self, detector: Detector, smile: SmileModel, tracks: Tracks) -> None:
        self._detector = detector
        self._smile = smile
        self._tracks = tracks

    def see(self, image: Image, time_s: float) -> list[Face]:
        """Readings of a BGR frame taken at `time_s` (seconds, growing); the frame is not kept."""
        found = _largest(self._detector.find(image))
        numbers = self._tracks.number([face.box for face in found], time_s)
        return [self._read(image, face, number) for face, number in zip(found, numbers, strict=True)]

    def _read(self, image: Image, face: Detection, track: int) -> Face:
        emotion = self._smile.read(level_crop(image, face, CROP_PX))
        return Face(
            track=track,
            smile=emotion[SMILE],
            px=round(face.box.width),
            yaw=yaw_degrees(face.keypoints),
            ok=plausible(face, image),
            emotion=emotion,
        )


def load_pipeline() -> Pipeline:
    """The pipeline with its models, fetched when missing. Raises fetch.FetchError, tflite.ModelError."""
    paths = fetch.fetch_all(["blazeface_back", "fer"])
    detector = Detector(Model(paths["blazeface_back"]))
    return Pipeline(detector, SmileModel(Model(paths["fer"])), Tracks())


def _largest(faces: list[Detection]) -> list[Detection]:
    return sorted(faces, key=lambda face: -face.box.width)[:FACES_MAX]
