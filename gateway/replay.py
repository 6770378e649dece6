"""The black-box door of spec 6: a recorded log through the real journal, fusion and indices."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gateway.config import Site
from gateway.events import Arrival, Press, Quarantined
from gateway.fusion import Contact, Fused, Fusion, PointEvents
from gateway.indices import Indices, measure, served
from gateway.inspector import Inspector, payload_bytes, read_json
from gateway.journal import Journal

RECEIVED_MAX = 4_102_444_800_000
LEVELS_KEPT = 32
PRESS_STATES = ("asked", "spontaneous", "mash", "closed", "test", "untrusted")
LATEST = 2**62


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log that holds a message."""

    number: int
    received: int
    topic: str
    payload: bytes | dict[str, Any]


def replay(log: Path, site: Site) -> dict[str, Any]:
    """The JSON object of spec 6 for a log; OSError when the log cannot be read."""
    with TemporaryDirectory(prefix="emobox-replay-") as folder:
        journal = Journal(Path(folder) / "journal.db", durable=False)
        journal.open()
        try:
            journal.append(in_order_of_arrival(read_log(log.read_bytes(), site)))
            return _report(journal, site)
        finally:
            journal.close()


def read_log(log: bytes, site: Site) -> list[Arrival | Quarantined]:
    """Every line of a log as an event or in the quarantine; empty lines and other topics are skipped."""
    inspector = Inspector(site)
    found: list[Arrival | Quarantined] = []
    for number, raw in enumerate(log.split(b"\n"), start=1):
        if not raw.strip():
            continue
        line = read_line(number, raw)
        if line is None:
            found.append(Quarantined(0, "", raw, "bad_line", line=number))
        elif item := inspector.inspect(line.received, line.topic, line.payload, number):
            found.append(item)
    return found


def read_line(number: int, raw: bytes) -> Line | None:
    """One line of a log; None when it is none (`bad_line`)."""
    try:
        message = _load(raw.decode())
    except ValueError:
        return None
    if not isinstance(message, dict) or "payload" not in message:
        return None
    received, topic = message.get("received"), message.get("topic")
    if type(received) is not int or not 0 <= received <= RECEIVED_MAX or not isinstance(topic, str):
        return None
    payload = message["payload"]
    return Line(number, received, topic, payload if isinstance(payload, dict) else payload_bytes(payload))


def _load(text: str) -> Any:
    try:
        return read_json(text)
    except RecursionError:
        return read_json(_without_depths(text))


def _without_depths(text: str) -> str:
    """A line too deep for the parser, its depths replaced by a text as long: still too deep, yet readable."""
    kept: list[str] = []
    level, deep, quoted, escaped = 0, 0, False, False
    for sign in text:
        if not quoted and sign in "]}":
            level -= 1
            if level == LEVELS_KEPT - 1:
                kept.append(f'"{"." * (deep - 2)}"' if deep else "")
                deep = 0
        if level < LEVELS_KEPT:
            kept.append(sign)
        else:
            deep += 1
        if not quoted and sign in "[{":
            level += 1
        quoted, escaped = (quoted != (sign == '"' and not escaped)), (sign == "\\" and not escaped)
    return "".join(kept)


def in_order_of_arrival(items: Iterable[Arrival | Quarantined]) -> list[Arrival | Quarantined]:
    """The first copy to arrive is kept: smallest received, then smallest t (spec 2)."""
    return sorted(items, key=_arrival_order)


def _arrival_order(item: Arrival | Quarantined) -> tuple[int, int, str, int]:
    if isinstance(item, Quarantined):
        return (item.received, LATEST, "", item.line or 0)
    return (item.received, LATEST if item.t is None else item.t, item.body, item.line or 0)


def _report(journal: Journal, site: Site) -> dict[str, Any]:
    events = {point: PointEvents() for point in site.points}
    tested = sort_events(journal, site, events)
    fused = {point: Fusion(site, point).fuse(events[point]) for point in site.points}
    contacts = [contact for one in fused.values() for contact in one.contacts]
    return {
        "contacts": [_contact(c, site) for c in sorted(contacts, key=lambda c: (c.asked, c.point))],
        "presses": _press_counts(fused.values(), tested, journal.count_untrusted("press")),
        "regular": sum(one.regular for one in fused.values()),
        "quarantined": [
            {"line": item.line, "reason": item.reason}
            for item in sorted(journal.quarantined(), key=lambda item: item.line or 0)
        ],
        "duplicates": journal.duplicates(),
        "gaps": journal.gaps(),
        "indices": {
            **{p: _index(measure(one.contacts, site, served(site, p))) for p, one in fused.items()},
            "all": _index(measure(contacts, site, served(site, None))),
        },
    }


def sort_events(journal: Journal, site: Site, events: dict[str, PointEvents]) -> int:
    """Give every trusted event to its point; devices in test mode only have their presses counted."""
    tested = 0
    for event in journal.events_between(site.devices, -LATEST, LATEST):
        if not site.devices[event.device].test:
            events[site.point_of[event.device]].add(event)
        elif isinstance(event, Press):
            tested += 1
    return tested


def _press_counts(fused: Iterable[Fused], tested: int, untrusted: int) -> dict[str, int]:
    states = Counter(state for one in fused for state in one.states.values())
    states.update(test=tested, untrusted=untrusted)
    return {state: states[state] for state in PRESS_STATES}


def _contact(contact: Contact, site: Site) -> dict[str, Any]:
    emotion = contact.emotion
    return {
        "point": contact.point,
        "asked": contact.asked,
        "local_date": site.local_date(contact.asked),
        "asked_by": contact.asked_by,
        "outcome": contact.outcome,
        "rating": contact.rating,
        "via": contact.via,
        "answer_s": contact.answer_s,
        "smile_share": emotion.smile_share,
        "positive": emotion.positive,
        "valid_s": emotion.valid_ms / 1000,
        "score": contact.score,
        "flags": list(contact.flags),
    }


def _index(indices: Indices) -> dict[str, Any]:
    counts, nps, smile = indices.counts, indices.nps, indices.smile
    return {
        "published": nps.published,
        "emonps": nps.emonps,
        "base_nps": nps.base_nps,
        "low": nps.low,
        "high": nps.high,
        "upper": nps.upper,
        "coverage": nps.coverage,
        "n": counts.n,
        "loyal": counts.loyal,
        "passive": counts.passive,
        "unknown": counts.unknown,
        "critic": counts.critic,
        "silent": counts.silent,
        "smile_index": smile.smile_index,
        "smile_low": smile.smile_low,
        "smile_high": smile.smile_high,
        "smile_rate": smile.smile_rate,
        "rate_low": smile.rate_low,
        "rate_high": smile.rate_high,
        "response_rate": indices.response_rate,
        "few_data": nps.few_data,
        "flagged": nps.flagged,
    }


def print_replay(log: Path, site: Site) -> None:
    """Print the report as one JSON object."""
    print(json.dumps(replay(log, site), ensure_ascii=False, allow_nan=False))
