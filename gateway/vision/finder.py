"""Which faces are in a frame: all of it is searched twice a second, in between only where they just were."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.vision.detector import Detector
from gateway.vision.faces import Detection, Image
from gateway.vision.tracks import OVERLAP_MIN, Tracks

FACES_MAX = 8  # the largest; a crowd behind the customer must not take the processor
SEARCH_S = 0.5
FOLLOWED_MAX = 3  # one search costs less than following more
SURELY_TWO = 0.3


class Finder:
    """Detections with their track numbers, in the order of time."""

    def __init__(self, search: Detector, follow: Detector, tracks: Tracks) -> None:
        self._search, self._follow, self._tracks = search, follow, tracks
        self._last: list[Detection] = []
        self._searched_s = -SEARCH_S

    def find(self, image: Image, time_s: float) -> list[tuple[int, Detection]]:
        """Faces of a BGR frame taken at `time_s` (seconds, growing), the largest first."""
        self._last = self._followed(image, time_s) or self._searched(image, time_s)
        numbers = self._tracks.number([face.box for face in self._last], time_s)
        return list(zip(numbers, self._last, strict=True))

    def _searched(self, image: Image, time_s: float) -> list[Detection]:
        self._searched_s = time_s
        return sorted(self._search.find(image), key=lambda face: -face.box.width)[:FACES_MAX]

    def _followed(self, image: Image, time_s: float) -> list[Detection]:
        """The faces of the frame before, in this one; none when the whole frame must be searched."""
        if time_s - self._searched_s >= SEARCH_S or len(self._last) > FOLLOWED_MAX:
            return []
        found = [_same(face, self._follow.find_near(image, face.box)) for face in self._last]
        faces = [face for face in found if face is not None]
        return faces if len(faces) == len(found) and not _merged(faces) else []


def _same(face: Detection, near: Sequence[Detection]) -> Detection | None:
    best = max(near, key=lambda one: one.box.overlap(face.box), default=None)
    return best if best and best.box.overlap(face.box) >= OVERLAP_MIN else None


def _merged(faces: Sequence[Detection]) -> bool:
    """Whether two of the followed have become one face."""
    return any(a.box.overlap(b.box) > SURELY_TWO for i, a in enumerate(faces) for b in faces[:i])
