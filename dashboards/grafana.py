"""Dashboards in today's Grafana schema: the only importer of grafanalib, which writes one of 2018.

What grafanalib 0.7.1 gets wrong is put right here: schemaVersion 12, gauges and bar gauges under the old
`fieldOptions`, a bar gauge's max of 100, table mappings in options, dead keys and nulls.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafanalib import core
from grafanalib._gen import DashboardEncoder
from grafanalib.influxdb import InfluxDBTarget

SCHEMA_VERSION = 39  # Grafana 10.4 and 11; newer ones migrate it
NO_VALUE = "–"
SOURCE = {"type": "influxdb", "uid": "emobox"}
# fmt: off
DEAD_KEYS = frozenset({
    "__inputs", "auto", "auto_count", "auto_min", "cacheTimeout", "editable", "error", "gnetId",
    "height", "hideControls", "inputs", "maxPerRow", "minSpan", "measurement", "repeat",
    "repeatDirection", "rows", "sharedCrosshair", "showThresholdLabels", "showThresholdMarkers", "span",
    "style", "tagValuesQuery", "tagsQuery", "time_options", "useTags",
})
# fmt: on
OLD_DEFAULTS = frozenset({"calcs", "limit", "override", "title", "values"})
PLAIN = "#595959"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """One target; ref is its letter. As a table, or as series named by their columns."""

    ref: str
    text: str
    table: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Position and size on Grafana's grid of 24 columns; a unit of height is 38 pixels."""

    x: int
    y: int
    w: int
    h: int


@dataclass(frozen=True, slots=True)
class Field:
    """How one column looks: its words, unit, decimals, and one colour or steps (from value, colour)."""

    column: str
    label: str
    unit: str = "none"
    decimals: int = 0
    color: str | None = None
    steps: Sequence[tuple[float | None, str]] = ()
    custom: Mapping[str, Any] | None = None

    def override(self, matcher: str = "byName") -> Json:
        """The override of the panel that gives the column this look."""
        return {"matcher": {"id": matcher, "options": self.column}, "properties": list(self._properties())}

    def _properties(self) -> Sequence[Json]:
        found: Json = {"displayName": self.label, "unit": self.unit, "decimals": self.decimals}
        if self.color:
            found["color"] = {"mode": "fixed", "fixedColor": self.color}
        if self.steps:
            found["thresholds"] = {"mode": "absolute", "steps": steps(self.steps)}
            found["color"] = {"mode": "thresholds"}
        found |= {f"custom.{name}": value for name, value in (self.custom or {}).items()}
        return [{"id": name, "value": value} for name, value in found.items()]


@dataclass(frozen=True, slots=True)
class Panel:
    """What every panel has: number, words, place, what it asks, and how the answer's columns look."""

    number: int
    title: str
    description: str
    place: Place
    queries: Sequence[Query]
    fields: Sequence[Field]


def steps(pairs: Sequence[tuple[float | None, str]]) -> list[Json]:
    """Threshold steps, from below: (from value, colour); the first from value is None."""
    return [{"value": value, "color": color} for value, color in pairs]


def tile(panel: Panel, **changes: Any) -> Json:
    """Values as big numbers on their colour, one below the other."""
    made = core.Stat(
        **(_common(panel) | changes),
        colorMode="background",
        graphMode="none",
        noValue=NO_VALUE,
        orientation="horizontal",
        reduceCalc="lastNotNull",
        textMode="value_and_name",
    )
    return _json(made, {"text": {}, "wideLayout": True})


def ages(panel: Panel) -> Json:
    """How long ago the newest row of each query was; the fields are named by the letters of the queries.

    The other columns are taken away: once a column has words, no filter on a tile knows it as Time any more.
    """
    only_time = {"id": "filterFieldsByName", "options": {"include": {"pattern": "/^[Tt]ime$/"}}}
    looks = {"fieldConfig": {"overrides": [field.override("byFrameRefID") for field in panel.fields]}}
    made = tile(panel, transformations=[only_time], extraJson=looks)
    made["options"]["reduceOptions"]["fields"] = "/.*/"
    return made


def bars(panel: Panel) -> Json:
    """One bar a column with its word and its number; no maximum, so that the longest fills the panel."""
    made = core.BarGauge(**_common(panel), displayMode="basic", orientation="horizontal", calc="lastNotNull")
    return _json(made, {"valueMode": "text", "showUnfilled": False, "sizing": "auto"})


