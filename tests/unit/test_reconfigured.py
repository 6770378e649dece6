"""A changed site.toml judges what comes; what was concluded before stands."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware import wire
from gateway.config import parse_site
from gateway.events import Arrival
from gateway.inspector import Inspector, canonical
from gateway.journal import Journal
from gateway.recorder import Recorder
from tests.unit.test_live_equals_replay import START, HandClock

DAY_MS = 86_400_000
SITE: dict[str, Any] = {
    "site": "s",
    "zone": "UTC",
    "region": "other",
    "points": {
        "p": {"devices": {"t": {"kind": "terminal", "keys": 5}, "f": {"kind": "keyfob"}}},
        "q": {},
    },
}
Devices = dict[str, Any]


class Shop:
    """A journal that a recorder follows, under one site.toml after another."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.journal, self.table = HandClock(), Journal(folder / "j.db", durable=False), SITE
        self.journal.open()
        self._seq = 0
        self.start(SITE)

    def start(self, table: dict[str, Any]) -> None:
        self.site = parse_site(table)
        self._recorder = Recorder(self.journal, self.site, self.clock)
        self._recorder.resume()
        self.catch_up()

    def catch_up(self) -> None:
        while self._recorder.step():
            pass

    def send(self, device: str, kind: str, age: int = 0, **fields: Any) -> None:
        self._seq += 1
        payload = canonical(wire.make_event(kind, 1, self._seq, age, fields)).encode()
        topic = wire.topic("s", device, "event")
        item = Inspector(self.site).inspect(self.clock.now, topic, payload)
        assert isinstance(item, Arrival)
        self.journal.append([item])

    def outcomes(self) -> dict[str, str]:
        return {record.id: record.tags["outcome"] for record in self.journal.records("contact")}

    def states(self) -> list[str]:
        return [record.tags["state"] for record in self.journal.records("press")]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    one = Shop(tmp_path)
    one.send("f", "click", pattern="single")
    one.clock.now += 1000
    one.send("t", "press", key=5)
    one.catch_up()
    return one


def _pop(devices: Devices, table: dict[str, Any]) -> None:
    table["points"]["q"]["devices"] = {"t": devices.pop("t")}


CHANGES: dict[str, Callable[[Devices, dict[str, Any]], object]] = {
    "fewer keys": lambda devices, table: devices["t"].update(keys=3),
    "another kind": lambda devices, table: devices.update(t={"kind": "keyfob"}),
    "no terminal": lambda devices, table: devices.pop("t"),
    "terminal elsewhere": _pop,
    "terminal in test": lambda devices, table: devices["t"].update(test=True),
    "point renamed": lambda devices, table: table["points"].update(new=table["points"].pop("p")),
    "point removed": lambda devices, table: table["points"].pop("p"),
    "shorter time-out": lambda devices, table: table.update(defaults={"timeout_button_s": 0.5}),
    "closed then": lambda devices, table: table.update(hours={}),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("later_ms", [10_000, 3 * DAY_MS])
def test_what_was_concluded_stands_under_any_later_configuration(
    shop: Shop, change: str, later_ms: int
) -> None:
    table = copy.deepcopy(SITE)
    CHANGES[change](table["points"]["p"]["devices"], table)
    shop.clock.now += later_ms
    shop.start(table)
    shop.start(table)
    assert shop.outcomes() == {f"contact/p/{START}": "critic"}
    assert shop.states() == ["asked"]


def test_what_comes_is_judged_by_the_new_configuration(shop: Shop) -> None:
    shop.clock.now += 10_000
    shop.start(SITE | {"defaults": {"timeout_button_s": 0.5, "burst_gap_s": 1}})
    asked = shop.clock.now
    shop.send("f", "click", pattern="single")
    shop.clock.now += 70_000
    shop.send("t", "press", key=5)
    shop.catch_up()
    assert shop.outcomes() == {f"contact/p/{START}": "critic", f"contact/p/{asked}": "silent"}


def test_a_late_event_corrects_what_was_concluded_before_the_change(shop: Shop) -> None:
    shop.clock.now += 100_000
    asked = shop.clock.now
    shop.send("f", "click", pattern="single")
    shop.catch_up()
    shop.clock.now += DAY_MS
    shop.catch_up()
    table = copy.deepcopy(SITE)
    table["points"]["p"]["devices"]["t"]["keys"] = 3
    shop.start(table)
    assert shop.outcomes()[f"contact/p/{asked}"] == "silent"
    shop.send("t", "press", key=1, age=DAY_MS - 5000)
    shop.catch_up()
    assert shop.outcomes() == {f"contact/p/{START}": "critic", f"contact/p/{asked}": "unknown"}
    assert shop.states() == ["asked", "asked"]
