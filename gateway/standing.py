"""What stands although the events that it was concluded from are deleted (spec 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.events import Reading
from gateway.fusion import Contact
from gateway.fusion.contacts import EmotionReader
from gateway.fusion.emotion import UNSEEN, Emotion, EmotionLimits, Window
from gateway.journal import ALL, FACES, Gone
from gateway.measurements import contact_of
from gateway.moments import EMOTION
from gateway.records import Record

EARLIEST = -(2**62)


class Standing:
    """Of one point: the stretches that are not judged again, and emotions whose face readings are gone."""

    def __init__(self, read: EmotionReader) -> None:
        self._read = read
        self._gone: list[Gone] = []
        self._faceless = EARLIEST
        self._contacts: list[Contact] = []

    def load(self, gone: Iterable[Gone], records: Iterable[Record]) -> None:
        """What is gone of the point, and the records in force."""
        self._gone = list(gone)
        self._faceless = max((one.end for one in self._gone if one.what == FACES), default=EARLIEST)
        old = (one for one in records if one.measurement == "contact" and one.time_ms < self._faceless)
        self._contacts = [contact_of(record) for record in old]

    def covers(self, record: Record) -> bool:
        """Whether a record must neither be changed nor made: its events are gone."""
        t = record.time_ms
        if record.measurement in EMOTION and t < self._faceless:
            return True
        return any(one.what == ALL and one.start <= t < one.end for one in self._gone)

    def read(self, readings: Sequence[Reading], window: Window, limits: EmotionLimits) -> Emotion:
        """The emotion in a window; what the record says where the readings are gone."""
        if window.start >= self._faceless:
            return self._read(readings, window, limits)
        same = [one for one in self._contacts if one.rated == window.rated and one.asked <= window.start]
        return max(same, key=lambda one: one.asked).emotion if same else UNSEEN
