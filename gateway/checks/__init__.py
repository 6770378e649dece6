"""What the doctor looks at, one file a kind; every check yields findings and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is right or wrong in a shop: what it is, what to do next (empty when well)."""

    level: Literal["ok", "warning", "error"]
    what: str
    do: str = ""


def ok(what: str) -> Finding:
    """All is well."""
    return Finding("ok", what)


def warning(what: str, do: str) -> Finding:
    """The shop can work, but less well than it could."""
    return Finding("warning", what, do)


def error(what: str, do: str) -> Finding:
    """Something that the shop needs does not work."""
    return Finding("error", what, do)
