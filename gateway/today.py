"""The business day's figures as one tree, read from the journal: what the page shows and the API tells."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from gateway import plain
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
from gateway.records import Record, Value
from gateway.replay import PRESS_STATES
from gateway.sinks.reader import State
from gateway.sound import Sound, sound_of

CONTACTS_SHOWN = 50
EXAMPLES_SHOWN = 10
DAY_LONGEST_MS = 26 * 3_600_000  # 25 h when the clocks go back
HEALTH_REACH_MS = 2 * 3_600_000
PENDING_MAX = 2000
TOPIC_MAX = 120


class Follower(Protocol):
    """What Today asks of a `SinkReader`."""

    @property
    def name(self) -> str:
        """Name of its thread: sink-<name of the sink>."""
        ...

    @property
    def state(self) -> State:
        """Where it stands."""
        ...


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


@dataclass(frozen=True, slots=True)
class QuarantineCount:
    """How many messages were put aside for one reason, since the journal began."""

    reason: str
    count: int
    means: str
    do: str


@dataclass(frozen=True, slots=True)
class QuarantineExample:
    """One message that was put aside; what was in it stays in the journal."""

    time: str
    topic: str
    reason: str
    means: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The quarantine: all of it by reason, the latest one by one."""

    counts: tuple[QuarantineCount, ...]
    last: tuple[QuarantineExample, ...]


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One configured device; `online` is None when it has not said so, `seen` is its last health event.

    `sound` is how a microphone hears, `lens` how a camera is, in plain words.
    """

    name: str
    kind: str
    point: str
    test: bool
    online: bool | None
    seen: str | None
    health: Mapping[str, Value]
    gaps: int
    sound: Sound | None
    lens: str | None = None


@dataclass(frozen=True, slots=True)
class SinkRow:
    """One target of records: how many changes it lacks, how many it refused, why it waits (or None)."""

    name: str
    behind: int
    rejected: int
    waiting: str | None


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
        time=_time(site, now_ms),
        connected=connected,
        camera_on=privacy.camera_on,
        why_off=privacy.why_off,
        full=journal.full,
        events=journal.cursor(READER),
        indices=_indices(contacts, site),
        contacts=_rows(journal, site, records, [_sink_name(sink) for sink in sinks]),
        presses=_by_state(presses, journal.count_untrusted("press")),
        last_press=_last_press(presses, site),
        cue=_cue(contacts, presses, site),
        quarantine=quarantine(journal, site),
        duplicates=journal.duplicates(),
        gaps=journal.gaps(),
        devices=with_lenses(_devices(journal, site, now_ms, online if connected else {}), lenses or {}),
        sinks=tuple(_sink(journal, sink, rejected) for sink in sinks),
        rejected=rejected.total(),
        cards=counted(journal.records(CARD)),
    )


def _time(site: Site, t_ms: int) -> str:
    return site.local(t_ms).strftime("%H:%M:%S")


def _indices(contacts: Sequence[Contact], site: Site) -> dict[str, Indices]:
    by_point = {point: [one for one in contacts if one.point == point] for point in site.points}
    measured = {point: measure(group, site, served(site, point)) for point, group in by_point.items()}
    return {
        **conceal(measured),
        "all": measure((one for one in contacts if one.point in by_point), site, served(site, None)),
    }


def _rows(
    journal: Journal, site: Site, records: Sequence[Record], sinks: Sequence[str]
) -> tuple[ContactRow, ...]:
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
        _time(site, contact.asked),
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


def _by_state(presses: Sequence[Record], untrusted: int) -> dict[str, int]:
    states = Counter(record.tags["state"] for record in presses)
    states["untrusted"] = untrusted
    return {state: states[state] for state in PRESS_STATES}


def _last_press(presses: Sequence[Record], site: Site) -> PressRow | None:
    if not presses:
        return None
    last = presses[-1]
    tags = last.tags
    time = _time(site, last.time_ms)
    return PressRow(last.time_ms, time, tags["point"], tags["device"], tags["rating"], tags["state"])


def _cue(contacts: Sequence[Contact], presses: Sequence[Record], site: Site) -> Cue | None:
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
    return Cue(t, _time(site, t), point, rating or "silent", plain.cue(rating))


def quarantine(journal: Journal, site: Site) -> Quarantine:
    """What was put aside, most frequent reason first."""
    counts = sorted(journal.quarantine_counts().items(), key=lambda item: (-item[1], item[0]))
    return Quarantine(
        tuple(QuarantineCount(why, n, plain.reason(why).means, plain.reason(why).do) for why, n in counts),
        tuple(
            QuarantineExample(
                site.local(one.received).strftime("%Y-%m-%d %H:%M:%S"),
                one.topic[:TOPIC_MAX],
                one.reason,
                plain.reason(one.reason).means,
            )
            for one in journal.quarantined(EXAMPLES_SHOWN)
        ),
    )


def _devices(journal: Journal, site: Site, now_ms: int, online: Mapping[str, bool]) -> tuple[DeviceRow, ...]:
    records = journal.records("device", now_ms - HEALTH_REACH_MS)
    latest = {record.tags["device"]: record for record in records if "gaps" in record.fields}
    return tuple(
        _device(journal, site, now_ms, name, latest.get(name), online.get(name)) for name in site.devices
    )


def with_lenses(devices: Sequence[DeviceRow], lenses: Mapping[str, str]) -> tuple[DeviceRow, ...]:
    """The rows, each camera's with how it is."""
    return tuple(replace(device, lens=lenses.get(device.name)) for device in devices)


def _device(
    journal: Journal, site: Site, now_ms: int, name: str, health: Record | None, online: bool | None
) -> DeviceRow:
    device = site.devices[name]
    numbers = {key: value for key, value in health.fields.items() if key != "gaps"} if health else {}
    seen = _time(site, health.time_ms) if health else None
    gaps = journal.gaps_of(name)
    sound = sound_of(journal, site, name, now_ms) if device.kind == "microphone" else None
    return DeviceRow(name, device.kind, site.point_of[name], device.test, online, seen, numbers, gaps, sound)


def _sink(journal: Journal, sink: Follower, rejected: Mapping[str, int]) -> SinkRow:
    name = _sink_name(sink)
    behind = max(0, journal.last_change() - journal.cursor(name))
    return SinkRow(name, behind, rejected.get(name, 0), sink.state.waiting)


def _sink_name(sink: Follower) -> str:
    return sink.name.removeprefix("sink-")
