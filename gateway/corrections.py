"""Corrections by late events, as lines of the audit log (spec 3)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.config import Site
from gateway.events import Event
from gateway.journal import Note, Row
from gateway.records import Record

CORRECTION = "correction"
CORRECTED = ("contact", "press")
TOLD = ("outcome", "state", "rating", "via", "score", "answer_s", "flags")


def late_by_point(rows: Iterable[Row], site: Site) -> dict[str, list[Event]]:
    """Events that arrived over `lateness_s` after they happened, by point."""
    limit_ms, found = site.defaults.ms("lateness_s"), dict[str, list[Event]]()
    for row in rows:
        if row.event and row.device in site.point_of and row.received - row.event.t > limit_ms:
            found.setdefault(site.point_of[row.device], []).append(row.event)
    return found


def corrections(
    now: int,
    point: str,
    late: Sequence[Event],
    known: Mapping[str, Record],
    ops: Sequence[tuple[str, Record]],
    reach_ms: int,
) -> Iterator[Note]:
    """The line about contacts and presses that late events changed, before → after; none without any."""
    times = sorted(event.t for event in late)
    near = [r for _, r in ops if r.measurement in CORRECTED and _is_near(r.time_ms, times, reach_ms)]
    after = {record.id: record for op, record in ops if op == "put"}
    changes = [
        {"id": name, "before": _told(known.get(name)), "after": _told(after.get(name))}
        for name in dict.fromkeys(record.id for record in near)
    ]
    if changes:
        devices = sorted({event.device for event in late})
        yield now, CORRECTION, {"point": point, "late": len(late), "devices": devices, "changes": changes}


def _is_near(t: int, times: Sequence[int], reach_ms: int) -> bool:
    """Whether one of these times (in order) is at most reach_ms from t."""
    place = bisect_left(times, t - reach_ms)
    return place < len(times) and times[place] <= t + reach_ms


def _told(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    values = {**record.tags, **record.fields}
    return {name: values[name] for name in TOLD if values.get(name) not in (None, "")}
