"""What a real browser shows: exactly the figures of /api/today, and nothing that a device smuggled in."""

import json
import re
import subprocess
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gateway.bus import Message
from tests.servers import need
from tests.web.shop import NOON, FakeSink, Shop, busy_day, open_shop, serving, table

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
NASTY = '<img src=x onerror="document.title=1">&amp;"\'`${1}'


@dataclass
class Dom(HTMLParser):
    """The elements of a page: texts by data-figure, tags, contact rows."""

    figures: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    text: str = ""
    _open: list[tuple[str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self._open.append((tag, found.get("data-figure")))
        if found.get("data-figure"):
            self.figures[str(found["data-figure"])] = ""
        if tag == "tr":
            self.rows.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text += data
        for tag, name in self._open:
            if name:
                self.figures[name] += data
            if tag == "tr":
                self.rows[-1] += data


def browse(url: str, folder: Path) -> Dom:
    """The page as Chromium shows it after three of its seconds."""
    command = [need("chromium", "chromium"), *FLAGS, f"--user-data-dir={folder / 'profile'}"]
    command += ["--virtual-time-budget=3000", "--dump-dom", url]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    dom = Dom()
    dom.feed(shown.stdout)
    return dom


def visit(shop: Shop, folder: Path, anchor: str = "") -> Dom:
    with serving(shop) as url:
        return browse(url + anchor, folder)


def whole(number: float | None) -> str:
    if number is None:
        return "–"
    digits = str(Decimal(abs(number)).quantize(Decimal(1), ROUND_HALF_UP))
    return f"−{digits}" if number < 0 and digits != "0" else digits


def signed(number: float | None) -> str:
    text = whole(number)
    return f"+{text}" if number is not None and number > 0 and text != "0" else text


def percent(share: float | None) -> str:
    return "–" if share is None else f"{whole(100 * share)} %"


@pytest.mark.parametrize("point", ["all", "till-1", "desk"])
def test_the_browser_shows_the_figures_of_the_api(tmp_path: Path, point: str) -> None:
    with open_shop(tmp_path) as shop:
        busy_day(shop)
        shown = visit(shop, tmp_path, "" if point == "all" else f"#{point}")
        day = json.loads(shop.today().to_json())
    index = day["indices"][point]
    kind = "base_nps" if index["published"] == "base_nps" else "emonps"
    expected = {
        "name": {"base_nps": "BaseNPS", "emonps": "EmoNPS"}[kind],
        kind: signed(index[kind]),
        "low": signed(index["low"]),
        "high": signed(index["high"]),
        "coverage": percent(index["coverage"]),
        "smile_coverage": percent(index["smile_coverage"]),
        "smile_index": "–" if index["smile_index"] is None else f"{whole(index['smile_index'])} %",
        "response_rate": percent(index["response_rate"]),
        "events": str(day["events"]),
        "duplicates": str(day["duplicates"]),
        "gaps": str(day["gaps"]),
        "cue": day["cue"]["say"],
    } | {name: str(index[name]) for name in ("n", "known", "loyal", "passive", "unknown", "critic", "silent")}
    assert {name: shown.figures.get(name) for name in expected} == expected
    assert ("emonps" in shown.figures) != ("base_nps" in shown.figures)
    text = re.sub(r"\s+", " ", shown.text)
    for name, ends in (("response_rate", "response"), ("smile_rate", "rate")):
        low, high = (index[f"{ends}_{end}"] for end in ("low", "high"))
        interval = "" if low is None else f"{percent(index[name])} ({whole(100 * low)} to {percent(high)})"
        assert interval in text
    rows = [row for row in shown.rows if row[:2].isdigit()]
    contacts = [one for one in day["contacts"] if point in ("all", one["point"])]
    assert len(rows) == len(contacts) > 0
    for row, contact in zip(rows, contacts, strict=True):
        assert contact["time"] in row
        assert contact["point"] in row
        assert contact["outcome"] in row
        assert contact["rating"] is None or f"{contact['rating']}, key, 4.0 s" in row
    assert "live" in shown.text


def test_a_broker_that_is_away_is_said_in_plain_words(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        assert "broker" not in visit(shop, tmp_path).figures
        shop.presence.link_up = lambda: False
        shown = visit(shop, tmp_path)
    assert "no press arrives" in shown.figures["broker"]
    assert "emobox doctor" in shown.figures["broker"]


def test_few_data_are_said_to_be_few(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        for place in range(12):
            shop.contact(NOON + place * 100_000, 1, smile=0.9)
        shop.clock.now += 1_200_000
        shop.catch_up()
        shown = visit(shop, tmp_path)
    assert shown.figures["emonps"] == "+100"
    assert "few data" in shown.figures["few_data"]


def test_an_empty_day_shows_dashes_and_how_many_are_missing(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shown = visit(shop, tmp_path)
    assert shown.figures["emonps"] == shown.figures["smile_index"] == shown.figures["response_rate"] == "–"
    assert shown.figures["missing"] == shown.figures["smile_missing"] == "10"
    assert shown.figures["n"] == "0"


def test_with_the_camera_off_base_nps_stands_alone_and_says_why(tmp_path: Path) -> None:
    with open_shop(tmp_path, table(camera={})) as shop:
        busy_day(shop)
        shown = visit(shop, tmp_path)
        why = shop.today().why_off
    assert shown.figures["name"] == "BaseNPS"
    assert "emonps" not in shown.figures
    assert shown.figures["why_off"] == why


def test_the_quarantine_is_shown_with_reasons_in_plain_words(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        for _ in range(3):
            shop.message("emobox/v1/shop-1/nobody/event", b"{}", NOON)
        shop.message("emobox/v1/shop-1/term-1/event", b"\xff", NOON)
        shown = visit(shop, tmp_path)
    assert shown.figures["quarantine-unknown_device"] == "3"
    assert shown.figures["quarantine-not_utf8"] == "1"
    assert "from a device that site.toml does not name" in shown.text
    assert "emobox/v1/shop-1/nobody/event" in shown.text


def test_what_devices_send_is_shown_as_text_only(tmp_path: Path) -> None:
    points = {NASTY.replace("/", ""): table()["points"]["till-1"]}
    with open_shop(tmp_path, table(site=NASTY, points=points)) as shop:
        shop.sinks.append(FakeSink(f"sink-{NASTY}"))
        shop.contact(NOON, 1)
        shop.message(f"emobox/v1/{NASTY}/{NASTY}/event", b"{}", NOON)
        shop.message(NASTY, b"{}", NOON)
        shop.send("mic-1", NOON, "phrase", id=NASTY, score=0.9)
        shop.catch_up()
        shown = visit(shop, tmp_path)
    assert "img" not in shown.tags
    assert shown.text.count(NASTY) >= 4
    assert shown.tags.count("script") == 2  # dom.js and page.js


def test_a_device_whose_clicks_arrive_was_heard_of(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.send("fob-1", NOON, "click", pattern="single")
        shop.catch_up()
        text = visit(shop, tmp_path).text
    assert re.search(r"last heard 2026-09-22 12:00\W+fob-1", text)
    assert re.search(r"not heard of\W+term-1", text)


def test_how_the_camera_is_stands_beside_it(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        status = b'{"v":1,"online":true,"lens":"blind"}'
        shop.presence.receive(Message("emobox/v1/shop-1/cam-1/status", status))
        shown = visit(shop, tmp_path)
    assert "no picture since" in shown.figures["lens-cam-1"]
