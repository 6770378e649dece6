"""A shop for page tests: messages go the real way, inspector → journal → recorder; only the time is given."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.clock import Clock
from gateway.config import Site, parse_site
from gateway.inspector import Inspector
from gateway.journal import Journal
from gateway.presence import Presence
from gateway.recorder import Recorder
from gateway.sinks.reader import State
from gateway.today import Follower, Today, today
from gateway.web.page import Page

NOON = 1_790_071_200_000  # 2026-09-22 12:00 in Berlin

Table = dict[str, Any]


def table(**more: Any) -> Table:
    """site.toml of a shop with a till and a desk."""
    terminal, fob = {"kind": "terminal", "keys": 3}, {"kind": "keyfob"}
    till = {"term-1": terminal, "fob-1": fob, "cam-1": {"kind": "camera"}, "mic-1": {"kind": "microphone"}}
    return {
        "site": "shop-1",
        "zone": "Europe/Berlin",
        "region": "other",
        "day_start": "04:00",
        "camera": {"sign_posted": "2026-09-01 M. Weber"},
        "points": {
            "till-1": {"devices": till},
            "desk": {"devices": {"term-2": terminal, "fob-2": fob}},
        },
        "web": {"port": 0},
    } | more


class StoppedClock(Clock):
    """Shows the time that the test gives it."""

    def __init__(self, now: int = NOON) -> None:
        super().__init__()
        self.now = now

    def now_ms(self) -> int:
        """The given time."""
        return self.now


@dataclass
class FakeSink:
    """Stands for a SinkReader whose target is somewhere else."""

    name: str = "sink-influx"
    state: State = field(default_factory=lambda: State(0))


@dataclass
class Shop:
    """A shop whose hub is stepped by hand; `log` collects the same messages for a replay."""

    site: Site
    journal: Journal
    clock: StoppedClock
    recorder: Recorder
    presence: Presence
    sinks: list[FakeSink] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    _seq: dict[str, int] = field(default_factory=dict)

    def send(self, device: str, t: int, kind: str, **fields: Any) -> None:
        """One event of a device that happened at t and arrives 40 ms later."""
        seq = self._seq[device] = self._seq.get(device, 0) + 1
        body = {"v": 1, "boot": 1, "seq": seq, "age": 40, "kind": kind} | fields
        self.message(f"emobox/v1/{self.site.site}/{device}/event", json.dumps(body).encode(), t + 40)

    def message(self, topic: str, payload: bytes, received: int) -> None:
        """One message of any kind."""
        line = {"received": received, "topic": topic, "payload": payload.decode("utf-8", "surrogateescape")}
        self.log.append(json.dumps(line))
        item = Inspector(self.site).inspect(received, topic, payload, len(self.log))
        if item:
            self.journal.append([item])

    def contact(self, t: int, key: int | None, *, smile: float | None = None, point: str = "till-1") -> None:
        """A customer asked at t who presses `key` 4 s later (None: stays silent), with a face if wanted."""
        terminal, fob = ("term-1", "fob-1") if point == "till-1" else ("term-2", "fob-2")
        self.send(fob, t, "click", pattern="single")
        if smile is not None:
            for step in range(35):
                face = {"track": 1, "smile": smile, "px": 120, "yaw": 0, "ok": True}
                self.send("cam-1", t + 200 * step, "face", **face)
        if key is not None:
            self.send(terminal, t + 4000, "press", key=key)

    def catch_up(self) -> None:
        """Let the recorder take everything."""
        self.clock.now += 200_000
        while self.recorder.step():
            pass

    def today(self) -> Today:
        """What the page will say."""
        online, connected = self.presence.online, self.presence.link_up()
        return today(self.journal, self.site, self.clock.now, self.sinks, online, connected)


@contextmanager
def open_shop(folder: Path, site: Mapping[str, Any] | None = None) -> Iterator[Shop]:
    """An empty shop; its journal lies in `folder`."""
    parsed = parse_site(dict(site or table()))
    journal, clock = Journal(folder / "journal.db", durable=False), StoppedClock()
    journal.open()
    recorder = Recorder(journal, parsed, clock, lambda *_: None)
    recorder.resume()
    try:
        yield Shop(parsed, journal, clock, recorder, Presence(parsed.site))
    finally:
        journal.close()


def busy_day(shop: Shop, *, smile: float | None = 0.9) -> None:
    """40 contacts: 20 tops, 6 middles, 4 lows, 10 silent; by night one press nobody asked for, one mash."""
    start = NOON - 4 * 3_600_000
    for place in range(40):
        key = (1, 1, 2, None, 1, 1, 3, None, 1, 2 if place % 20 else 1)[place % 10]
        seen = smile if smile is None or place % 5 else 0.1
        shop.contact(start + place * 180_000, key, smile=seen, point="desk" if place % 4 == 3 else "till-1")
    shop.send("term-1", start - 600_000, "press", key=1)
    for step in range(4):
        shop.send("term-2", start - 500_000 + step * 400, "press", key=1 + step % 3)
    shop.catch_up()


@contextmanager
def serving(shop: Shop, sinks: Sequence[Follower] | None = None) -> Iterator[str]:
    """The page of a shop on a free port: its address."""
    page = Page(shop.journal, shop.site, shop.clock, shop.sinks if sinks is None else sinks, shop.presence)
    page.bind()
    stopping = threading.Event()
    thread = threading.Thread(target=page.run, args=(stopping,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{page.port}"
    finally:
        stopping.set()
        began = time.monotonic()
        thread.join(10)
        if thread.is_alive() or time.monotonic() - began > 5:
            raise AssertionError("the page did not stop within 5 s")
