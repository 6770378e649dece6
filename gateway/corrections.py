"""Corrections by late events, as lines of the audit log (spec 3), and how they are erased from it (spec 7).

Each line has a salt: without it the hash, which stays, would tell who guesses what was erased.
"""

from __future__ import annotations

import json
import secrets
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.config import Site
from gateway.events import Event
from gateway.journal import Journal, Note, Row, Texts
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
    """The line about contacts and presses that late events changed, before → after; none without any.

    What cannot be told from before is left out: a late face may move a share of smiles and no outcome.
    """
    times = sorted(event.t for event in late)
    near = [r for _, r in ops if r.measurement in CORRECTED and _is_near(r.time_ms, times, reach_ms)]
    after = {record.id: record for op, record in ops if op == "put"}
    told = [
        {"id": name, "t": t, "before": _told(known.get(name)), "after": _told(after.get(name))}
        for name, t in {record.id: record.time_ms for record in near}.items()
    ]
    changes = [change for change in told if change["before"] != change["after"]]
    if changes:
        devices = sorted({event.device for event in late})
        detail = {"point": point, "late": len(late), "devices": devices, "changes": changes}
        yield now, CORRECTION, _salted(detail)


def without(journal: Journal, point: str, start: int, end: int) -> Texts:
    """Lines that tell of the point's customers of start ≤ t < end (ms): their details without them."""
    found: dict[int, Mapping[str, Any]] = {}
    for entry in journal.audit(CORRECTION):
        detail = json.loads(entry.detail)
        if detail["point"] == point:
            left = [one for one in detail["changes"] if not _touches(journal, one, entry.time, start, end)]
            if len(left) < len(detail["changes"]):
                found[entry.n] = _erased(detail, left)
    return found


def too_old(journal: Journal, before: int) -> Texts:
    """Lines that still tell of customers from before a time (ms): their details without them."""
    found: dict[int, Mapping[str, Any]] = {}
    for entry in journal.audit(CORRECTION):
        detail = json.loads(entry.detail)
        left = [one for one in detail["changes"] if (_time_of(journal, one) or entry.time) >= before]
        if len(left) < len(detail["changes"]):
            found[entry.n] = _erased(detail, left)
    return found


def _touches(journal: Journal, change: Mapping[str, Any], written: int, start: int, end: int) -> bool:
    """Whether a change is of start ≤ t < end, from ask to rating; what nobody can date counts as such."""
    t = _time_of(journal, change)
    if t is None:
        return written >= start
    answers = [side.get("answer_s", 0) for side in (change["before"], change["after"]) if side]
    return bool(t < end and t + max(answers, default=0) * 1000 >= start)


def _time_of(journal: Journal, change: Mapping[str, Any]) -> int | None:
    """When that happened, in ms.

    Lines of earlier versions name no time: a contact has it in its id, a press in its record, if still kept.
    """
    name: str = change["id"]
    if "t" in change:
        return int(change["t"])
    return int(name.rpartition("/")[2]) if name.startswith("contact/") else journal.time_of(name)


def _erased(detail: Mapping[str, Any], left: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What stays of a line; with a new salt, because its seal stands in the receipt."""
    erased = detail.get("erased", 0) + len(detail["changes"]) - len(left)
    return _salted({**detail, "changes": left, "erased": erased})


def _salted(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {**detail, "salt": secrets.token_hex(16)}


def _is_near(t: int, times: Sequence[int], reach_ms: int) -> bool:
    """Whether one of these times (in order) is at most reach_ms from t."""
    place = bisect_left(times, t - reach_ms)
    return place < len(times) and times[place] <= t + reach_ms


def _told(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    values = {**record.tags, **record.fields}
    return {name: values[name] for name in TOLD if values.get(name) not in (None, "")}
