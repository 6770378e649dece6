"""Hours and days are written once they are closed, and again when a contact is corrected (spec 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Site, parse_site
from gateway.fusion import Contact
from gateway.fusion.emotion import Emotion
from gateway.indexer import Indexer, periods
from gateway.indices.intervals import wilson
from gateway.journal import Journal
from gateway.measurements import contact_record
from gateway.records import difference
from tests.unit.test_live_equals_replay import SITE, HandClock

Figures = Mapping[tuple[str, str], Mapping[str, Any]]
HOUR_MS = 3_600_000
NOON = 1_760_004_000_000  # 2025-10-09 12:00 in Berlin
LOYAL = Contact("till", NOON, "keyfob", "loyal", "top", "key", NOON, Emotion(3000, 1.0, True), 1.0, 0.5, ())


def test_a_period_is_written_when_closed_and_again_when_corrected(tmp_path: Path) -> None:
    site, clock, journal = parse_site(SITE), HandClock(), Journal(tmp_path / "j.db")
    journal.open()
    indexer = Indexer(journal, site, clock)
    contacts = [replace(LOYAL, asked=NOON + n * 1000) for n in range(12)]
    journal.record("fusion", 1, [("put", contact_record(contact, site)) for contact in contacts])
    clock.now = NOON + HOUR_MS
    indexer.step()
    assert journal.records("index") == []
    clock.now += HOUR_MS
    indexer = Indexer(journal, site, clock)
    indexer.resume()
    indexer.step()
    values = {(r.tags["point"], r.tags["name"]): r.fields["value"] for r in journal.records("index")}
    assert values["till", "emonps"] == values["all", "emonps"] == 100.0
    assert {record.tags["period"] for record in journal.records("index")} == {"hour"}
    critic = replace(contacts[0], outcome="critic", score=-1.0)
    journal.record("fusion", 2, [("put", contact_record(critic, site))])
    indexer.step()
    (emonps,) = [
        r for r in journal.records("index") if (r.tags["point"], r.tags["name"]) == ("all", "emonps")
    ]
    assert emonps.fields["value"] == 100 * 10 / 12
    journal.close()


def test_hours_and_days_betray_no_point_of_under_10_contacts(tmp_path: Path) -> None:
    desks = {name: {"devices": {f"fob-{name}": {"kind": "keyfob"}}} for name in ("a", "b", "c")}
    site = parse_site(SITE | {"points": desks, "staff": {}})
    values = figures(tmp_path, site, {"a": 30, "b": 12, "c": 3})
    assert {key for key in values if key[1] == "emonps"} == {("a", "emonps"), ("all", "emonps")}


def test_each_figure_has_its_own_coverage_and_its_interval(tmp_path: Path) -> None:
    site = parse_site(SITE)
    contacts = [replace(LOYAL, asked=NOON + n * 1000) for n in range(12)]
    unseen = {"outcome": "unknown", "score": 0.0, "emotion": Emotion()}
    contacts += [replace(LOYAL, asked=NOON + n * 1000, **unseen) for n in range(12, 15)]
    silent = {"outcome": "silent", "score": -0.5, "rating": None, "rated": None, "emotion": Emotion()}
    contacts += [replace(LOYAL, asked=NOON + n * 1000, **silent) for n in range(15, 20)]
    values = written(tmp_path, site, contacts)
    found = {name: fields["coverage"] for (point, name), fields in values.items() if point == "till"}
    assert found == {"emonps": 0.8, "smile_index": 0.6, "smile_rate": 0.6, "response_rate": None}
    answered = values["till", "response_rate"]
    assert (answered["value"], answered["n"]) == (0.75, 20)
    assert (answered["low"], answered["high"]) == pytest.approx(wilson(15, 20))


def figures(folder: Path, site: Site, sizes: Mapping[str, int]) -> Figures:
    """As many loyal contacts of one hour at each point."""
    return written(
        folder,
        site,
        [
            replace(LOYAL, point=point, asked=NOON + n * 1000)
            for point, size in sizes.items()
            for n in range(size)
        ],
    )


def written(folder: Path, site: Site, contacts: list[Contact]) -> Figures:
    """The fields of the hour's index records by point and name."""
    journal, clock = Journal(folder / "j.db", durable=False), HandClock()
    journal.open()
    clock.now = NOON + 2 * HOUR_MS
    journal.record("fusion", 1, [("put", contact_record(contact, site)) for contact in contacts])
    Indexer(journal, site, clock).step()
    found = {(r.tags["point"], r.tags["name"]): r.fields for r in journal.records("index")}
    journal.close()
    return found


def test_a_value_that_is_no_longer_known_is_taken_back_before_it_is_put_again() -> None:
    site = parse_site(SITE)
    seen = contact_record(LOYAL, site)
    unseen = contact_record(replace(LOYAL, emotion=Emotion(3000, ambiguous=True)), site)
    old, new = {seen.id: seen}, {unseen.id: unseen}
    assert list(difference(old, new)) == [("retract", seen), ("put", unseen)]
    assert list(difference(new, old)) == [("put", seen)]
    assert list(difference(old, old)) == []


def test_an_hour_lasts_an_hour_also_when_the_clocks_go_back() -> None:
    site = parse_site(SITE)
    first, second = 1_761_440_400_000 - 30 * 60_000, 1_761_440_400_000 + 30 * 60_000  # 02:30 twice, in Berlin
    assert site.local(first).strftime("%H:%M") == site.local(second).strftime("%H:%M") == "02:30"
    (one, _), (two, _) = periods(site, first), periods(site, second)
    assert (one.end - one.start, two.end - two.start) == (HOUR_MS, HOUR_MS)
    assert one.end == two.start


def test_a_weekday_is_the_business_days() -> None:
    site = parse_site(SITE | {"day_start": "04:00"})
    night = NOON + 13 * HOUR_MS  # Friday 01:00
    record = contact_record(replace(LOYAL, asked=night), site)
    tags, date = record.tags, record.fields["local_date"]
    assert (tags["weekday"], tags["local_hour"], date) == ("thu", "01", "2025-10-09")


def test_a_business_day_begins_at_day_start_and_has_its_own_length() -> None:
    site = parse_site(SITE | {"day_start": "04:00"})
    before_clock_change = 1_761_422_400_000  # 2025-10-25 22:00 in Berlin
    hour, day = periods(site, before_clock_change)
    assert hour.end - hour.start == HOUR_MS
    assert day.end - day.start == 25 * HOUR_MS
    assert site.local(day.start).strftime("%F %H:%M") == "2025-10-25 04:00"
