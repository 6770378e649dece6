"""What a panel would show: its generated JSON, its queries on a real database, its reducer and its labels."""

from dataclasses import dataclass
from typing import Any

from gateway.sinks.influx_v1 import Series
from tests.integration.influx import Access, store

Json = dict[str, Any]


@dataclass(frozen=True)
class View:
    """What a viewer has chosen: time range in ms, regexes of the variables."""

    start_ms: int
    end_ms: int
    site: str = ".*"
    point: str = ".*"

    def fill(self, query: str) -> str:
        """The query as Grafana sends it."""
        window = f"time >= {self.start_ms}ms and time <= {self.end_ms}ms"
        filled = (
            query.replace("$timeFilter", window).replace("$site", self.site).replace("$point", self.point)
        )
        assert "$site" not in filled.replace(self.site, "")
        assert "$__" not in filled
        return filled


def answers(access: Access, panel: Json, view: View) -> list[tuple[str, Series]]:
    """(refId, series) of all queries of a panel."""
    found = []
    for target in panel["targets"]:
        found += [(target["refId"], each) for each in store(access).query(view.fill(target["query"]))]
    return found


def shown(access: Access, panel: Json, view: View) -> dict[str, Any]:
    """label → value of a tile or of bars, as the reducer lastNotNull leaves it; empty = noValue."""
    calcs, labels = panel["options"]["reduceOptions"]["calcs"], _labels(panel)
    assert calcs == ["lastNotNull"]
    tiles: dict[str, Any] = {}
    for _, series in answers(access, panel, view):
        for at, column in enumerate(series.columns[1:], 1):
            values = [row[at] for row in series.rows if row[at] is not None]
            tiles[labels[column]] = values[-1] if values else None
    return tiles


def lines(access: Access, panel: Json, view: View) -> dict[str, dict[int, float]]:
    """column → time in ms → value of a trend."""
    drawn: dict[str, dict[int, float]] = {}
    for _, series in answers(access, panel, view):
        for at, column in enumerate(series.columns[1:], 1):
            drawn[column] = {row[0] // 1_000_000: row[at] for row in series.rows}
    return drawn


def newest(access: Access, panel: Json, view: View) -> dict[str, int]:
    """label → time in ms of the tile of data ages."""
    labels = _labels(panel)
    return {labels[ref]: series.rows[0][0] // 1_000_000 for ref, series in answers(access, panel, view)}


def _labels(panel: Json) -> dict[str, str]:
    return {
        override["matcher"]["options"]: prop["value"]
        for override in panel["fieldConfig"]["overrides"]
        for prop in override["properties"]
        if prop["id"] == "displayName"
    }
