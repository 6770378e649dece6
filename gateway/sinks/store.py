"""What a version of InfluxDB must be able to do, its settings, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from gateway.records import Record


class Settings(Protocol):
    """The `[influx]` table of site.toml (`gateway.config.Influx`)."""

    @property
    def url(self) -> str: ...
    @property
    def database(self) -> str: ...
    @property
    def bucket(self) -> str | None: ...
    @property
    def org(self) -> str | None: ...
    @property
    def token_file(self) -> str | None: ...
    @property
    def username(self) -> str | None: ...
    @property
    def password_file(self) -> str | None: ...


class UnacceptableError(Exception):
    """The database refuses what these lines or records say; sending them again changes nothing."""


class ImpossibleError(UnacceptableError):
    """This kind of database cannot do it at all: known here, whatever it would answer."""


class UnavailableError(Exception):
    """The database cannot take anything at present; the text says why and what to do about it."""


class Store(Protocol):
    """One InfluxDB. Only `Influx` calls it; every method may raise UnacceptableError, UnavailableError."""

    def put(self, lines: Sequence[str]) -> None:
        """Writes lines; on UnacceptableError some of them may be stored. No lines: a check of access."""
        ...

    def remove(self, records: Sequence[Record]) -> None:
        """Deletes exactly these points (all tags, and time); one that is not there is no error."""
        ...

    def count(self, measurement: str, field: str, start: int, end: int) -> int | None:
        """Points with that field and start ≤ time < end (ms since 1970); None where it cannot be asked."""
        ...


def read_secret(path: str | None) -> str | None:
    """The first line of a secret's file; UnavailableError names the file, never what is in it."""
    if path is None:
        return None
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnavailableError(
            f"cannot read {path} ({type(error).__name__}); check [influx] in site.toml"
        ) from None
    if not lines or not lines[0].strip():
        raise UnavailableError(f"{path} is empty; its first line must be the password or token of InfluxDB")
    return lines[0].strip()
