"""Helpers for tests on a real InfluxDB: settings, records, one-line queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.records import Change, Record, Value
from gateway.sinks.http import Http
from gateway.sinks.influx_v1 import InfluxV1, headers
from tests.servers import Server


@dataclass(frozen=True)
class Access:
    """The `[influx]` table of a test."""

    url: str
    database: str = "emobox"
    bucket: str | None = None
    org: str | None = None
    token_file: str | None = None
    username: str | None = None
    password_file: str | None = None


def secret(folder: Path, text: str) -> str:
    """The path of a file that holds a secret."""
    path = folder / f"secret-{abs(hash(text))}"
    path.write_text(text + "\n")
    return str(path)


def store(access: Access) -> InfluxV1:
    """The 1.x store itself."""
    return InfluxV1(access, Http(access.url, headers(access)))


def rows(server: Server | Access, query: str) -> list[tuple[Any, ...]]:
    """The rows of all series that a query answers, without times."""
    found = store(Access(server.url) if isinstance(server, Server) else server).query(query)
    return [row[1:] for series in found for row in series.rows]


def one(server: Server | Access, query: str) -> Any:
    """The only value of a query's answer; None when there is none."""
    found = rows(server, query)
    return found[0][0] if found else None


def put(position: int, record: Record) -> Change:
    return Change(position, "put", record)


def retract(position: int, record: Record) -> Change:
    return Change(position, "retract", record)


def record(
    key: str,
    fields: Mapping[str, Value],
    *,
    time_ms: int = 1_790_000_000_000,
    measurement: str = "press",
    tags: Mapping[str, str] | None = None,
) -> Record:
    return Record(key, measurement, time_ms, {"site": "s", "point": "p"} | dict(tags or {}), dict(fields))
