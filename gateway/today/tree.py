"""The business day's figures as one tree, read from the journal: what the page shows and the API tells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gateway.cards import CARD, counted
from gateway.config import Site
from gateway.fusion import Contact
from gateway.indices import Indices, Smiles, conceal, measure, served
from gateway.indices.nps import MIN_N
from gateway.indices.smile import MIN_KNOWN
from gateway.indices.validation import Cards, correct
from gateway.journal import Journal
from gateway.measurements import contact_of
from gateway.privacy import profile
from gateway.recorder import READER
from gateway.today.customers import (
    ContactRow,
    Cue,
    PressRow,
    by_state,
    contact_rows,
    cue_of,
    last_press,
    time_of,
)
from gateway.today.machines import (
    DeviceRow,
    Follower,
    Quarantine,
    SinkRow,
    device_rows,
    quarantine,
    sink_name,
    sink_row,
    with_lenses,
)

DAY_LONGEST_MS = 26 * 3_600_000  # 25 h when the clocks go back


@dataclass(frozen=True, slots=True)
class Today:
    """One shop's business day; `presses` by state, with those of untrusted time since the journal began.

    `full` says why nothing new is taken, and what to do; None while there is room.
    """

    site: str
    date: str
    now: int
    time: str
    connected: bool
    camera_on: bool
    why_off: str
    full: str | None
    events: int
    indices: Mapping[str, Indices]
    contacts: tuple[ContactRow, ...]
    presses: Mapping[str, int]
    last_press: PressRow | None
    cue: Cue | None
    quarantine: Quarantine
    duplicates: int
    gaps: int
    devices: tuple[DeviceRow, ...]
    sinks: tuple[SinkRow, ...]
    rejected: int
    cards: Cards

    def to_json(self) -> str:
        """One JSON object; the figures of an index have the names that `emobox replay` gives them."""
        shown = {name: figures(one) | corrected(self.cards, one.smile) for name, one in self.indices.items()}
        tree = asdict(self) | {"indices": shown}
        return json.dumps(tree, allow_nan=False, separators=(",", ":"))


def figures(indices: Indices) -> dict[str, Any]:
    """The index object of spec 6, with what is missing until something may be published."""
    n, known = indices.counts.n, indices.smile.known
    return {
        **asdict(indices.counts),
        **asdict(indices.nps),
        **asdict(indices.smile),
        "n": n,
        "response_rate": indices.response_rate,
        "response_low": indices.answered.low if indices.answered else None,
        "response_high": indices.answered.high if indices.answered else None,
        "missing": max(0, MIN_N - n),
        "smile_missing": max(0, MIN_KNOWN - known),
        "smile_coverage": known / n if n else None,
    }


def corrected(cards: Cards, smile: Smiles) -> dict[str, float | int | None]:
    """The smile rate as a person's cards correct it (None where they cannot), and how many cards exist."""
    positive = round((smile.smile_rate or 0) * smile.known)
    found = correct(cards, positive, smile.known if smile.smile_rate is not None else 0)
    names = ("corrected_rate", "corrected_low", "corrected_high")
    values = (found.rate, found.low, found.high) if found else (None, None, None)
    return {**dict(zip(names, values, strict=True)), "cards": cards.n}


def today(
    journal: Journal,
    site: Site,
    now_ms: int,
    sinks: Sequence[Follower],
    online: Mapping[str, bool],
    connected: bool = True,
    lenses: Mapping[str, str] | None = None,
) -> Today:
    """Everything about the business day of `now_ms`; JournalError when the journal cannot be read.

    `connected`: the broker is there; without it nobody knows which device is `online`.
    `lenses`: how the cameras are, in plain words.
    """
    privacy, date = profile(site), site.local_date(now_ms)
    records = [
        record
        for record in journal.records("contact", now_ms - DAY_LONGEST_MS)
        if record.fields["local_date"] == date
    ]
    presses = [
        record
        for record in journal.records("press", now_ms - DAY_LONGEST_MS)
        if site.local_date(record.time_ms) == date
    ]
    contacts = [contact_of(record) for record in records]
    rejected = Counter(reader for _, reader, _ in journal.rejected())
    return Today(
        site=site.site,
        date=date,
        now=now_ms,
        time=time_of(site, now_ms),
        connected=connected,
        camera_on=privacy.camera_on,
        why_off=privacy.why_off,
        full=journal.full,
        events=journal.cursor(READER),
        indices=_indices(contacts, site),
        contacts=contact_rows(journal, site, records, [sink_name(sink) for sink in sinks]),
        presses=by_state(presses, journal.count_untrusted("press")),
        last_press=last_press(presses, site),
        cue=cue_of(contacts, presses, site),
        quarantine=quarantine(journal, site),
        duplicates=journal.duplicates(),
        gaps=journal.gaps(),
        devices=with_lenses(device_rows(journal, site, now_ms, online if connected else {}), lenses or {}),
        sinks=tuple(sink_row(journal, sink, rejected) for sink in sinks),
        rejected=rejected.total(),
        cards=counted(journal.records(CARD)),
    )


def _indices(contacts: Sequence[Contact], site: Site) -> dict[str, Indices]:
    by_point = {point: [one for one in contacts if one.point == point] for point in site.points}
    measured = {point: measure(group, site, served(site, point)) for point, group in by_point.items()}
    return {
        **conceal(measured),
        "all": measure((one for one in contacts if one.point in by_point), site, served(site, None)),
    }
