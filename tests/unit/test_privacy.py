"""Every privacy profile of spec 7: what the camera may see, in the profile and in the figures of a replay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.config import SiteError, load_site, parse_site
from gateway.export import export_log
from gateway.privacy import profile, why_no_clips, why_no_scope_all, why_no_staff_emotion
from gateway.replay import replay
from gateway.sinks import line as protocol
from tests.web.shop import NOON, open_shop
from tests.web.shop import table as shop_table

START = 1_760_000_000_000
FACE = {"track": 1, "smile": 0.9, "px": 120, "yaw": 0, "ok": True}
POINTS = {
    "p": {"devices": {"t": {"kind": "terminal", "keys": 3}, "f": {"kind": "keyfob"}, "c": {"kind": "camera"}}}
}
FULL, POST, OFF = (True, False), (True, True), (False, True)
PROFILES = [
    ("eu", False, POST),
    ("uk", False, POST),
    ("ch", False, POST),
    ("us-il", False, OFF),
    ("us-il", True, POST),
    ("us-nyc", False, FULL),
    ("us", False, FULL),
    ("ru", False, FULL),
    ("other", False, FULL),
    ("mars", True, OFF),
    ("EU", True, OFF),
    (None, True, OFF),
]


def table(region: str | None, releases: bool, sign: str | None = "2025-09-01 M. Weber") -> dict[str, Any]:
    camera = {"sign_posted": sign} if sign is not None else {}
    camera |= {"releases": "file 12"} if releases else {}
    site = {"site": "s", "zone": "UTC", "camera": camera, "points": POINTS}
    return site if region is None else site | {"region": region}


@pytest.mark.parametrize(("region", "releases", "expected"), PROFILES)
def test_the_profile_of_a_region(region: str | None, releases: bool, expected: tuple[bool, bool]) -> None:
    found = profile(parse_site(table(region, releases)))
    assert (found.camera_on, found.post_press_only) == expected
    assert bool(found.why_off) != found.camera_on


@pytest.mark.parametrize("region", ["eu", "uk", "ch", "us-il", "us-nyc", "us", "ru", "other"])
@pytest.mark.parametrize("sign", [None, "", "  "])
def test_no_profile_has_a_camera_before_the_sign_is_confirmed(region: str, sign: str | None) -> None:
    found = profile(parse_site(table(region, True, sign)))
    assert not found.camera_on
    assert "sign_posted" in found.why_off
    without = {key: value for key, value in table(region, True).items() if key != "camera"}
    assert not profile(parse_site(without)).camera_on


def line(device: str, t: int, seq: int, kind: str, **fields: Any) -> str:
    payload = {"v": 1, "boot": 1, "seq": seq, "age": 0, "kind": kind, **fields}
    return json.dumps({"received": START + t, "topic": f"emobox/v1/s/{device}/event", "payload": payload})


def day(folder: Path, region: str | None, releases: bool) -> dict[str, Any]:
    """One customer, seen from the ask at 0 to 9 s, who presses `top` at 3 s; and one who is silent."""
    lines = [line("f", 0, 1, "click", pattern="single"), line("t", 3000, 1, "press", key=1)]
    lines += [line("c", 500 * n, n + 1, "face", **FACE) for n in range(19)]
    lines += [line("f", 100_000, 2, "click", pattern="single")]
    lines += [line("c", 100_000 + 500 * n, n + 20, "face", **FACE) for n in range(10)]
    camera = '[camera]\nsign_posted = "x"\n' + 'releases = "file 12"\n' * releases
    head = 'site = "s"\nzone = "UTC"\n' + (f'region = "{region}"\n' if region else "")
    devices = 't = { kind = "terminal", keys = 3 }\nf = { kind = "keyfob" }\nc = { kind = "camera" }\n'
    (folder / "site.toml").write_text(head + camera + "[points.p.devices]\n" + devices)
    (folder / "log.jsonl").write_text("\n".join(lines))
    return replay(folder / "log.jsonl", load_site(folder / "site.toml"))


@pytest.mark.parametrize(("region", "releases", "expected"), PROFILES)
def test_a_replay_uses_the_faces_that_the_profile_allows(
    region: str | None, releases: bool, expected: tuple[bool, bool], tmp_path: Path
) -> None:
    report = day(tmp_path, region, releases)
    seen = [(contact["outcome"], contact["valid_s"]) for contact in report["contacts"]]
    full, post, off = (6.0, 5.0), (5.0, 0.0), (0.0, 0.0)  # W = 0 … 6 s; 3 … 8 s and no silent; none
    rated, silent = {FULL: full, POST: post, OFF: off}[expected]
    assert seen == [("loyal" if rated else "unknown", rated), ("silent", silent)]
    assert report["quarantined"] == []


def test_a_rating_without_a_camera_is_always_possible(tmp_path: Path) -> None:
    report = day(tmp_path, None, releases=False)
    assert (report["contacts"][0]["rating"], report["presses"]["asked"]) == ("top", 1)


REGIONS = ["eu", "uk", "ch", "us-il", "us-nyc", "us", "ru", "other"]
ALL_PARTY = ["eu", "ch", "us-il"]
NO_STAFF = ["eu", "uk", "ch", "us-il"]


@pytest.mark.parametrize("region", [*REGIONS, "mars", ""])
def test_voice_clips_are_off_and_eu_and_ch_need_all_party_consent_recorded(region: str) -> None:
    assert why_no_clips(region)
    assert why_no_clips(region, consent="2025-09-01 M. Weber")
    without = not why_no_clips(region, switched_on=True, consent="  ")
    assert without == (region in REGIONS and region not in ALL_PARTY)
    allowed = not why_no_clips(region, switched_on=True, consent="2025-09-01 M. Weber")
    assert allowed == (region in REGIONS)
    assert bool(why_no_clips(region, switched_on=True, consent="x")) == (region not in REGIONS)


@pytest.mark.parametrize("region", [*REGIONS, "mars", ""])
def test_staff_emotion_cannot_be_switched_on_in_eu_uk_ch_us_il_elsewhere_consent_is_recorded(
    region: str,
) -> None:
    forbidden = region in NO_STAFF or region not in REGIONS
    assert bool(why_no_staff_emotion(region, "2025-09-01 A. Ivanova")) == forbidden
    assert why_no_staff_emotion(region, " ")
    consented = {"staff_camera": {"anna": {"consent": "2025-09-01 A. Ivanova"}}}
    with pytest.raises(SiteError, match=r"staff_camera\.anna: .*") as refused:
        parse_site(table(region, False) | consented)
    assert ("not built yet" in str(refused.value)) != forbidden


@pytest.mark.parametrize(("region", "releases", "expected"), PROFILES)
def test_scope_all_is_a_separate_gated_choice(
    region: str | None, releases: bool, expected: tuple[bool, bool]
) -> None:
    assert why_no_scope_all(parse_site(table(region, releases)))
    for approved in ({}, {"approved": "  "}):
        with pytest.raises(SiteError, match="scope_all: "):
            parse_site(table(region, releases) | {"scope_all": approved})
    chosen = table(region, releases) | {"scope_all": {"approved": "2025-09-01 M. Weber"}}
    if expected == FULL:
        assert why_no_scope_all(parse_site(chosen)) == ""
        with pytest.raises(SiteError, match="scope_all: nobody has confirmed the sign"):
            parse_site(chosen | {"camera": {}})
    else:
        with pytest.raises(SiteError, match="scope_all: "):
            parse_site(chosen)


MARK = "xq-marker"
FURTHER = {
    "embedding": [0.25, MARK],
    "template": MARK,
    "person": MARK,
    "age_years": MARK,
    "gender": MARK,
    "ethnicity": {"group": MARK},
    "emotion": {MARK: 0.5},
}


def test_what_a_device_sends_beyond_the_fields_of_spec_2_stays_in_the_log_of_what_was_sent(
    tmp_path: Path,
) -> None:
    """No embeddings, templates, re-identification, age, gender, ethnicity: no such field exists."""
    with open_shop(tmp_path, {**shop_table(), "staff": {"anna": {"keyfob": "fob-1"}}}) as shop:
        shop.send("fob-1", NOON, "click", pattern="single", **FURTHER)
        for ms in range(0, 7000, 200):
            shop.send("cam-1", NOON + ms, "face", **{**FACE, **FURTHER})
        shop.send("term-1", NOON + 4000, "press", key=1, **FURTHER)
        shop.send("term-1", NOON + 5000, "health", battery_mv=3000, **FURTHER)
        shop.catch_up()
        records = [one for name in protocol.TAGS for one in shop.journal.records(name)]
        assert {one.measurement for one in records} >= {"contact", "press", "device", "smile"}
        events = list(shop.journal.events_between(shop.site.devices, 0, 2**62))
        shown = [*map(repr, events), shop.today().to_json()]
        shown += [one.to_json() for one in records] + [protocol.line(one) for one in records]
        fields = {name for one in records for name in (*one.tags, *one.fields)}
        export_log(shop.journal, shop.site, tmp_path / "log.jsonl", NOON)
        log = (tmp_path / "log.jsonl").read_text()
        report = json.dumps(replay(tmp_path / "log.jsonl", shop.site))
    assert not [text for text in (*shown, report) if MARK in text]
    assert not fields & set(FURTHER)
    assert log.count(MARK) == len(FURTHER) * len(events)


def test_nothing_that_is_shown_breaks_figures_down_by_staff(tmp_path: Path) -> None:
    """k-anonymity: no breakdown below 5 people, so none at all; staff see only their own ratings."""
    staff = {"anna": {"keyfob": "fob-1", "consent": "2025-09-01 A. Ivanova"}}
    with open_shop(tmp_path, {**shop_table(), "staff": staff}) as shop:
        shop.send("fob-1", NOON - 1000, "click", pattern="long")
        shop.contact(NOON, 1)
        shop.catch_up()
        (contact,) = shop.journal.records("contact")
        assert contact.tags["staff"] == "anna"
        assert "anna" not in shop.today().to_json()
    room = Path(__file__).parents[2] / "dashboards"
    pages = [*room.glob("*.py"), *(room / "generated").glob("*.json")]
    assert len(pages) > 2
    assert not [page.name for page in pages if "staff" in page.read_text()]