def trend(panel: Panel, *, since: str, low: float, high: float) -> Json:
    """Lines over time from low to high, over a range of its own."""
    made = core.TimeSeries(
        **_common(panel),
        timeFrom=since,
        showPoints="always",
        pointSize=8,
        lineWidth=2,
        fillOpacity=0,
        valueMin=low,
        valueMax=high,
        tooltipMode="multi",
        unit="none",
    )
    legend = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
    return _json(made, {"legend": legend})


def variable(name: str, label: str, query: str) -> Json:
    """A choice of one, several or all tag values; all is the regex .*"""
    made = core.Template(
        name=name, query=query, label=label, dataSource=SOURCE, includeAll=True, multi=True, allValue=".*"
    )
    every = {"text": ["All"], "value": ["$__all"], "selected": True}
    return _encode(made) | {"current": every, "refresh": 1, "sort": 1}


def dashboard(
    uid: str, title: str, *, panels: Sequence[Json], variables: Sequence[Json], zone: str, since: str
) -> Json:
    """The whole dashboard in today's schema; it shows since until now and asks again every minute."""
    made = core.Dashboard(
        title=title,
        uid=uid,
        panels=list(panels),
        templating=core.Templating(list(variables)),
        time=core.Time(since, "now"),
        timezone=zone,
        refresh="1m",
        schemaVersion=SCHEMA_VERSION,
        tags=["emobox"],
    )
    return normalised(_encode(made))


def normalised(found: Json) -> Json:
    """Today's shape: no dead keys, no nulls but a threshold's first value."""
    kept: Json = {name: _tidy(value) for name, value in found.items() if name not in DEAD_KEYS | {"id"}}
    return kept | {"schemaVersion": SCHEMA_VERSION, "editable": False, "version": 1}


def _tidy(value: Any) -> Any:
    if isinstance(value, list):
        return [_tidy(each) for each in value]
    if not isinstance(value, dict):
        return value
    alive = {name: each for name, each in value.items() if name not in DEAD_KEYS}
    return {name: _tidy(each) for name, each in alive.items() if each is not None or _first_step(value)}


def _first_step(value: Json) -> bool:
    return value.keys() == {"value", "color"}


def _common(panel: Panel) -> Json:
    place = panel.place
    return {
        "id": panel.number,
        "title": panel.title,
        "description": panel.description,
        "gridPos": core.GridPos(h=place.h, w=place.w, x=place.x, y=place.y),
        "dataSource": SOURCE,
        "targets": [_target(query) for query in panel.queries],
        "extraJson": {"fieldConfig": {"overrides": [field.override() for field in panel.fields]}},
    }


def _target(query: Query) -> Any:
    shape = {"format": "table"} if query.table else {"format": "time_series", "alias": "$col"}
    return InfluxDBTarget(query=query.text, refId=query.ref, datasource=SOURCE, **shape)


def _json(made: Any, options: Json) -> Json:
    found = migrated(_encode(made))
    found["options"] |= options
    plain = {"mode": "absolute", "steps": steps([(None, PLAIN)])}
    found["fieldConfig"]["defaults"] |= {"noValue": NO_VALUE, "thresholds": plain}
    return found


def migrated(panel: Json) -> Json:
    """A panel with what grafanalib puts in old places (gauge, bar gauge, table) where it belongs today."""
    options, config = panel.setdefault("options", {}), panel["fieldConfig"]
    defaults = config.setdefault("defaults", {})
    old = options.pop("fieldOptions", None)
    if old is not None:
        options["reduceOptions"] = _reducer(old)
        defaults |= {name: old["defaults"][name] for name in ("unit", "decimals", "min")}
        defaults |= {"mappings": old["mappings"]}
    if "calcs" in defaults:
        options["reduceOptions"] = _reducer(defaults)
        panel["fieldConfig"]["defaults"] = {key: defaults[key] for key in defaults if key not in OLD_DEFAULTS}
    if "mappings" in panel:
        defaults["mappings"] = panel.pop("mappings")
    return panel


def _reducer(old: Json) -> Json:
    return {"calcs": old["calcs"], "fields": "", "values": bool(old["values"])}


def _encode(made: Any) -> Json:
    found: Json = json.loads(json.dumps(made, cls=DashboardEncoder))
    return found


def text(found: Json) -> str:
    """The dashboard as it lies in a file."""
    return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
