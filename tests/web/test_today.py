"""Today says what the replay of the same messages says."""

import json
from pathlib import Path

import pytest

from gateway.measurements import status_record
from gateway.replay import replay
from tests.web.shop import NOON, FakeSink, Shop, busy_day, open_shop, table

DAY_MS = 24 * 3_600_000


def replayed(shop: Shop, folder: Path) -> dict:
    """What `emobox replay` says about everything that was sent to the shop."""
    log = folder / "log.jsonl"
    log.write_text("\n".join(shop.log))
    return replay(log, shop.site)


@pytest.mark.parametrize("smile", [0.9, 0.1, None])
def test_today_and_replay_say_the_same(tmp_path: Path, smile: float | None) -> None:
    with open_shop(tmp_path) as shop:
        busy_day(shop, smile=smile)
        shop.message("emobox/v1/shop-1/nobody/event", b"{}", NOON)
        told, truth = json.loads(shop.today().to_json()), replayed(shop, tmp_path)
    assert truth["indices"]["all"]["n"] == 40
    for point, index in truth["indices"].items():
        assert {name: told["indices"][point][name] for name in index} == index
    assert told["presses"] == truth["presses"]
    assert told["duplicates"] == truth["duplicates"]
    assert told["gaps"] == truth["gaps"]
    assert sum(one["count"] for one in told["quarantine"]["counts"]) == len(truth["quarantined"]) == 1
    names = ("point", "asked", "outcome", "rating", "via", "answer_s", "smile_share", "positive", "score")
    shown = [{name: contact[name] for name in names} for contact in told["contacts"]]
    assert shown == [{name: contact[name] for name in names} for contact in truth["contacts"][::-1]]


def test_without_the_sign_it_is_base_nps_under_its_own_name(tmp_path: Path) -> None:
    with open_shop(tmp_path, table(camera={})) as shop:
        busy_day(shop)
        day = shop.today()
    index = day.indices["all"].nps
    assert not day.camera_on
    assert "sign" in day.why_off
    assert index.published == "base_nps"
    assert index.emonps is None
    assert index.base_nps is not None


def test_yesterday_is_over_at_the_start_of_the_business_day(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.contact(NOON - 16 * 3_600_000, 1)  # 20:00 the day before
        shop.contact(NOON + 15 * 3_600_000, 2)  # 03:00 of the next night: still this business day
        shop.clock.now = NOON + 15 * 3_600_000
        shop.catch_up()
        today = shop.today()
        shop.clock.now += 3_600_000
        tomorrow = shop.today()
    assert [row.rating for row in today.contacts] == ["middle"]
    assert today.presses["asked"] == 1
    assert tomorrow.contacts == ()
    assert tomorrow.cue is None
    assert tomorrow.date > today.date


def test_says_how_many_are_missing_until_something_may_be_published(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        for place in range(7):
            shop.contact(NOON + place * 100_000, 1)
        shop.clock.now += 1_000_000
        shop.catch_up()
        index = json.loads(shop.today().to_json())["indices"]["all"]
    assert (index["published"], index["emonps"], index["missing"]) == ("none", None, 3)
    assert (index["smile_index"], index["smile_missing"], index["n"]) == (None, 10, 7)


@pytest.mark.parametrize(
    ("key", "rating", "say"),
    [
        (1, "top", "come again"),
        (2, "middle", "improve"),
        (3, "low", "Apologise"),
        (None, "silent", "ask why"),
    ],
)
def test_gives_the_cue_of_the_service_standard(
    tmp_path: Path, key: int | None, rating: str, say: str
) -> None:
    with open_shop(tmp_path) as shop:
        shop.contact(NOON, key)
        shop.catch_up()
        cue = shop.today().cue
    assert cue is not None
    assert cue.rating == rating
    assert say in cue.say


def test_a_press_that_nobody_asked_for_has_a_cue_too(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.send("term-1", NOON, "press", key=3)
        shop.catch_up()
        day = shop.today()
    assert day.contacts == ()
    assert day.cue is not None
    assert day.cue.rating == "low"


def test_shows_which_contacts_a_sink_still_lacks(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.sinks.append(FakeSink())
        shop.contact(NOON, 1)
        shop.catch_up()
        shop.journal.set_cursor("influx", shop.journal.last_change())
        shop.contact(NOON + 300_000, 1)
        shop.clock.now += 300_000
        shop.catch_up()
        day = shop.today()
    assert [row.stored["influx"] for row in day.contacts] == [False, True]
    assert day.sinks[0].behind == 2  # a contact and its press


def test_devices_show_health_presence_and_gaps(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.presence.online["term-1"] = False
        shop.send("term-1", NOON, "health", battery_mv=3700)
        shop._seq["term-1"] += 3
        shop.send("term-1", NOON + 1000, "health", battery_mv=3600)
        shop.catch_up()
        went = status_record(NOON + 2000, "term-1", False, shop.site)
        shop.journal.record("presence", 0, [("put", went)])
        devices = {device.name: device for device in shop.today().devices}
    assert devices["term-1"].online is False
    assert devices["fob-1"].online is None
    assert devices["term-1"].health["battery_mv"] == 3600
    assert devices["term-1"].gaps == 3


def test_what_a_device_said_before_the_link_came_anew_is_forgotten(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.presence.online["term-1"] = True
        shop.presence.forget()
        assert {device.online for device in shop.today().devices} == {None}


def test_without_the_broker_no_device_counts_as_online(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.presence.online["term-1"] = True
        assert json.loads(shop.today().to_json())["connected"] is True
        shop.presence.link_up = lambda: False
        day = json.loads(shop.today().to_json())
    assert day["connected"] is False
    assert {device["online"] for device in day["devices"]} == {None}


def test_the_quarantine_never_shows_what_was_in_a_message(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.message("emobox/v1/shop-1/term-1/event", b'{"token": "s3cret"', NOON)
        text = shop.today().to_json()
    assert "bad_json" in text
    assert "s3cret" not in text
