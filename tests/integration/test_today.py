"""The dashboard Today on a real database: every query of the generated JSON, the number of every tile."""

import json
import random
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count, cycle
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboards import GENERATED, Shop, today
from gateway.fusion import Contact
from gateway.fusion.emotion import Emotion
from gateway.indices import nps, smile
from gateway.records import Record
from gateway.sinks import Done
from gateway.sinks.influx import open_influx
from tests.integration.influx import Access, put, retract, rows
from tests.integration.panels import View, lines, newest, shown
from tests.servers import Server, start_influxd

NUMBER = count(1)
BERLIN = ZoneInfo("Europe/Berlin")
NOON_MS = int(datetime(2026, 10, 1, 12, tzinfo=BERLIN).timestamp() * 1000)
DAY = View(NOON_MS - 12 * 3_600_000, NOON_MS + 12 * 3_600_000)
SCORES = {"loyal": 1.0, "passive": 0.0, "unknown": 0.0, "critic": -1.0}
LOW, HIGH = "at least (95 %)", "at most (95 %)"

Outcome = tuple[str, int]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_influxd(tmp_path_factory.mktemp("influx")) as running:
        yield running


@pytest.fixture
def influx(server: Server) -> Access:
    """A database of this test's own."""
    return Access(server.url, database=f"today {next(NUMBER)}")


@pytest.fixture(scope="module")
def panels() -> dict[str, dict[str, Any]]:
    """The panels of the golden file by their short name."""
    dashboard = json.loads((GENERATED / "today.json").read_text())
    names = ["index", "smile", "asked", "age", "days", "outcomes"]
    return dict(zip(names, sorted(dashboard["panels"], key=lambda panel: panel["id"]), strict=True))


def contact(
    outcome: str, asked_ms: int, *, k: float = 0.5, share: float | None = None, point: str = "p"
) -> Contact:
    """A contact that counts, unless its outcome says otherwise."""
    score = None if outcome in ("cancelled", "closed") else SCORES.get(outcome, -k)
    emotion = Emotion(0 if share is None else 3000, share, None if share is None else share > 0.5, False)
    return Contact(point, asked_ms, "keyfob", outcome, None, "none", None, emotion, score, k, ())


def group(*outcomes: Outcome, k: float = 0.5, start_ms: int = NOON_MS, point: str = "p") -> list[Contact]:
    """Contacts one second apart."""
    names = [name for name, many in outcomes for _ in range(many)]
    return [contact(name, start_ms + at * 1000, k=k, point=point) for at, name in enumerate(names)]


def row(contact: Contact, site: str = "s") -> Record:
    """The record of a contact, as spec 5 has it."""
    tags = {"site": site, "point": contact.point, "outcome": contact.outcome, "via": contact.via}
    flags = {name: int(contact.outcome == name) for name in (*SCORES, "silent")}
    fields = {"score": contact.score, "k": contact.k, "smile_share": contact.emotion.smile_share, "id": "x"}
    name = f"contact/{site}/{contact.point}/{contact.asked}"
    return Record(name, "contact", contact.asked, tags, fields | flags)


def seed(access: Access, contacts: Iterable[Contact], site: str = "s") -> None:
    """Stores contacts through the real sink."""
    changes = [put(at, row(contact, site)) for at, contact in enumerate(contacts, 1)]
    assert open_influx(access).write(changes) == Done(len(changes))


E1 = [("loyal", 150), ("passive", 60), ("critic", 40), ("silent", 56)]


def test_worked_example_e1_is_what_the_tile_shows(influx: Access, panels: Any) -> None:
    seed(influx, group(*E1))
    tile = shown(influx, panels["index"], DAY)
    assert {name: round(value, 1) for name, value in tile.items()} == {
        "🙂 EmoNPS": 26.8,
        LOW: 17.9,
        HIGH: 35.1,
    }


@pytest.mark.parametrize(("k", "value", "low", "high"), [(0.2, 32.3, 23.9, 40.1), (1.0, 17.6, 7.7, 27.3)])
def test_worked_example_e2_follows_k(
    influx: Access, panels: Any, k: float, value: float, low: float, high: float
) -> None:
    seed(influx, group(*E1, k=k))
    tile = shown(influx, panels["index"], DAY)
    assert [round(each, 1) for each in tile.values()] == [value, low, high]


def test_an_empty_day_shows_no_number_anywhere(influx: Access, panels: Any) -> None:
    seed(influx, group(("loyal", 20), start_ms=NOON_MS - 7 * 86_400_000))
    for name in ("index", "smile", "asked", "outcomes"):
        assert shown(influx, panels[name], DAY) == {}
        assert panels[name]["fieldConfig"]["defaults"]["noValue"] == "–"


def test_only_silent_customers_give_minus_k(influx: Access, panels: Any) -> None:
    seed(influx, group(("silent", 20)))
    tile = shown(influx, panels["index"], DAY)
    assert tile["🙂 EmoNPS"] == -50
    assert tile["⚠ few data, customers asked"] == 20


