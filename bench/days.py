"""Generated days of a shop: the same customers at every run, as messages and as lines of a replay log."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from firmware import wire

SITE_NAME = "shop-1"
SEED = 3
CONTACTS = 300
OPEN_MS = 10 * 3_600_000
FACE_MS = 200  # a camera at 5 frames a second
FACES = 91  # 18 s around a rating: 300 contacts make 28 000 events
Timed = tuple[int, str, dict[str, Any]]  # when (ms), topic, event of age 0


class Shop:
    """Draws the customers of `points` tills; seq goes on from day to day."""

    def __init__(self, points: int = 3, *, faces: int = FACES, contacts: int = CONTACTS) -> None:
        self._draw = random.Random(SEED)
        self._points, self._faces, self._contacts = points, faces, contacts
        self._seq: dict[str, int] = {}
        self._track = 0

    def day(self, opens: int) -> list[Timed]:
        """One day's events in order of time; opens in ms since 1970."""
        step = OPEN_MS // self._contacts
        found: list[Timed] = []
        for place in range(self._contacts):
            asked = opens + place * step + self._draw.randrange(step // 2)
            found += self._contact(asked, 1 + place % self._points)
        return sorted(found, key=lambda item: item[0])

    def _contact(self, asked: int, point: int) -> Iterator[Timed]:
        """Ask, an answer in four of five, and a face from the ask on."""
        happy = self._draw.random() < 0.7
        yield self._event(asked, f"fob-{point}", "click", {"pattern": "single"})
        if self._draw.random() < 0.8:
            rated = asked + self._draw.randrange(1500, 4500)
            key = 1 if happy else self._draw.choice((2, 3))
            yield self._event(rated, f"term-{point}", "press", {"key": key})
        self._track += 1
        for place in range(self._faces):
            yield self._event(asked + place * FACE_MS, f"cam-{point}", "face", self._face(happy))

    def _face(self, happy: bool) -> dict[str, Any]:
        smile = min(1.0, max(0.0, self._draw.gauss(0.8 if happy else 0.15, 0.1)))
        return {"track": self._track, "smile": round(smile, 3), "px": 140.5, "yaw": 4.2, "ok": True}

    def _event(self, t: int, device: str, kind: str, fields: dict[str, Any]) -> Timed:
        seq = self._seq[device] = self._seq.get(device, 0) + 1
        return t, wire.topic(SITE_NAME, device, "event"), wire.make_event(kind, 1, seq, 0, fields)


def write_log(path: Path, messages: Iterable[Timed]) -> None:
    """A replay log of spec 6."""
    with path.open("w") as log:
        for received, topic, event in messages:
            log.write(json.dumps({"received": received, "topic": topic, "payload": event}) + "\n")


def site_text(folder: Path, *, points: int = 3, broker: int = 1883, web: int = 8080, influx: str = "") -> str:
    """site.toml of that shop; bursts are short, so that presses at 100 a second are not all mash."""
    tills = "".join(
        f"[points.till-{n}.devices]\n"
        f'term-{n} = {{ kind = "terminal", keys = 3 }}\n'
        f'fob-{n} = {{ kind = "keyfob" }}\ncam-{n} = {{ kind = "camera" }}\n'
        for n in range(1, points + 1)
    )
    target = f'[influx]\nurl = "{influx}"\ndatabase = "emobox"\n' if influx else ""
    return (
        f'site = "{SITE_NAME}"\nzone = "Europe/Berlin"\nregion = "other"\n'
        f'[camera]\nsign_posted = "2026-01-01 M. Weber"\n{tills}'
        f"[broker]\nport = {broker}\n[web]\nport = {web}\n[store]\npath = {json.dumps(str(folder))}\n{target}"
    )
