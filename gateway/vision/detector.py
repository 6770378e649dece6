"""Where the faces are: one model searches the whole frame, another looks closely at what was found.

The search reports much, so that faces of 48 px in 640x480 are not missed; the close look keeps what is a
face. The same close look follows a face from frame to frame, for a fifth of the search's time.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.vision.blazeface import BlazeFace
from gateway.vision.faces import Box, Detection, Image
from gateway.vision.light import least_colour, washed_out
from gateway.vision.pose import SCORE_OK
from gateway.vision.view import around, whole

SEARCH_MIN = 0.30  # score of BlazeFace back; the close look has the last word
CLOSE_MIN = 0.60  # score of BlazeFace short range
COARSE = 4  # every fourth pixel tells whether a frame is washed out
CANDIDATES_MAX = 8  # a close look takes a fifth of the search's time
SURROUNDINGS = 2.0  # times the face's width: a head moves less than half its width between two looks
SAME = 0.2  # overlap of boxes: one head, a fifth of a second later
TWICE = 0.3  # overlap of boxes: one face reported twice
LOW, NARROW = 0.021, 1.014  # boxes of short range beside those of back: medians of every 5th of GENKI-4K


class Detector:
    """Faces of about 40 px and more in a 640x480 frame; a washed-out one without any is searched twice."""

    def __init__(self, search: BlazeFace, close: BlazeFace) -> None:
        self._search, self._close = search, close

    def find(self, image: Image) -> list[Detection]:
        """Faces of a BGR frame, surest first; boxes and points in the frame's pixels."""
        found = self._found(image)
        if found or not washed_out(image[::COARSE, ::COARSE]):
            return found
        return [face for face in self._found(least_colour(image)) if face.score >= SCORE_OK]

    def _found(self, image: Image) -> list[Detection]:
        candidates = self._search.find(image, whole(image, self._search.side))[:CANDIDATES_MAX]
        found = [self.follow(image, one.box) for one in candidates]
        return _once(sorted(filter(None, found), key=lambda face: -face.score))

    def follow(self, image: Image, box: Box) -> Detection | None:
        """The face that is, or a moment ago was, in the box; None when no face is there now."""
        near = self._close.find(image, around(box, SURROUNDINGS, self._close.side))
        faces = [replace(face, box=_as_back(face.box)) for face in near]
        best = max(faces, key=lambda face: face.box.overlap(box), default=None)
        return best if best and best.box.overlap(box) >= SAME else None


def _once(faces: list[Detection]) -> list[Detection]:
    """Without those that overlap a surer one."""
    kept: list[Detection] = []
    for face in faces:
        if all(face.box.overlap(other.box) <= TWICE for other in kept):
            kept.append(face)
    return kept


def _as_back(box: Box) -> Box:
    """The box that the back model would give the face that the short range model gives this one."""
    x, y = box.center
    width, height = NARROW * box.width, NARROW * box.height
    return Box(x - width / 2, y - LOW * box.width - height / 2, width, height)
