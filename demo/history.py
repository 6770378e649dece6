"""Generated days for the dashboards: invented customers, but the very same ingest, journal and fusion."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

from demo.shop import CAMERA, KEYFOB, TERMINAL
from firmware import wire
from gateway.bus import Message
from gateway.clock import Clock
from gateway.config import Site
from gateway.inspector import Inspector
from gateway.journal import Journal
from gateway.recorder import Recorder

SEED = 20
CONTACTS = 60
DAY_MS = 86_400_000
OPEN_MS = 10 * 3_600_000  # the generated shop's day ends at this time of the day
FACE_MS = 400
BOOT = 0  # real devices count from 1
DAYS_MAX = 730


class HistoryError(ValueError):
    """Not a number of days."""


def days(text: str) -> int:
    """30 for "30d"; HistoryError says what is allowed."""
    number = text.removesuffix("d")
    if not number.isdecimal() or not 1 <= int(number) <= DAYS_MAX:
        raise HistoryError(f"--history {text}: allowed is a number of days such as 30d, at most {DAYS_MAX}d")
    return int(number)


def feed(journal: Journal, site: Site, count: int) -> None:
    """Put `count` generated days before today into the journal and let the recorder follow."""
    clock, inspector, history = Clock(), Inspector(site), History(site.site)
    midnight = clock.now_ms() // DAY_MS * DAY_MS  # the same customers when the demo is played again
    journal.open()
    recorder = Recorder(journal, site, clock)
    for day in tqdm(range(count, 0, -1), desc="history", unit="day"):
        messages = sorted(history.day(midnight - day * DAY_MS), key=lambda item: item[0])
        found = [inspector.inspect(t, message.topic, message.payload) for t, message in messages]
        journal.append([item for item in found if item])
        while recorder.step():
            pass
    journal.close()


class History:
    """Draws customers; the same ones at every run."""

    def __init__(self, site: str) -> None:
        self._site = site
        self._draw = random.Random(SEED)
        self._seq = {TERMINAL: 0, KEYFOB: 0, CAMERA: 0}
        self._track = 0

    def day(self, end: int) -> Iterator[tuple[int, Message]]:
        """(received in ms, message) of one day's contacts, spread over the hours before `end`."""
        step = OPEN_MS // CONTACTS
        mood = self._draw.uniform(0.55, 0.85)
        for place in range(CONTACTS):
            yield from self._contact(end - OPEN_MS + place * step + self._draw.randrange(step // 2), mood)

    def _contact(self, asked: int, mood: float) -> Iterator[tuple[int, Message]]:
        """Ask, perhaps an answer, and the face around it."""
        happy = self._draw.random() < mood
        answers = self._draw.random() < 0.8
        rated = asked + self._draw.randrange(1500, 4500)
        yield asked, self._event(KEYFOB, "click", {"pattern": "single"})
        if answers:
            key = 1 if happy else self._draw.choice((2, 3))
            yield rated, self._event(TERMINAL, "press", {"key": key})
        if self._draw.random() < 0.9:
            yield from self._face(asked, rated + 3000, happy and self._draw.random() < 0.75)

    def _face(self, start: int, end: int, smiling: bool) -> Iterator[tuple[int, Message]]:
        self._track += 1
        for t in range(start, end, FACE_MS):
            smile = min(1.0, max(0.0, self._draw.gauss(0.85 if smiling else 0.12, 0.08)))
            fields = {"track": self._track, "smile": round(smile, 3), "px": 140, "yaw": 4.0, "ok": True}
            yield t, self._event(CAMERA, "face", fields)

    def _event(self, device: str, kind: str, fields: dict[str, Any]) -> Message:
        self._seq[device] += 1
        event = wire.make_event(kind, BOOT, self._seq[device], 0, fields)
        return Message(wire.topic(self._site, device, "event"), json.dumps(event).encode())
