"""Erase by point and time range: journal, InfluxDB and indices, with a receipt in the audit log (spec 7)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from gateway.audit import ERASURE
from gateway.clips import clips_of
from gateway.config import Site
from gateway.corrections import without
from gateway.journal import REWRITTEN, Entry, Erasure, Journal, Note
from gateway.measurements import contact_of
from gateway.prompts import senders
from gateway.records import Record
from gateway.stream import PointStream

MINUTE_MS = 60_000
REACH_MS = 300_000  # a contact that began this long before may reach into the range
BY_POINT = ("press", "phrase", "smile", "spike", "reaction", "card")


class EraseError(Exception):
    """What was given cannot be erased; the text says what is allowed."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The line of the audit log, and how many of which records, events and clips of sound went."""

    line: Entry
    records: Counter[str]
    events: int
    clips: int


def local_ms(site: Site, text: str, *, last: bool = False) -> int:
    """A local time of the shop such as 2026-11-21T10:30, in ms; an hour that comes twice is meant whole."""
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        wall = None
    if wall is None or wall.tzinfo is not None:
        raise EraseError(f"{text}: allowed is a local time of the shop such as 2026-11-21T10:30")
    return round(wall.replace(tzinfo=site.tz, fold=int(last)).timestamp() * 1000)


def plan(journal: Journal, site: Site, point: str, start: int, end: int, now: int) -> Erasure:
    """What goes: contacts that touch start ≤ t < end go whole, with all that happened from ask to rating."""
    if point not in site.points:
        raise EraseError(f"{point}: no such point; allowed: {', '.join(site.points)}")
    if not start < min(end, now):
        raise EraseError("--from must be before --to, and in the past")
    end = min(end, now + 1)
    contacts = list(_touching(journal, point, start, end))
    start = min([start, *(record.time_ms for record in contacts)])
    end = max([end, *(_end(record) + 1 for record in contacts)])
    devices = senders(site, point)
    quiet_ms = PointStream(journal, site, point).quiet_ms
    after = quiet_ms if end + 2 * quiet_ms < now else 0  # who is asked just now is not to be forgotten
    records = [*contacts, *_others(journal, point, devices, start, end)]
    lines = without(journal, point, start, end)
    return Erasure(point, devices, start, end, start - quiet_ms, end + after, records, lines)


def _touching(journal: Journal, point: str, start: int, end: int) -> Iterator[Record]:
    for record in journal.records("contact", start - REACH_MS, end):
        if record.tags["point"] == point and _end(record) >= start:
            yield record


def _end(contact: Record) -> int:
    """The rating's time, or the ask's."""
    return contact_of(contact).rated or contact.time_ms


def _others(journal: Journal, point: str, devices: Iterable[str], start: int, end: int) -> Iterator[Record]:
    for name in BY_POINT:
        yield from (r for r in journal.records(name, start, end) if r.tags["point"] == point)
    yield from (r for r in journal.records("device", start, end) if r.tags["device"] in devices)


def erase(journal: Journal, site: Site, point: str, start: int, end: int, now: int) -> Receipt:
    """Do it, in one commit with the receipt; sinks and indices follow from what is taken back."""
    given = start, min(end, now + 1)
    first = plan(journal, site, point, start, end, now)
    clips = clips_of(site).erase(point, first.start, first.end)
    erasure, events = journal.erase(
        lambda: plan(journal, site, point, start, end, now), partial(_note, site, now, given, clips)
    )
    counts = Counter(record.measurement for record in erasure.records)
    return Receipt(list(journal.audit(ERASURE))[-1], counts, events, clips)


def repeat(journal: Journal, site: Site, line: Entry, now: int) -> Receipt:
    """Erase again what a receipt of another copy of this journal names; EraseError: its point is gone."""
    detail = json.loads(line.detail)
    start, end = (
        round(datetime.fromisoformat(text).timestamp() * 1000)
        for text in detail.get("given", (detail["from"], detail["to"]))
    )
    return erase(journal, site, detail["point"], start, end, max(now, line.time))


def _note(
    site: Site,
    now: int,
    given: tuple[int, int],
    clips: int,
    erasure: Erasure,
    events: int,
    seals: Mapping[str, str],
) -> Note:
    """From and to are whole minutes: an end that a contact set would name the time of an ask or a rating."""
    stretch = erasure.start // MINUTE_MS * MINUTE_MS, -(-erasure.end // MINUTE_MS) * MINUTE_MS
    begin, end = (site.local(t).isoformat() for t in stretch)
    detail = {
        "point": erasure.point,
        "from": begin,
        "to": end,
        "given": [site.local(t).isoformat() for t in given],
        "records": Counter(record.measurement for record in erasure.records),
        "events": events,
        "clips": clips,
        REWRITTEN: seals,
    }
    return now, ERASURE, detail
