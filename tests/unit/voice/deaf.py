"""A second opinion that never hears an answer, and remembers what it was asked."""

from __future__ import annotations

from gateway.voice.engine import Samples
from gateway.voice.phrases import Phrase


class Deaf:
    """Vetoes everything; `heard` are the sounds."""

    before_s, after_s, allowed_s = 2.0, 1.0, 10.0

    def __init__(self) -> None:
        self.heard: list[Samples] = []

    def agrees(self, _phrase: Phrase, sound: Samples) -> bool:
        self.heard.append(sound)
        return False

    def close(self) -> None: ...
