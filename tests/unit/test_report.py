"""`emobox report`: the formulas of spec 4, Others, over a shop's own records."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.config import parse_site
from gateway.fusion import Contact
from gateway.fusion.emotion import Emotion
from gateway.indexer import Indexer
from gateway.indices import Published
from gateway.journal import Journal
from gateway.measurements import contact_record
from gateway.records import Record
from gateway.report import anomaly, first_day, index_line, lines, report
from tests.unit.test_live_equals_replay import HandClock
from tests.web.shop import NOON, busy_day, open_shop, table

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
TOP = Contact("till-1", NOON, "keyfob", "loyal", "top", "key", NOON, Emotion(3000, 1.0, True), 1.0, 0.5, ())
CRITIC = replace(TOP, outcome="critic", rating="low", emotion=Emotion(3000, 0.0, False), score=-1.0)


def test_a_report_says_the_shares_of_the_day_with_their_intervals(tmp_path: Path) -> None:
    """busy_day: 40 contacts, 20 tops, 8 middles, 4 lows, 8 silent; the shop is open for 4 h by noon."""
    with open_shop(tmp_path, table(hours={"tue": "08:00-20:00"})) as shop:
        busy_day(shop)
        found = report(shop.journal, shop.site, NOON, 1)
    assert (found["from"], found["to"], found["contacts"]["n"]) == ("2026-09-22", "2026-09-22", 40)
    assert (found["response_rate"]["value"], found["csat"]["value"]) == (0.8, 20 / 32)
    assert found["csat"]["low"] < 20 / 32 < found["csat"]["high"]
    negative = found["negativity_per_hour"]
    assert (negative["value"], negative["presses"], negative["hours"]) == (1.0, 4, 4.0)
    garwood = (1.0899 / 4, 10.2416 / 4)  # of 4 presses, Garwood 1936
    assert (negative["low"], negative["high"]) == pytest.approx(garwood, abs=1e-4)
    assert found["sample"]["for_a_share"] == 385
    assert found["sample"]["asked"] == 40


def test_under_10_contacts_there_is_no_figure_and_before_the_first_none_at_all(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        found = report(shop.journal, shop.site, NOON, 7)
        assert (found["response_rate"], found["index"]["published"]) == (None, "none")
        assert found["sample"]["achieved"] is None
        shop.contact(NOON - HOUR, 1)
        shop.catch_up()
        found = report(shop.journal, shop.site, NOON, 7)
    assert (found["csat"], found["direct_vs_indirect"], found["sample"]["for_emonps"]) == (None, None, None)


def test_hours_before_the_box_was_there_are_no_hours_without_low_presses(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        for n in range(10):
            shop.contact(NOON - HOUR + n * MINUTE, 1)
        shop.catch_up()
        negative = report(shop.journal, shop.site, NOON, 92)["negativity_per_hour"]
        assert (negative["presses"], negative["hours"]) == (0, 1.0)
        day_over = HandClock()
        day_over.now = NOON + DAY
        Indexer(shop.journal, shop.site, day_over).step()
        assert report(shop.journal, shop.site, NOON, 92)["negativity_per_hour"]["hours"] == 1.0
        nine = report(shop.journal, shop.site, NOON - HOUR + 9 * MINUTE - 1, 92)
    assert nine["contacts"]["n"] == 9
    assert nine["negativity_per_hour"] is None


def test_points_of_unequal_sampling_weigh_by_their_customers_served(tmp_path: Path) -> None:
    """30 loyal of 900 at the till, 10 critics of 100 at the desk."""
    points = {
        name: {"served": n, "devices": {f"fob-{name}": {"kind": "keyfob"}}}
        for name, n in (("till", 900), ("desk", 100))
    }
    tables = table(points=points, camera={"sign_posted": "x"})
    contacts = [replace(TOP, point="till", asked=NOON + n) for n in range(30)]
    contacts += [replace(CRITIC, point="desk", asked=NOON + 100 + n) for n in range(10)]
    journal = filled(Journal(tmp_path / "j.db", durable=False), contacts)
    found = report(journal, parse_site(tables), NOON + HOUR, 1)
    assert (found["index"]["emonps"], found["weighted"]["value"]) == (
        50.0,
        pytest.approx(0.9 * 100 - 0.1 * 100),
    )
    assert found["sample"]["served"] is None
    few_served = report(journal, parse_site(tables), NOON + HOUR, 1, 50)
    assert few_served["weighted"]["value"] == pytest.approx(80)
    assert few_served["weighted"]["low"] > found["weighted"]["low"]
    of_many = report(journal, parse_site(tables), NOON + HOUR, 1, 1_000_000)["weighted"]
    assert found["weighted"] == pytest.approx(of_many)
    assert "EmoNPS, each point by its customers served: +80" in "\n".join(lines(found))
    journal.close()
    alone = filled(Journal(tmp_path / "k.db", durable=False), contacts[:39])
    assert report(alone, parse_site(tables), NOON + HOUR, 1)["weighted"] is None
    alone.close()


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (Published(), "EmoNPS: —"),
        (Published("emonps", 26.8, None, 17.9, 35.1), "EmoNPS: +27, from +18 to +35"),
        (
            Published("emonps", 25.0, None, 2.0, 44.0, 49.0, 0.7, True, True),
            "EmoNPS: +25, from +2 to +44, up to +49 where no smile was seen (few data)",
        ),
        (Published("base_nps", None, -65.0, -80.0, -40.0), "BaseNPS: -65, from -80 to -40"),
    ],
)
def test_the_figure_of_the_days_is_told_under_its_own_name(index: Published, expected: str) -> None:
    assert index_line(asdict(index)) == expected


def test_the_last_days_are_business_days(tmp_path: Path) -> None:
    site = parse_site(table())
    today = NOON - 8 * HOUR  # 04:00
    assert first_day(site, NOON, 1).start == today
    assert first_day(site, today - 1, 1).start == today - DAY
    assert first_day(site, NOON, 7).start == today - 6 * DAY


def filled(journal: Journal, contacts: list[Contact]) -> Journal:
    site = parse_site(table())
    journal.open()
    journal.record("fusion", 1, [("put", contact_record(one, site)) for one in contacts])
    return journal


@pytest.mark.parametrize(("critics", "usual", "expected"), [(3, 10, True), (2, 10, False), (3, 9, None)])
def test_an_anomaly_is_the_last_hour_against_the_same_weekday_hour_of_8_weeks(
    tmp_path: Path, critics: int, usual: int, expected: bool | None
) -> None:
    weeks = [replace(TOP, asked=NOON - (1 + n % 8) * 7 * DAY + n * 1000) for n in range(usual)]
    others = [replace(CRITIC, asked=NOON - 3 * DAY + n * 1000) for n in range(20)]
    others += [replace(CRITIC, asked=NOON - 7 * DAY - 2 * HOUR + n * 1000) for n in range(20)]
    now = [replace(CRITIC, asked=NOON + n * 1000) for n in range(critics)]
    now += [replace(CRITIC, asked=NOON + 30_000 - HOUR - 1)]
    journal = filled(Journal(tmp_path / "j.db", durable=False), [*weeks, *others, *now])
    assert anomaly(journal, parse_site(table()), NOON + 30_000) is expected
    journal.close()


def test_reactions_are_told_by_phrase_from_30_on(tmp_path: Path) -> None:
    def reacted(n: int, phrase: str) -> tuple[str, Record]:
        tags = {"site": "shop-1", "point": "till-1", "phrase": phrase}
        fields = {"delta": 50.0, "before": 0.0, "after": 0.5}
        return "put", Record(f"reaction/{phrase}/{n}", "reaction", NOON - n, tags, {**fields})

    journal = filled(Journal(tmp_path / "j.db", durable=False), [])
    counted = [("offer", n) for n in range(30)] + [("price", n) for n in range(29)]
    journal.record("fusion", 1, [reacted(n, phrase) for phrase, n in counted])
    found = report(journal, parse_site(table()), NOON, 1)["reactions"]
    assert (found["offer"]["n"], found["offer"]["delta"]) == (30, 50.0)
    assert (found["price"]["n"], found["price"]["delta"]) == (29, None)
    journal.close()


def test_the_command_prints_json_or_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "site.toml"
    config.write_text(f'site = "s"\nzone = "UTC"\n[points.p]\n[store]\npath = "{tmp_path}"\n')
    journal = Journal(tmp_path / "journal.db")
    journal.open()
    journal.close()
    assert main(["report", "--config", str(config), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["contacts"]["n"] == 0
    assert main(["report", "--config", str(config), "--days", "7"]) == 0
    assert "csat: —" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["report", "--days", "0"])
