"""Which faces are in a frame: all of it is searched twice a second, in between only where they just were."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.vision.detector import TWICE, Detector
from gateway.vision.faces import Detection, Image
from gateway.vision.tracks import Tracks

FACES_MAX = 8  # the largest; a crowd behind the customer must not take the processor
SEARCH_S = 0.5
FOLLOWED_MAX = 3  # one search costs less than following more


class Finder:
    """Detections with their track numbers, in the order of time."""

    def __init__(self, detector: Detector, tracks: Tracks) -> None:
        self._detector, self._tracks = detector, tracks
        self._last: list[Detection] = []
        self._searched_s = -SEARCH_S

    def find(self, image: Image, time_s: float) -> list[tuple[int, Detection]]:
        """Faces of a BGR frame taken at `time_s` (seconds, growing), the largest first."""
        self._last = self._followed(image, time_s) or self._searched(image, time_s)
        numbers = self._tracks.number([face.box for face in self._last], time_s)
        return list(zip(numbers, self._last, strict=True))

    def _searched(self, image: Image, time_s: float) -> list[Detection]:
        self._searched_s = time_s
        return sorted(self._detector.find(image), key=lambda face: -face.box.width)[:FACES_MAX]

    def _followed(self, image: Image, time_s: float) -> list[Detection]:
        """The faces of the frame before, in this one; none when the whole frame must be searched."""
        if time_s - self._searched_s >= SEARCH_S or len(self._last) > FOLLOWED_MAX:
            return []
        found = [self._detector.follow(image, face.box) for face in self._last]
        faces = [face for face in found if face is not None]
        return faces if len(faces) == len(found) and not _merged(faces) else []


def _merged(faces: Sequence[Detection]) -> bool:
    """Whether two of the followed have become one face."""
    return any(a.box.overlap(b.box) > TWICE for i, a in enumerate(faces) for b in faces[:i])
