"""Status changes are `device` records: online or not, at the time of the change (spec 2 and 5)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.bus import Message
from gateway.config import parse_site
from gateway.events import Health
from gateway.journal import Journal
from gateway.measurements import device_record
from gateway.presence import Presence, PresenceLog
from gateway.sinks.line import line
from tests.unit.test_live_equals_replay import SITE, START, HandClock


class Watched:
    """A presence log on its own journal, fed with status messages."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.clock = Journal(folder / "j.db", durable=False), HandClock()
        self.journal.open()
        self.restart()

    def restart(self) -> None:
        self.log = PresenceLog(self.journal, parse_site(SITE), self.clock)
        self.log.resume()
        self.presence = Presence("s", on_said=self.log.say)

    def status(self, t: int, device: str, online: bool, retain: bool = False) -> None:
        self.clock.now = START + t
        payload = json.dumps({"v": 1, "online": online}).encode()
        self.presence.receive(Message(f"emobox/v1/s/{device}/status", payload, retain))
        self.clock.now += 5_000  # the stage is late, the record is not
        self.log.step()

    def written(self) -> list[tuple[int, str, object]]:
        records = self.journal.records("device")
        return [(r.time_ms - START, r.tags["device"], r.fields["online"]) for r in records]


def test_each_change_is_a_record_of_its_own_time_and_what_is_no_news_is_none(tmp_path: Path) -> None:
    shop = Watched(tmp_path)
    shop.status(0, "term", True, retain=True)
    shop.status(1_000, "term", True)
    shop.status(2_000, "fob", True)
    shop.status(3_000, "term", False)
    shop.status(4_000, "nobody", False)
    shop.status(5_000, "term", True)
    assert shop.written() == [
        (0, "term", True),
        (2_000, "fob", True),
        (3_000, "term", False),
        (5_000, "term", True),
    ]


def test_after_a_restart_what_stands_is_no_news(tmp_path: Path) -> None:
    shop = Watched(tmp_path)
    shop.status(0, "term", False)
    shop.restart()
    shop.status(10_000, "term", False, retain=True)
    shop.status(20_000, "term", True)
    assert shop.written() == [(0, "term", False), (20_000, "term", True)]


@pytest.mark.parametrize("online", [True, False])
def test_a_health_event_says_online_too_and_the_line_says_the_change(tmp_path: Path, online: bool) -> None:
    shop, site = Watched(tmp_path), parse_site(SITE)
    health = device_record(Health("term", 1, 1, START, {"queued": 0}), 0, site)
    shop.journal.record("fusion", 1, [("put", health)])
    shop.restart()
    shop.status(1_000, "term", online)
    written = [record for record in shop.journal.records("device") if record.id != health.id]
    assert len(written) == (not online)
    for record in written:
        assert line(record).startswith("device,device=term,kind=terminal,site=s online=false ")
