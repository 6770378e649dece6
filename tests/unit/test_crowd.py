"""`scope=asked` and `scope=all` are two series (spec 4); scope=all is a separate, gated choice (spec 7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import stream
from gateway.config import Site, parse_site
from gateway.crowd import NAMES, Crowd, watch_until
from gateway.erase import erase
from gateway.events import Arrival
from gateway.indexer import Indexer
from gateway.inspector import Inspector, canonical
from gateway.journal import Journal
from gateway.recorder import Recorder
from tests.unit.test_live_equals_replay import FACE, SITE, HandClock

NOON = 1_760_004_000_000  # Thursday, 2025-10-09 12:00 in Berlin
MINUTE, HOUR = 60_000, 3_600_000
CHOSEN: dict[str, Any] = SITE | {
    "scope_all": {"approved": "2025-09-01 M. Weber"},
    "hours": {"thu": ["09:00-13:00", "13:07-20:00"]},
    "defaults": {},
}


class Crowded:
    """A hub with the choice made: recorder, indices and crowd on one journal."""

    def __init__(self, folder: Path, **tables: Any) -> None:
        self.site: Site = parse_site(CHOSEN | tables)
        self.journal, self.clock, self.seq = Journal(folder / "j.db", durable=False), HandClock(), 0
        self.journal.open()
        self.watched: list[tuple[str, str, int]] = []
        self.restart()

    def restart(self) -> None:
        def tell(point: str, kind: str, for_ms: int) -> bool:
            self.watched.append((point, kind, for_ms))
            return True

        self.recorder = Recorder(self.journal, self.site, self.clock, on_watch=tell)
        self.crowd = Crowd(self.journal, self.site, self.clock)
        self.indexer = Indexer(self.journal, self.site, self.clock)
        for one in (self.recorder, self.crowd, self.indexer):
            one.resume()

    def happen(self, t: int, device: str, kind: str, **fields: Any) -> None:
        self.seq += 1
        event = {"v": 1, "boot": 1, "seq": self.seq, "age": 0, "kind": kind, **fields}
        payload = canonical(event).encode()
        found = Inspector(self.site).inspect(t, f"emobox/v1/s/{device}/event", payload)
        assert isinstance(found, Arrival)
        self.journal.append([found])

    def visitor(self, t: int, track: int, smile: float = 0.9, count: int = 6, camera: str = "cam") -> None:
        """Seen for half a second a reading."""
        for n in range(count):
            self.happen(t + 500 * n, camera, "face", **{**FACE, "track": track, "smile": smile})

    def at(self, t: int) -> None:
        self.clock.now = t
        while self.recorder.step():
            pass
        while self.crowd.step():
            pass
        self.indexer.step()

    def smiles(self) -> list[tuple[int, str, Any, Any, Any]]:
        return [
            (r.time_ms - NOON, r.tags["scope"], r.fields["smile"], r.fields["faces"], r.fields["valid_s"])
            for r in self.journal.records("smile")
        ]

    def figures(self) -> dict[tuple[str, str, str], Any]:
        found = self.journal.records("index")
        return {(r.tags["point"], r.tags["name"], r.tags["period"]): r.fields for r in found}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Crowded]:
    shop = Crowded(tmp_path)
    yield shop
    shop.journal.close()


def test_everybody_in_opening_hours_is_in_10_s_means_once_they_are_over(shop: Crowded) -> None:
    shop.visitor(NOON - 3 * HOUR - 500, 3, count=2)  # from half a second before opening on
    shop.visitor(NOON, 1, smile=0.8, count=2)
    shop.visitor(NOON + 9_000, 2, smile=0.2, count=3)
    shop.at(NOON + 11_999)
    opening = (-3 * HOUR, "all", 0.9, 1, 0.5)
    assert shop.smiles() == [opening]
    shop.at(NOON + 12_000)
    assert shop.smiles() == [opening, (0, "all", pytest.approx(0.5), 2, 2.0)]
    shop.restart()
    shop.at(NOON + 22_000)
    assert shop.smiles()[2:] == [(10_000, "all", 0.2, 1, 0.5)]


def test_a_track_is_a_contact_of_a_series_that_is_never_mixed_with_who_was_asked(shop: Crowded) -> None:
    for n in range(10):
        shop.visitor(NOON + n * MINUTE, n, smile=0.9 if n < 5 else 0.1)
    shop.visitor(NOON + 20 * MINUTE, 99, count=3)  # too short to be known
    shop.happen(NOON + 30 * MINUTE, "fob", "click", pattern="single")
    shop.visitor(NOON + 30 * MINUTE, 100)
    shop.at(NOON + HOUR + 119_999)
    assert {(p, name) for p, name, period in shop.figures() if name in NAMES} == set()
    shop.at(NOON + HOUR + 120_000)
    figure = shop.figures()["till", "smile_index_all", "hour"]
    assert (figure["value"], figure["n"], figure["coverage"]) == (pytest.approx(100 * 6 / 11), 11, 11 / 12)
    assert shop.figures()["all", "smile_rate_all", "hour"]["value"] == pytest.approx(6 / 11)
    assert ("till", "smile_index", "hour") not in shop.figures()
    assert {scope for _, scope, *_ in shop.smiles()} == {"asked", "all"}
    asked = [one for one in shop.smiles() if one[1] == "asked"]
    shop.restart()
    shop.happen(NOON + 30 * MINUTE + 3_000, "term", "press", key=1)
    shop.at(NOON + HOUR + 130_000)
    assert next(one for one in shop.smiles() if one[1] == "asked")[0] == asked[0][0]
    assert {(p, name) for p, name, _ in shop.figures() if name in NAMES} == {
        (point, name) for point in ("till", "all") for name in NAMES
    }
    shop.at(NOON + 24 * HOUR)
    assert shop.figures()["till", "smile_index_all", "day"]["n"] == 11


def test_under_10_known_tracks_there_is_no_figure(shop: Crowded) -> None:
    for n in range(9):
        shop.visitor(NOON + n * MINUTE, n)
    shop.at(NOON + 24 * HOUR)
    assert not [name for _, name, _ in shop.figures() if name in NAMES]


def test_a_point_with_few_tracks_is_not_to_be_had_from_the_total(tmp_path: Path) -> None:
    points = SITE["points"] | {"desk": {"devices": {"cam-2": {"kind": "camera"}}}}
    shop = Crowded(tmp_path, points=points)
    for n in range(12):
        shop.visitor(NOON + n * MINUTE, n)
    shop.visitor(NOON, 1, camera="cam-2")
    shop.at(NOON + 24 * HOUR)
    assert {point for point, name, _ in shop.figures() if name in NAMES} == {"all"}
    shop.journal.close()


def test_what_is_erased_is_taken_out_of_means_and_figures(shop: Crowded) -> None:
    for n in range(11):
        shop.visitor(NOON + n * MINUTE, n)
    shop.at(NOON + 72 * HOUR)
    shop.restart()
    assert shop.figures()["till", "smile_index_all", "hour"]["n"] == 11
    erase(shop.journal, shop.site, "till", NOON, NOON + 30_000, shop.clock.now)
    shop.at(NOON + 72 * HOUR + 1)
    assert min(t for t, *_ in shop.smiles()) == MINUTE
    assert shop.figures()["till", "smile_index_all", "hour"]["n"] == 10


def test_all_that_was_erased_while_the_hub_stood_still_is_taken_out_of_its_hour(shop: Crowded) -> None:
    for n in range(22):
        shop.visitor(NOON + n % 2 * 3 * HOUR + 2 * n * MINUTE, n)
    shop.at(NOON + 72 * HOUR)
    for t in (NOON, NOON + 3 * HOUR + 2 * MINUTE):
        erase(shop.journal, shop.site, "till", t, t + 30_000, shop.clock.now)
    shop.restart()
    shop.at(NOON + 72 * HOUR + 1)
    hours = [r for r in shop.journal.records("index") if r.tags["period"] == "hour"]
    mine = [r for r in hours if (r.tags["point"], r.tags["name"]) == ("till", "smile_index_all")]
    assert [(r.time_ms - NOON, r.fields["n"]) for r in mine] == [(0, 10), (3 * HOUR, 10)]


def test_without_the_choice_nobody_but_the_asked_is_looked_at(tmp_path: Path) -> None:
    plain = {name: value for name, value in CHOSEN.items() if name != "scope_all"}
    assert watch_until(parse_site(plain), NOON) == 0
    assert watch_until(parse_site(CHOSEN), NOON) > NOON


@pytest.mark.parametrize(
    ("after", "until"),
    [
        (-3 * HOUR - 1, None),
        (-3 * HOUR, -3 * HOUR + 10 * MINUTE),
        (-3 * HOUR + 5 * MINUTE - 1, -3 * HOUR + 10 * MINUTE),
        (-3 * HOUR + 5 * MINUTE, -3 * HOUR + 15 * MINUTE),
        (55 * MINUTE - 1, HOUR),
        (55 * MINUTE, HOUR),
        (HOUR - 1, HOUR),
        (HOUR, None),
        (HOUR + 7 * MINUTE, HOUR + 15 * MINUTE),
    ],
)
def test_the_camera_stays_on_in_opening_hours_and_a_lost_word_leaves_it_on_for_10_min_at_most(
    after: int, until: int | None
) -> None:
    found = watch_until(parse_site(CHOSEN), NOON + after)
    assert found == (0 if until is None else NOON + until)
    assert found - NOON - after <= 10 * MINUTE


def test_the_cameras_are_told_every_5_minutes_and_no_longer_after_closing(shop: Crowded) -> None:
    for t in (NOON, NOON + 1_000, NOON + 5 * MINUTE, NOON + 59 * MINUTE, NOON + HOUR, NOON + HOUR + MINUTE):
        shop.at(t)
    cameras = [for_ms for _, kind, for_ms in shop.watched if kind == "camera"]
    assert cameras == [10 * MINUTE, 10 * MINUTE, MINUTE]


def test_faces_of_nobody_who_was_asked_do_not_pile_up(shop: Crowded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "TIDY_LEAST", 0)
    shop.happen(NOON, "fob", "click", pattern="single")
    sizes = []
    for n in range(40):
        shop.visitor(NOON + n * MINUTE, n)
        shop.at(NOON + n * MINUTE + 30_000)
        sizes.append(shop.recorder._streams["till"].size)
    assert max(sizes[20:]) < 80
    shop.happen(NOON + 40 * MINUTE, "fob", "click", pattern="single")
    shop.visitor(NOON + 40 * MINUTE, 200)
    shop.at(NOON + HOUR)
    assert [r.fields["positive"] for r in shop.journal.records("contact")] == [True, True]


def test_the_means_of_everybody_stay_whoever_is_asked_and_forgotten(
    shop: Crowded, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.happen(NOON, "fob", "click", pattern="single")
    shop.happen(NOON + 20_000, "fob", "click", pattern="single")
    shop.visitor(NOON + 40_000, 1)
    shop.at(NOON + 2 * MINUTE)
    everybody = [one for one in shop.smiles() if one[1] == "all"]
    shop.restart()
    monkeypatch.setattr(stream, "TIDY_LEAST", 0)
    for minute in (10, 11):
        shop.happen(NOON + minute * MINUTE, "fob", "click", pattern="double")
        shop.at(NOON + minute * MINUTE)
    assert [one for one in shop.smiles() if one[1] == "all"] == everybody != []
