"""Frame in, readings out: detector, tracks, smile, plausibility."""

from __future__ import annotations

from gateway.tflite import Model
from gateway.vision.detector import Detector
from gateway.vision.faces import Detection, Face, Image
from gateway.vision.pose import plausible, yaw_degrees
from gateway.vision.presence import PresenceModel
from gateway.vision.smile import SMILE, SmileModel
from gateway.vision.tracks import Tracks
from models import fetch

FACES_MAX = 8  # the largest; a crowd behind the customer must not take the processor


class Pipeline:
    """Reads the faces of one camera's frames, in the order of time."""

    def __init__(
        self, detector: Detector, presence: PresenceModel, smile: SmileModel, tracks: Tracks
    ) -> None:
        self._detector, self._presence, self._smile, self._tracks = detector, presence, smile, tracks

    def see(self, image: Image, time_s: float) -> list[Face]:
        """Readings of a BGR frame taken at `time_s` (seconds, growing); the frame is not kept."""
        found = _largest(self._detector.find(image))
        numbers = self._tracks.number([face.box for face in found], time_s)
        return [self._read(image, face, number) for face, number in zip(found, numbers, strict=True)]

    def _read(self, image: Image, face: Detection, track: int) -> Face:
        emotion = self._smile.read(image, face)
        return Face(
            track=track,
            smile=emotion[SMILE],
            px=round(face.box.width),
            yaw=yaw_degrees(face.keypoints),
            ok=plausible(face, image) and self._presence.is_face(image, face),
            emotion=emotion,
        )


def load_pipeline() -> Pipeline:
    """The pipeline with its models, fetched when missing. Raises fetch.FetchError, tflite.ModelError."""
    paths = fetch.fetch_all(["blazeface_back", "face_landmarks", "fer"])
    models = {name: Model(path) for name, path in paths.items()}
    detector, presence = Detector(models["blazeface_back"]), PresenceModel(models["face_landmarks"])
    return Pipeline(detector, presence, SmileModel(models["fer"]), Tracks())


def _largest(faces: list[Detection]) -> list[Detection]:
    return sorted(faces, key=lambda face: -face.box.width)[:FACES_MAX]