def test_base_nps_stands_under_its_own_name_where_too_few_faces_were_seen(
    influx: Access, panels: Any
) -> None:
    seed(influx, group(("unknown", 80), ("critic", 10), ("silent", 10)))
    tile = shown(influx, panels["index"], DAY)
    assert tile["BaseNPS (ratings alone)"] == 65
    assert [name for name in tile if "EmoNPS" in name] == []


def test_a_shop_without_camera_sees_base_nps_alone(influx: Access) -> None:
    seed(influx, group(("silent", 20)))
    found = today(Shop(camera=False))["panels"]
    assert shown(influx, found[0], DAY)["BaseNPS (ratings alone)"] == -50
    queries = [target["query"] for panel in (found[0], found[4]) for target in panel["targets"]]
    assert [query for query in queries if "EmoNPS" in query] == []


def test_worked_example_e6_is_flagged_with_its_upper_bound_and_coverage(influx: Access, panels: Any) -> None:
    seed(influx, group(("loyal", 40), ("passive", 16), ("unknown", 24), ("critic", 10), ("silent", 10)))
    tile = shown(influx, panels["index"], DAY)
    assert (tile["🙂 EmoNPS"], tile["⚠ up to, if all unseen smiled"]) == (25, 49)
    assert shown(influx, panels["asked"], DAY)["emotion seen at top ratings"] == 0.7


def test_under_ten_contacts_no_index_is_shown_and_the_counts_stay(influx: Access, panels: Any) -> None:
    seed(influx, group(("loyal", 5), ("silent", 4)))
    assert shown(influx, panels["index"], DAY) == {}
    assert shown(influx, panels["asked"], DAY) == {"👋 asked": 9, "answered": 5, "🤐 silent": 4}


def test_the_interval_contains_its_value_at_the_ends_of_the_scale(influx: Access, panels: Any) -> None:
    seed(influx, group(("loyal", 25)))
    tile = shown(influx, panels["index"], DAY)
    assert (tile["🙂 EmoNPS"], round(tile[LOW]), tile[HIGH]) == (100, 75, 100)


# loyal, passive, unknown, critic, silent: every edge of coverage (0.5, 0.8), of N (10, 29) and of the scale
MIXES = [
    *((10, 0, 0, 0, 0), (0, 0, 0, 10, 0), (0, 30, 0, 0, 0), (0, 0, 0, 0, 10), (500, 1, 1, 1, 1)),
    *((4, 0, 1, 5, 0), (4, 0, 4, 2, 0), (4, 0, 5, 2, 0), (0, 0, 9, 1, 0), (8, 0, 2, 0, 0), (3, 2, 1, 2, 1)),
    *((7, 0, 3, 0, 19), (7, 0, 3, 0, 20), (12, 3, 15, 4, 30), (1, 1, 3, 1, 200)),
]


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("k", [0.2, 0.5, 1.0])
def test_the_tile_equals_the_gateways_own_figures(
    influx: Access, panels: Any, mix: tuple[int, ...], k: float
) -> None:
    contacts = group(*zip((*SCORES, "silent"), mix, strict=True), k=k)
    seed(influx, contacts)
    truth = nps.publish(nps.count(contacts), camera_on=True)
    expected = {
        "🙂 EmoNPS": truth.emonps,
        "BaseNPS (ratings alone)": truth.base_nps,
        LOW: truth.low,
        HIGH: truth.high,
        "⚠ up to, if all unseen smiled": truth.upper if truth.flagged else None,
        "⚠ few data, customers asked": len(contacts) if truth.few_data else None,
    }
    kept = {name: pytest.approx(value, abs=1e-9) for name, value in expected.items() if value is not None}
    assert shown(influx, panels["index"], DAY) == kept


def test_cancelled_and_closed_contacts_are_in_no_tile(influx: Access, panels: Any) -> None:
    closed = [contact("closed", NOON_MS - 60_000 + at, share=1.0) for at in range(30)]
    seen = [contact("loyal", NOON_MS - 90_000 + at, share=0.75) for at in range(12)]
    seed(influx, [*seen, *closed, *group(("cancelled", 30))])
    assert shown(influx, panels["smile"], DAY) == {
        "😀 Smile-Index": 75,
        LOW: 75,
        HIGH: 75,
        "customers seen": 1,
    }
    assert shown(influx, panels["asked"], DAY)["👋 asked"] == 12
    assert sum(shown(influx, panels["outcomes"], DAY).values()) == 12


def test_the_bars_count_each_outcome(influx: Access, panels: Any) -> None:
    seed(influx, group(("loyal", 5), ("passive", 4), ("unknown", 3), ("critic", 2), ("silent", 1)))
    assert list(shown(influx, panels["outcomes"], DAY).values()) == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("known", [9, 10, 11, 40, 300])
