"""The dashboards' JSON: as generated, in today's schema, laid out for a tablet."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from grafanalib import core

from dashboards import GENERATED, PROVISIONING, Shop, check, kiosk_path, today, write
from dashboards.grafana import migrated
from dashboards.today import day_began
from gateway.cli import main

Json = dict[str, Any]
COLOURS = {"#B34700", "#9A6700", "#0072B2", "#595959", "#1A1A1A"}


@pytest.fixture(scope="module")
def board() -> Json:
    """The golden file."""
    found: Json = json.loads((GENERATED / "today.json").read_text(encoding="utf-8"))
    return found


def everything(value: Any) -> Iterator[tuple[str, Any]]:
    """All (key, value) pairs at any depth."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        yield str(key), each
        yield from everything(each)


def test_the_golden_file_is_what_the_code_makes() -> None:
    assert check() == []


def test_check_names_a_file_that_is_out_of_date_or_missing(tmp_path: Path) -> None:
    assert "today.json" in check(tmp_path)[0]
    (path,) = write(tmp_path)
    assert check(tmp_path) == []
    path.write_text(path.read_text().replace("EmoNPS", "NPS"))
    assert "emobox dashboards" in check(tmp_path)[0]


def test_a_folder_that_cannot_be_written_is_a_plain_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "file"
    taken.write_text("no folder")
    assert main(["dashboards", "--out", str(taken / "x")]) == 1
    said = capsys.readouterr().err
    assert f"{taken}/x" in said
    assert "--out" in said


def test_a_shops_own_targets_and_day_are_in_its_dashboard() -> None:
    shop = Shop("Asia/Tokyo", day_start_min=240, target_emonps=45)
    found = json.dumps(today(shop))
    assert all(
        text in found for text in ("tz('Asia/Tokyo')", "time(1d, 240m)", "target +45", "now-240m/d+240m")
    )


def test_nothing_of_the_old_schema_is_left(board: Json) -> None:
    keys = {key for key, _ in everything(board)}
    assert board["schemaVersion"] >= 39
    assert keys.isdisjoint(
        {"fieldOptions", "rows", "span", "gnetId", "valueMaps", "rangeMaps", "hideControls"}
    )
    nulls = {key for key, value in everything(board) if value is None}
    assert nulls <= {"value"}


def test_every_panel_reads_the_provisioned_source_by_a_raw_query(board: Json) -> None:
    uid = re.search(r"uid: (\w+)", (PROVISIONING / "datasources" / "emobox.yaml").read_text())
    assert uid
    for panel in board["panels"]:
        assert panel["datasource"] == {"type": "influxdb", "uid": uid[1]}
        assert all(target["rawQuery"] and target["query"] for target in panel["targets"])


def test_all_choices_are_regexes_with_everything_as_their_default(board: Json) -> None:
    for variable in board["templating"]["list"]:
        assert (variable["allValue"], variable["includeAll"], variable["multi"]) == (".*", True, True)
        assert variable["current"]["value"] == ["$__all"]


def test_it_fits_on_one_tablet_screen_without_gaps_or_overlaps(board: Json) -> None:
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(places) <= 6
    assert len(cells) == len(set(cells)) == 24 * 18
    assert max(x for x, _ in cells) == 23


def test_every_tile_has_a_target_or_comparison_a_description_and_a_dash_for_no_data(board: Json) -> None:
    for panel in board["panels"]:
        assert re.search(r"target|plan|under|above", panel["title"]), panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["noValue"] == "–"


def test_only_dark_colour_blind_safe_colours_are_used_and_never_alone(board: Json) -> None:
    used = {
        each for key, each in everything(board) if key in ("color", "fixedColor") and isinstance(each, str)
    }
    assert used <= COLOURS
    labels = [
        each["value"]
        for _, each in everything(board)
        if isinstance(each, dict) and each.get("id") == "displayName"
    ]
    assert all(len(label) > 3 for label in labels)


def test_count_bars_have_no_maximum_and_tiles_reduce_to_the_last_value(board: Json) -> None:
    for panel in board["panels"]:
        assert panel["type"] in ("stat", "bargauge", "timeseries")
        if panel["type"] != "timeseries":
            assert "max" not in panel["fieldConfig"]["defaults"]
            assert panel["options"]["reduceOptions"]["calcs"] == ["lastNotNull"]


def test_emonps_and_base_nps_are_never_one_line(board: Json) -> None:
    trend = next(panel for panel in board["panels"] if panel["type"] == "timeseries")
    for target in trend["targets"]:
        assert ('AS "EmoNPS"' in target["query"]) != ('AS "BaseNPS"' in target["query"])


def test_the_normaliser_mends_what_grafanalib_still_writes_wrongly() -> None:
    gauge = migrated(core.GaugePanel(title="g", calc="max").to_json_data())
    assert gauge["options"]["reduceOptions"]["calcs"] == ["max"]
    assert "calcs" not in gauge["fieldConfig"]["defaults"]
    bar = migrated(core.BarGauge(title="b", calc="max").to_json_data())
    assert bar["options"]["reduceOptions"]["calcs"] == ["max"]
    assert "max" not in bar["fieldConfig"]["defaults"]
    table = migrated(core.Table(title="t", mappings=[{"type": "value", "options": {}}]).to_json_data())
    assert table["fieldConfig"]["defaults"]["mappings"]


def test_a_business_day_that_starts_at_four_begins_at_four() -> None:
    assert day_began(Shop()) == "now/d"
    assert day_began(Shop(day_start_min=240)) == "now-240m/d+240m"
    assert day_began(Shop(day_start_min=240), 30) == "now-30d-240m/d+240m"


def test_the_kiosk_path_shows_one_shop_in_the_light_theme() -> None:
    path = urlsplit(kiosk_path("shop 1", "till-1"))
    chosen = parse_qs(path.query, keep_blank_values=True)
    assert path.path == "/d/emobox-today/today"
    assert chosen["var-site"] == ["shop 1"]
    assert {"kiosk", "theme", "var-point"} <= chosen.keys()
