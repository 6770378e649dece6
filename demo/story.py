"""Tells what happens in the demo's shop as it walks: press → journal → contact → influx."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from gateway.config import Site
from gateway.events import Click, Press, Spoken
from gateway.fusion import Contact
from gateway.fusion.presses import rating_of
from gateway.indices import Indices
from gateway.journal import Journal
from gateway.measurements import contact_of
from gateway.records import Change

SETTLED_S = 4.0  # a contact is told when nothing has changed for so long
FACES = {"loyal": "😊", "passive": "😐", "unknown": "❔", "critic": "🙁", "silent": "🤐", "cancelled": "✖"}
TOLD = ("click", "press", "phrase")


class Story:
    """Follows the hub's journal from outside, with places of its own."""

    def __init__(self, journal: Journal, site: Site, *, has_influx: bool) -> None:
        self._journal, self._site, self._has_influx = journal, site, has_influx
        self._event, self._change = journal.last_event(), journal.last_change()
        self._open: dict[str, tuple[float, Change]] = {}
        self.contacts: dict[str, Contact] = {}

    def news(self, *, all_of_it: bool = False) -> Iterator[str]:
        """What has happened since the last call, a line each."""
        yield from self._events()
        self._changes()
        for name, (since, change) in list(self._open.items()):
            if all_of_it or time.monotonic() - since > SETTLED_S:
                del self._open[name]
                if change.op == "put":
                    yield self._contact(change)

    @property
    def at_rest(self) -> bool:
        """Whether every contact has been told and the store has everything."""
        return not self._open and self._behind() == 0

    def _behind(self) -> int:
        return self._journal.last_change() - self._journal.cursor("influx") if self._has_influx else 0

    def _events(self) -> Iterator[str]:
        for row in self._journal.events_after(self._event):
            self._event = row.n
            if row.kind in TOLD and row.event:
                yield f"{_clock(row.event.t)}  {self._said(row.event):<34} → journal #{row.n}"

    def _said(self, event: object) -> str:
        if isinstance(event, Press):
            rating = rating_of(event, self._site.devices[event.device].keys or 0)
            return f"{event.device} press, key {event.key} ({rating})"
        if isinstance(event, Click):
            return f"{event.device} click, {event.pattern}"
        if isinstance(event, Spoken):
            return f"{event.device} heard “{event.phrase}” ({event.score:.2f})"
        return ""

    def _changes(self) -> None:
        for change in self._journal.changes_after(self._change):
            self._change = change.position
            if change.record.measurement == "contact":
                self._open[change.record.id] = (time.monotonic(), change)

    def _contact(self, change: Change) -> str:
        contact = contact_of(change.record)
        self.contacts[change.record.id] = contact
        stored = "–" if not self._has_influx else "✓" if self._is_stored(change) else "waiting"
        return f"{_clock(contact.asked)}  contact {len(self.contacts):>2} {_told(contact)} → influx {stored}"

    def _is_stored(self, change: Change) -> bool:
        return self._journal.cursor("influx") >= change.position


def _told(contact: Contact) -> str:
    answer = "no answer"
    if contact.answer_s is not None:
        answer = f"{contact.rating} by {contact.via} after {contact.answer_s:.1f} s"
    share = contact.emotion.smile_share
    seen = (
        "face not seen"
        if share is None
        else f"smiling {share:.0%} of {contact.emotion.valid_ms / 1000:.1f} s"
    )
    return f"{FACES[contact.outcome]} {contact.outcome:<9} asked by {contact.asked_by}, {answer}, {seen}"


def _clock(t_ms: int) -> str:
    return datetime.fromtimestamp(t_ms / 1000, UTC).strftime("%H:%M:%S")


def figures(indices: Indices) -> Iterator[str]:
    """The day's figures, each with its interval, as an owner would read them."""
    counts, nps, smile = indices.counts, indices.nps, indices.smile
    few = ", few data" if nps.few_data else ""
    if nps.published == "none":
        yield f"EmoNPS       –  (too few data: {counts.n} of at least 10 contacts)"
    else:
        name = "EmoNPS " if nps.published == "emonps" else "BaseNPS"
        value = nps.emonps if nps.emonps is not None else nps.base_nps
        yield f"{name}      {value:+.1f}  (95 % interval {nps.low:+.1f} … {nps.high:+.1f}{few})"
    if nps.coverage is not None:
        yield f"Coverage     {nps.coverage:.0%} of top ratings have a known emotion"
    if smile.smile_index is None:
        yield f"Smile-Index  –  (too few data: emotion known for {smile.known} of at least 10 contacts)"
    else:
        yield (
            f"Smile-Index  {smile.smile_index:.1f}  (95 % interval {smile.smile_low:.1f} … "
            f"{smile.smile_high:.1f}, emotion known for {smile.known} of {counts.n})"
        )
    yield (
        f"Contacts     {counts.n}: {counts.loyal} loyal, {counts.passive} passive, {counts.unknown} unknown, "
        f"{counts.critic} critic, {counts.silent} silent"
    )
