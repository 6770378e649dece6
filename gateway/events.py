"""Every event of spec 2 as a frozen dataclass, made from the journal's rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Order = tuple[int, int, str, int, int]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A valid event as it reached the gateway; `body` is its canonical JSON without `age`."""

    topic: str
    device: str
    boot: int
    seq: int
    received: int
    age: int | None
    kind: str
    body: str
    line: int | None = None

    @property
    def t(self) -> int | None:
        """When it happened, ms since 1970; None when the device lost its time base."""
        return None if self.age is None else self.received - self.age

    def event(self) -> Event | None:
        """The typed event; None when its time is not trusted."""
        t = self.t
        return None if t is None else decode(self.device, self.boot, self.seq, t, self.kind, self.body)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message that is no event, with the first reason of spec 2 that applies."""

    received: int
    topic: str
    payload: bytes
    reason: str
    device: str | None = None
    identity: tuple[int, int] | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What every trusted event has; t in ms since 1970."""

    device: str
    boot: int
    seq: int
    t: int

    def order(self, rank: int = 0) -> Order:
        """Place among a point's events; within a millisecond the rank decides first (spec 3)."""
        return (self.t, rank, self.device, self.boot, self.seq)


@dataclass(frozen=True, slots=True)
class Press(Event):
    """A customer pushed a key, 1 = leftmost."""

    key: int


@dataclass(frozen=True, slots=True)
class Click(Event):
    """Staff clicked a keyfob: single, double or long."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Prompt(Event):
    """The hub lit a light: ask the next customer; only the journal knows it, no device sends it."""


@dataclass(frozen=True, slots=True)
class Spoken(Event):
    """A phrase was spotted; t is the end of its last word."""

    phrase: str
    score: float


@dataclass(frozen=True, slots=True)
class Reading(Event):
    """One look at one face: smile 0…1, face width in px, yaw in degrees."""

    track: int
    smile: float
    px: float
    yaw: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Health(Event):
    """How a device fares; only the fields that it sent."""

    fields: Mapping[str, float | str]


_HEALTH = ("battery_mv", "rssi", "uptime_s", "free_heap", "queued", "dropped", "firmware")
_Maker = Callable[[str, int, int, int, dict[str, Any]], Event]
_MAKERS: dict[str, _Maker] = {
    "press": lambda d, b, s, t, f: Press(d, b, s, t, f["key"]),
    "click": lambda d, b, s, t, f: Click(d, b, s, t, f["pattern"]),
    "prompt": lambda d, b, s, t, f: Prompt(d, b, s, t),
    "phrase": lambda d, b, s, t, f: Spoken(d, b, s, t, f["id"], f["score"]),
    "face": lambda d, b, s, t, f: Reading(d, b, s, t, f["track"], f["smile"], f["px"], f["yaw"], f["ok"]),
    "health": lambda d, b, s, t, f: Health(d, b, s, t, {n: f[n] for n in _HEALTH if n in f}),
}


def decode(device: str, boot: int, seq: int, t: int, kind: str, body: str) -> Event:
    """The typed event of a journal row."""
    return _MAKERS[kind](device, boot, seq, t, json.loads(body))
