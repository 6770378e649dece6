"""What the page shows of machines: devices, what was put aside, the targets of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gateway import plain
from gateway.config import Site
from gateway.journal import Journal
from gateway.records import Record, Value
from gateway.sinks.reader import State
from gateway.sound import Sound, sound_of
from gateway.today.customers import time_of

EXAMPLES_SHOWN = 10
HEALTH_REACH_MS = 2 * 3_600_000
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

    `heard` is when its newest event of any kind arrived, None where it never spoke or all of it is deleted.
    `sound` is how a microphone hears, `lens` how a camera is, in plain words.
    """

    name: str
    kind: str
    point: str
    test: bool
    online: bool | None
    seen: str | None
    heard: str | None
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


def device_rows(
    journal: Journal, site: Site, now_ms: int, online: Mapping[str, bool]
) -> tuple[DeviceRow, ...]:
    """Every configured device with its newest health."""
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
    seen = time_of(site, health.time_ms) if health else None
    arrived = journal.last_heard(name)
    heard = site.local(arrived).strftime("%Y-%m-%d %H:%M") if arrived is not None else None
    gaps = journal.gaps_of(name)
    sound = sound_of(journal, site, name, now_ms) if device.kind == "microphone" else None
    point = site.point_of[name]
    return DeviceRow(name, device.kind, point, device.test, online, seen, heard, numbers, gaps, sound)


def sink_row(journal: Journal, sink: Follower, rejected: Mapping[str, int]) -> SinkRow:
    """One target of records."""
    name = sink_name(sink)
    behind = max(0, journal.last_change() - journal.cursor(name))
    return SinkRow(name, behind, rejected.get(name, 0), sink.state.waiting)


def sink_name(sink: Follower) -> str:
    """A target's name, without what its thread adds."""
    return sink.name.removeprefix("sink-")