def test_the_smile_index_its_t_interval_and_its_coverage_are_exact(
    influx: Access, panels: Any, known: int
) -> None:
    dice = random.Random(known)
    outcomes = cycle((*SCORES, "silent"))
    contacts = [contact(next(outcomes), NOON_MS + at, share=dice.random()) for at in range(known)]
    contacts += group(("unknown", 30), start_ms=NOON_MS + 60_000)
    seed(influx, contacts)
    truth, tile = smile.smiles(contacts), shown(influx, panels["smile"], DAY)
    if known < 10:
        assert tile == {}
        return
    assert tile["😀 Smile-Index"] == pytest.approx(truth.smile_index, abs=1e-9)
    assert (tile[LOW], tile[HIGH]) == pytest.approx((truth.smile_low, truth.smile_high), abs=0.005)
    assert tile["customers seen"] == pytest.approx(known / (known + 30))


def test_the_smile_interval_stays_on_its_scale(influx: Access, panels: Any) -> None:
    seed(influx, [contact("loyal", NOON_MS + at, share=float(at == 0)) for at in range(12)])
    assert shown(influx, panels["smile"], DAY)[LOW] == 0


def test_variables_list_the_shops_and_points_and_choose_among_them(influx: Access, panels: Any) -> None:
    seed(influx, group(("loyal", 10), point="till-1") + group(("critic", 11), point="till-2"), site="shop-1")
    seed(influx, group(("silent", 12), point="till-1"), site="shop-2")
    variables = {
        each["name"]: each
        for each in json.loads((GENERATED / "today.json").read_text())["templating"]["list"]
    }
    everything = View(0, 0)
    assert rows(influx, everything.fill(variables["site"]["query"])) == [("shop-1",), ("shop-2",)]
    assert rows(influx, everything.fill(variables["point"]["query"])) == [("till-1",), ("till-2",)]
    only = View(DAY.start_ms, DAY.end_ms, site="shop-2")
    assert rows(influx, only.fill(variables["point"]["query"])) == [("till-1",)]
    choices = {
        (".*", ".*"): 33,
        ("shop-1", ".*"): 21,
        ("shop-1", "till-2"): 11,
        ("(shop-1|shop-2)", "till-1"): 22,
    }
    for (site, point), expected in choices.items():
        view = View(DAY.start_ms, DAY.end_ms, site, point)
        assert shown(influx, panels["asked"], view)["👋 asked"] == expected


def test_the_age_tile_shows_the_newest_contact_and_sign_of_life_of_any_day(
    influx: Access, panels: Any
) -> None:
    now_ms = time.time_ns() // 1_000_000
    seed(
        influx, [contact("loyal", now_ms - 3 * 86_400_000), contact("silent", now_ms - 7_200_000, point="q")]
    )
    beat = Record(
        "d", "device", now_ms - 60_000, {"site": "s", "device": "term-1"}, {"gaps": 0, "online": True}
    )
    open_influx(influx).write([put(1, beat)])
    ages = newest(influx, panels["age"], DAY)
    assert ages == {"customer asked": now_ms - 7_200_000, "sign of life": now_ms - 60_000}


@pytest.mark.parametrize("day_start_min", [0, 240, 270])
def test_the_trend_has_one_exact_point_a_business_day_across_the_clock_change(
    influx: Access, day_start_min: int
) -> None:
    panel = next(each for each in today(Shop("Europe/Berlin", day_start_min))["panels"] if each["id"] == 5)
    days = [
        datetime(2026, 10, day, tzinfo=BERLIN) + timedelta(minutes=day_start_min) for day in range(23, 29)
    ]
    starts = [int(day.timestamp() * 1000) for day in days]
    mixes: list[list[Outcome]] = [
        [("loyal", 10), ("critic", 2)],
        [("loyal", 9)],
        [("unknown", 20), ("critic", 5)],
        [("loyal", 3), ("silent", 9)],
        [],
        [("critic", 12)],
    ]
    last_hours = [start + (22 * 3_600_000 if at % 2 else 0) for at, start in enumerate(starts)]
    for start, mix in zip(last_hours, mixes, strict=True):
        if mix:
            seed(influx, group(*mix, start_ms=start))
    drawn = lines(influx, panel, View(starts[0], starts[-1] + 86_400_000))
    assert by_date(drawn["EmoNPS"]) == pytest.approx({23: 200 / 3, 26: -12.5, 28: -100})
    assert by_date(drawn["BaseNPS"]) == {25: 60}
    assert drawn["EmoNPS low"].keys() == drawn["EmoNPS high"].keys() == drawn["EmoNPS"].keys()


def by_date(line: dict[int, float]) -> dict[int, float]:
    """Day of October → value."""
    return {datetime.fromtimestamp(start / 1000, BERLIN).day: value for start, value in line.items()}


def test_a_correction_changes_the_tile(influx: Access, panels: Any) -> None:
    contacts = group(("silent", 12))
    seed(influx, contacts)
    old, new = row(contacts[0]), row(contact("loyal", contacts[0].asked))
    assert open_influx(influx).write([retract(13, old), put(14, new)]) == Done(14)
    tile = shown(influx, panels["asked"], DAY)
    assert (tile["👋 asked"], tile["answered"], tile["🤐 silent"]) == (12, 1, 11)
