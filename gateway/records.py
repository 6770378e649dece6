"""What leaves the hub: records of spec 5, and the changes of them that sinks follow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

Value = int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a measurement of spec 5; a None field is not written."""

    id: str
    measurement: str
    time_ms: int
    tags: dict[str, str]
    fields: dict[str, Value]

    @property
    def time_ns(self) -> int:
        """Time in the store: the sub-millisecond digits are spec 5's tie-breaker, derived from the id."""
        return self.time_ms * 1_000_000 + crc32(self.id.encode()) % 1_000_000

    def to_json(self) -> str:
        """Canonical text: equal records have equal texts."""
        body = [self.measurement, self.time_ms, self.tags, self.fields]
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @staticmethod
    def from_json(record_id: str, text: str) -> Record:
        """The record that `to_json` wrote."""
        return Record(record_id, *json.loads(text))


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the journal's records, in the order in which sinks follow it."""

    position: int
    op: Literal["put", "retract"]
    record: Record


Op = tuple[str, Record]
"""`put` or `retract`, and the record."""


def difference(old: Mapping[str, Record], new: Mapping[str, Record]) -> Iterator[Op]:
    """Steps from old to new; a record that cannot be overwritten is taken back before it is put again."""
    for name, record in old.items():
        fresh = new.get(name)
        if fresh is not record and (fresh is None or not _overwrites(fresh, record)):
            yield "retract", record
    for name, record in new.items():
        before = old.get(name)
        if before is not record and before != record:
            yield "put", record


def _overwrites(new: Record, old: Record) -> bool:
    """Whether a store that merges fields of one series and time ends up with `new` alone."""
    kept = {name for name, value in old.fields.items() if value is not None}
    given = {name for name, value in new.fields.items() if value is not None}
    return (new.tags, new.time_ms) == (old.tags, old.time_ms) and kept <= given
