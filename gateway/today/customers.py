"""What the page shows of customers: contacts, the last press, what to say to whoever answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway import plain
from gateway.config import Site
from gateway.fusion import Contact
from gateway.journal import Journal
from gateway.measurements import contact_of
from gateway.records import Record
from gateway.replay import PRESS_STATES

CONTACTS_SHOWN = 50
PENDING_MAX = 2000


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One contact; `time` is the local time of the ask, `stored` says per sink whether it is there by now."""

    id: str
    point: str
    asked: int
    time: str
    asked_by: str
    outcome: str
    rating: str | None
    via: str
    answer_s: float | None
    smile_share: float | None
    positive: bool | None
    valid_s: float
    score: float | None
    flags: tuple[str, ...]
    stored: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class PressRow:
    """One press, with the state that it has by now."""

    t: int
    time: str
    point: str
    device: str
    rating: str
    state: str


@dataclass(frozen=True, slots=True)
class Cue:
    """What to say to the customer who answered, or stayed silent, last (product row 6)."""

    t: int
    time: str
    point: str
    rating: str
    say: str


def contact_rows(
    journal: Journal, site: Site, records: Sequence[Record], sinks: Sequence[str]
) -> tuple[ContactRow, ...]:
    """The latest contacts, newest first, each with where it is stored by now."""
    shown = sorted(records, key=lambda record: (record.time_ms, record.id))[-CONTACTS_SHOWN:][::-1]
    pending = {name: _pending(journal, name) for name in sinks}
    return tuple(
        _row(site, record, {n: record.id not in ids for n, ids in pending.items()}) for record in shown
    )


def _row(site: Site, record: Record, stored: Mapping[str, bool]) -> ContactRow:
    contact = contact_of(record)
    return ContactRow(
        record.id,
        contact.point,
        contact.asked,
        time_of(site, contact.asked),
        contact.asked_by,
        contact.outcome,
        contact.rating,
        contact.via,
        contact.answer_s,
        contact.emotion.smile_share,
        contact.emotion.positive,
        contact.emotion.valid_ms / 1000,
        contact.score,
        contact.flags,
        stored,
    )


def _pending(journal: Journal, sink: str) -> set[str]:
    """Ids of records that a sink still has to take; of very many only the latest."""
    start = max(journal.cursor(sink), journal.last_change() - PENDING_MAX)
    return {change.record.id for change in journal.changes_after(start, PENDING_MAX)}


def by_state(presses: Sequence[Record], untrusted: int) -> dict[str, int]:
    """Presses by what became of them; `untrusted` are counted since the journal began."""
    states = Counter(record.tags["state"] for record in presses)
    states["untrusted"] = untrusted
    return {state: states[state] for state in PRESS_STATES}


def last_press(presses: Sequence[Record], site: Site) -> PressRow | None:
    """The latest press of the day."""
    if not presses:
        return None
    last = presses[-1]
    tags = last.tags
    time = time_of(site, last.time_ms)
    return PressRow(last.time_ms, time, tags["point"], tags["device"], tags["rating"], tags["state"])


def cue_of(contacts: Sequence[Contact], presses: Sequence[Record], site: Site) -> Cue | None:
    """For the latest rating, spontaneous ones too, or the latest customer who stayed silent."""
    said = [
        (contact.rated or contact.asked, contact.point, contact.rating)
        for contact in contacts
        if contact.outcome != "cancelled"
    ]
    said += [
        (press.time_ms, press.tags["point"], press.tags["rating"])
        for press in presses
        if press.tags["state"] == "spontaneous"
    ]
    if not said:
        return None
    t, point, rating = max(said, key=lambda one: one[:2])
    return Cue(t, time_of(site, t), point, rating or "silent", plain.cue(rating))


def time_of(site: Site, t_ms: int) -> str:
    """Local time as the page shows it."""
    return site.local(t_ms).strftime("%H:%M:%S")
