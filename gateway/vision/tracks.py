"""Which face is which from frame to frame: by place alone, never by looks (no re-identification)."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.vision.faces import Box

OVERLAP_MIN = 0.2  # intersection over union; a head moves less than its width in 0.2 s
FORGET_S = 1.0


@dataclass(frozen=True)
class Track:
    """Where a face was seen last."""

    number: int
    box: Box
    seen_s: float


class Tracks:
    """Numbers that grow by one with each new face and never come back."""

    def __init__(self) -> None:
        self._known: list[Track] = []
        self._next = 0

    def number(self, boxes: Sequence[Box], time_s: float) -> list[int]:
        """A track number for each box of the frame taken at `time_s` (seconds, growing)."""
        self._known = [track for track in self._known if time_s - track.seen_s <= FORGET_S]
        found = _match(boxes, self._known)
        fresh = [Track(self._numbered(found.get(i)), box, time_s) for i, box in enumerate(boxes)]
        seen = {track.number for track in fresh}
        self._known = fresh + [track for track in self._known if track.number not in seen]
        return [track.number for track in fresh]

    def _numbered(self, track: Track | None) -> int:
        if track is not None:
            return track.number
        self._next += 1
        return self._next - 1


def _match(boxes: Sequence[Box], known: Sequence[Track]) -> dict[int, Track]:
    """Boxes to tracks, the best overlap first, each used once."""
    pairs = [(box.overlap(track.box), i, track) for i, box in enumerate(boxes) for track in known]
    found: dict[int, Track] = {}
    for share, i, track in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2].number)):
        if share >= OVERLAP_MIN and i not in found and track not in found.values():
            found[i] = track
    return found
