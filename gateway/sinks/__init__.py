"""Where the journal's records go: every target is a `Sink`, fed by a `SinkReader` with its own cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.records import Change


@dataclass(frozen=True, slots=True)
class Done:
    """Everything up to and including position is in the target."""

    position: int


@dataclass(frozen=True, slots=True)
class Refused:
    """One change that the target will never take, and why, in plain words."""

    change: Change
    why: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Everything up to and including position is in the target, but for these (for the quarantine)."""

    position: int
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """The target cannot take them now: ask again with the same changes; why says what to do."""

    seconds: float
    why: str


Answer = Done | Rejected | RetryAfter


class Sink(Protocol):
    """A target of records. Called by one `SinkReader` thread only.

    write takes changes in journal order, at least one. It may be called again with changes that the target
    has already (after a crash, or after RetryAfter): that must leave the target as one call would.
    It raises nothing: a target that is down, full or misconfigured is RetryAfter; a change that can never be
    taken is Rejected.
    """

    @property
    def name(self) -> str:
        """The cursor's name in the journal; never changes between versions."""
        ...

    def write(self, changes: Sequence[Change]) -> Answer:
        """Brings the target up to the last of these changes."""
        ...


def settled(position: int, refused: Sequence[Refused]) -> Done | Rejected:
    """Done, or Rejected when something was refused on the way to position."""
    return Rejected(position, tuple(refused)) if refused else Done(position)
