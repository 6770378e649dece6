"""What a version of InfluxDB must be able to do, its settings, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from gateway.records import Record


class Settings(Protocol):
    """The `[influx]` table of site.toml (`gateway.config.InfluxSettings`)."""

    @property
    def url(self) -> str: ...
    @property
    def database(self) -> str: ...
    @property
    def bucket(self) -> str | None: ...
    @property
    def org(self) -> str | None: ...
    @property
    def token_file(self) -> Path | None: ...
    @property
    def username(self) -> str | None: ...
    @property
    def password_file(self) -> Path | None: ...


class Unacceptable(Exception):
    """The database refuses what these lines or records say; sending them again changes nothing."""


class NotNow(Exception):
    """The database cannot take anything at present; the text says why and what to do about it."""


class Store(Protocol):
    """One InfluxDB, whatever its version. Called by `Influx` only; every method may raise Unacceptable and NotNow."""

    def put(self, lines: Sequence[str]) -> None:
        """Writes lines of line protocol; on Unacceptable some of them may be stored. No lines: a check of access."""
        ...

    def remove(self, records: Sequence[Record]) -> None:
        """Deletes exactly these points (series by all tags, and time); a point that is not there is no error."""
        ...


def read_secret(path: Path | None) -> str | None:
    """The first line of a secret's file; NotNow names the file, never what is in it."""
    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NotNow(f"cannot read {path} ({type(error).__name__}); check [influx] in site.toml") from None
    if not lines or not lines[0].strip():
        raise NotNow(f"{path} is empty; its first line must be the password or token of InfluxDB")
    return lines[0].strip()
