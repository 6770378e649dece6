"""What is too old goes, and nothing that was concluded from it changes (spec 7, Retention)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware import wire
from gateway import audit
from gateway.config import parse_site
from gateway.indexer import Indexer
from gateway.inspector import Inspector, canonical
from gateway.journal import Journal
from gateway.retention import DAY_MS, Retention
from tests.unit.test_audit import Shop, corrected
from tests.unit.test_live_equals_replay import FACE, SITE, START

NEVER = threading.Event()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.db", reserve_mb=1)
    opened.open()
    yield opened
    opened.close()


class OldShop(Shop):
    """A shop with a history."""

    def __init__(self, journal: Journal, **changes: Any) -> None:
        self.site = parse_site(SITE | changes)
        super().__init__(journal, self.site)
        self.retention = Retention(journal, self.site, self.clock, [])
        self.indexer = Indexer(journal, self.site, self.clock)

    def serve(self, t: int, key: int = 1, smile: float = 0.9) -> None:
        """A customer who is asked, smiles for 6 s, and presses."""
        self.arrive("fob", "click", {"pattern": "single"}, t, 0)
        for ms in range(100, 6000, 300):
            if ms == 3100:
                self.arrive("term", "press", {"key": key}, t + 3000, 0)
            self.arrive("cam", "face", {**FACE, "smile": smile}, t + ms, 0)
        self.wait(60_000)

    def age(self, days: float) -> None:
        """Days go by; then a sign of life, so that the clock is believed."""
        self.arrive("fob", "health", {}, self.clock.now + round(days * DAY_MS), 0)

    def tidy(self) -> dict[str, int]:
        self.indexer.step()
        return dict(self.retention.day(NEVER))


def kinds(journal: Journal) -> list[str]:
    return sorted(row.kind for row in journal.events_after(0, 10_000))


def in_force(journal: Journal, *names: str) -> set[tuple[str, str]]:
    return {(r.id, r.to_json()) for name in names for r in journal.records(name)}


@pytest.mark.parametrize(("days", "left"), [(29.9, 20), (30.1, 0)])
def test_face_events_go_after_30_days_and_the_contact_keeps_what_they_said(
    journal: Journal, days: float, left: int
) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    before = in_force(journal, "contact", "press")
    assert [r.fields["smile_share"] for r in journal.records("contact")] == [1.0]
    shop.age(days)
    shop.tidy()
    assert kinds(journal).count("face") == left
    assert kinds(journal).count("click") == 1
    shop.recorder.step()
    shop.recorder.resume()
    assert in_force(journal, "contact", "press") == before


@pytest.mark.parametrize(("days", "left"), [(89.9, ["click", "press"]), (90.1, [])])
def test_raw_events_go_after_90_days_and_contacts_and_presses_stay(
    journal: Journal, days: float, left: list[str]
) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    before = in_force(journal, "contact", "press")
    shop.age(days)
    shop.tidy()
    assert [kind for kind in kinds(journal) if kind != "health"] == left
    shop.recorder.resume()
    assert in_force(journal, "contact", "press") == before


def test_a_very_late_press_where_faces_are_gone_is_applied_and_other_emotions_stay(journal: Journal) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    shop.serve(START + 70_000, smile=0.1)
    shop.arrive("fob", "click", {"pattern": "single"}, START + 140_000, 0)
    shop.wait(60_000)
    first, second, third = journal.records("contact")
    assert [r.tags["outcome"] for r in (first, second, third)] == ["loyal", "passive", "silent"]
    shop.age(40)
    shop.tidy()
    assert "face" not in kinds(journal)
    shop.arrive("term", "press", {"key": 1}, START + 145_000, 41 * DAY_MS)
    assert journal.records("contact")[:2] == [first, second]
    assert journal.records("contact")[2].tags["outcome"] == "unknown"
    assert len(corrected(journal)) == 1


def test_a_very_late_event_into_an_expired_stretch_retracts_and_changes_nothing(journal: Journal) -> None:
    shop = OldShop(journal, defaults={"timeout_voice_s": 20, "retention_raw_days": 45})
    shop.serve(START)
    shop.serve(START + 90_000, key=3)
    before = in_force(journal, "contact", "press", "index")
    shop.age(46)
    shop.tidy()
    for device, kind, fields, t in (
        ("term", "press", {"key": 3}, START + 4000),
        ("fob", "click", {"pattern": "double"}, START + 95_000),
        ("fob", "click", {"pattern": "single"}, START - 1000),
    ):
        shop.arrive(device, kind, fields, t, 47 * DAY_MS)
    shop.recorder.resume()
    assert in_force(journal, "contact", "press", "index") == before
    assert corrected(journal) == []
    shop.serve(shop.clock.now + 100_000)
    assert len(journal.records("contact")) == 3


def test_a_stretch_is_not_cut_in_two(journal: Journal) -> None:
    shop = OldShop(journal)
    for n in range(20):
        shop.arrive("fob", "click", {"pattern": "single"}, START + n * 60_000, 0)
    shop.wait(60_000)
    before = in_force(journal, "contact")
    shop.age(90 - 10 / 1440)  # the horizon falls in the middle of them
    shop.tidy()
    assert kinds(journal).count("click") == 20
    shop.age(1)
    shop.tidy()
    assert kinds(journal).count("click") == 0
    shop.recorder.resume()
    assert in_force(journal, "contact") == before


def test_counters_stay_right_when_what_they_count_is_deleted(journal: Journal) -> None:
    shop, inspector = OldShop(journal), Inspector(parse_site(SITE))
    topic = wire.topic("s", "term", "event")
    for boot, seq, age in ((9, 1, 0), (9, 4, 0), (9, 4, 0), (9, 5, None)):
        payload = canonical(wire.make_event("press", boot, seq, age, {"key": 1})).encode()
        found = inspector.inspect(START, topic, payload)
        assert found
        journal.append([found])
    bad = inspector.inspect(START, topic, b"{")
    assert bad
    journal.append([bad])
    shop.recorder.step()

    def counts() -> list[Any]:
        return [
            journal.gaps(),
            journal.duplicates(),
            journal.count_untrusted("press"),
            journal.quarantine_counts(),
        ]

    before = counts()
    assert before == [2, 1, 1, {"bad_json": 1}]
    shop.age(91)
    done = shop.tidy()
    assert (done["events"], done["quarantined"]) == (3, 1)
    assert counts() == before


def test_hourly_records_contacts_and_presses_go_after_24_months_and_are_taken_back_from_every_sink(
    journal: Journal,
) -> None:
    shop = OldShop(journal)
    for n in range(12):
        shop.serve(START + n * 70_000)
    shop.clock.now += 2 * DAY_MS
    shop.tidy()
    assert journal.records("index")
    index = in_force(journal, "index")
    shop.age(700)
    shop.tidy()
    assert in_force(journal, "index") == index
    assert len(journal.records("contact")) == 12
    shop.age(33)
    position = journal.last_change()
    shop.tidy()
    shop.indexer.step()
    for name in ("index", "contact", "press"):
        assert journal.records(name) == []
    retracted = {c.record.id for c in journal.changes_after(position) if c.op == "retract"}
    assert {name for name, _ in index} <= retracted
    shop.tidy()
    shop.tidy()
    left = {c.record.measurement for c in journal.changes_after(0) if c.op == "put"}
    assert left == {"device"}  # of the last 90 days
    assert len(journal.changes_after(0)) <= 3  # the newest change stays, whatever it is


def test_superseded_versions_go_when_every_reader_is_past_them_and_not_before(journal: Journal) -> None:
    shop = OldShop(journal)
    retention = Retention(journal, shop.site, shop.clock, ["influx"])
    shop.arrive("fob", "click", {"pattern": "single"}, START, 0)
    shop.wait(60_000)
    shop.arrive("term", "press", {"key": 3}, START + 5000, 60_000)
    shop.age(1)
    shop.indexer.step()
    before = journal.changes_after(0)
    assert [c.op for c in before if c.record.measurement == "contact"] == ["put", "retract", "put"]
    retention.day(NEVER)
    assert journal.changes_after(0) == before
    journal.set_cursor("influx", before[1].position)
    retention.day(NEVER)
    assert journal.changes_after(0) == before[1:]
    journal.set_cursor("influx", journal.last_change())
    records = in_force(journal, "contact", "press")
    retention.day(NEVER)
    assert in_force(journal, "contact", "press") == records
    assert all(c.op == "put" for c in journal.changes_after(0))


def test_nothing_is_deleted_while_the_recorder_is_behind(journal: Journal) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    shop.age(100)
    stopping = threading.Event()
    count = len(kinds(journal))
    for _ in range(120):
        found = Inspector(shop.site).inspect(
            shop.clock.now,
            wire.topic("s", "term", "event"),
            b'{"v":1,"boot":5,"seq":%d,"age":0,"kind":"health"}' % (_ + 1),
        )
        assert found
        journal.append([found])
    threading.Timer(0.3, stopping.set).start()
    shop.retention.day(stopping)
    assert len(kinds(journal)) == count + 120
    shop.recorder.step()
    shop.tidy()
    assert len(kinds(journal)) < 130


def test_an_index_stands_when_contacts_of_its_period_are_deleted_by_age(journal: Journal) -> None:
    shop = OldShop(journal)
    for n in range(12):
        shop.serve(START + n * 70_000)
    shop.clock.now += 2 * DAY_MS
    shop.indexer.step()
    index = in_force(journal, "index")
    journal.begin_deletion({"records": START + DAY_MS})
    journal.retire("contact", START + 200_000, 100)
    shop.indexer.step()
    assert len(journal.records("contact")) == 9
    assert in_force(journal, "index") == index


def test_a_clock_that_leaps_deletes_two_days_at_most_until_it_has_been_so_for_a_day(journal: Journal) -> None:
    shop = OldShop(journal)
    for day in range(10):
        shop.serve(START + day * DAY_MS)
    shop.age(80)
    shop.tidy()
    clicks = kinds(journal).count("click")
    assert clicks == 10
    shop.age(365)
    restarted = Retention(journal, shop.site, shop.clock, [])
    shop.indexer.step()
    restarted.day(NEVER)
    assert 10 - 2 <= kinds(journal).count("click") <= 10
    restarted.day(NEVER)
    assert kinds(journal).count("click") == 0


def test_deletions_are_said_before_and_counted_after_in_the_audit_log(journal: Journal) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    shop.tidy()
    assert list(journal.audit()) == []
    shop.age(100)
    shop.tidy()
    said = [journal.last_note("deletion") or {}, *[e.kind for e in journal.audit()]]
    assert said[1:] == ["deletion", "deletion"]
    assert said[0]["deleted"] == {"faces": 20, "events": 2, "records": 1}  # type: ignore[index]
    assert audit.verify(journal) is None


@pytest.mark.parametrize(("months", "late_days", "left"), [(24, 0, 1), (3, 0, 0), (3, 80, 0)])
def test_what_the_audit_log_tells_of_a_contact_goes_with_the_contact(
    journal: Journal, months: int, late_days: int, left: int
) -> None:
    shop = OldShop(journal, defaults={"timeout_voice_s": 20, "retention_hourly_months": months})
    shop.arrive("fob", "click", {"pattern": "single"}, START, 0)
    shop.wait(60_000)
    shop.arrive("term", "press", {"key": 3}, START + 5000, 600_000 + late_days * DAY_MS)
    shop.age(100 - late_days)
    shop.tidy()
    assert len(journal.records("contact")) == left
    assert [len(detail["changes"]) for detail in corrected(journal)] == [2 * left]
    assert audit.verify(journal) is None
    shop.tidy()
    assert sum("corrections" in entry.detail for entry in journal.audit("deletion")) == 1 - left
