"""InfluxDB 1.x: lines to /write, InfluxQL to /query.

On 1.6.7 deleting one point takes 0.4 ms in its cache, 70 to 110 ms once 60 days of data lie on disk.
Its index counts a new series twice when one request has two points of it; once that series is deleted, its
measurement counts as empty, and all other points of it are hidden. `rounds` therefore sends the second later.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from gateway.records import Record
from gateway.sinks.http import Http, Reply
from gateway.sinks.line import TAGS, kept_tags, plain, series_key, time_ns
from gateway.sinks.store import Settings, UnacceptableError, UnavailableError, read_secret

DELETES = 10
REFUSED = (400, 413, 422)  # the lines are at fault, not the server
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
DATABASE_MISSING = "database not found"


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a query's answer: rows of values under columns (time in ns)."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class InfluxV1:
    """A `Store` on InfluxDB 1.x; creates its database where it may."""

    def __init__(self, settings: Settings, http: Http) -> None:
        self._settings = settings
        self._http = http
        self._known: set[str] = set()  # series that this store has written and not deleted from since

    def put(self, lines: Sequence[str]) -> None:
        """POST /write, of each new series one point first; a missing database is made, and all go again."""
        if not self._put(lines):
            self._known.clear()
            self._create_database()
            if not self._put(lines):
                raise UnavailableError(self._how_to_create())

    def _put(self, lines: Sequence[str]) -> bool:
        """False when there is no such database."""
        for some in rounds(lines, self._known):
            reply = self._write("\n".join(some).encode())
            if reply.status == 404 and DATABASE_MISSING in reply.text:
                return False
            self._check(reply)
            self._known.update(map(series_key, some))
        return True

    def remove(self, records: Sequence[Record]) -> None:
        """One DELETE statement a point, so many in a request that it ends in time on a slow disk."""
        for start in range(0, len(records), DELETES):
            self._delete(records[start : start + DELETES])

    def count(self, measurement: str, field: str, start: int, end: int) -> int | None:
        """SELECT count(field)."""
        what = f"count({identifier(field)}) FROM {identifier(measurement)}"
        found = self.query(f"SELECT {what} WHERE time >= {start}ms AND time < {end}ms")
        return int(found[0].rows[0][1]) if found else 0

    def query(self, text: str) -> list[Series]:
        """The series that InfluxQL statements answer; UnacceptableError with its reason when one fails."""
        form = {"db": self._settings.database, "q": text, "epoch": "ns"}
        reply = self._http.request("POST", "/query", urlencode(form).encode(), FORM)
        self._check(reply)
        return _series(reply.text)

    def _write(self, body: bytes) -> Reply:
        path = urlencode({"db": self._settings.database, "precision": "ns"})
        return self._http.request("POST", f"/write?{path}", body)

    def _delete(self, records: Sequence[Record]) -> None:
        self._known.clear()
        try:
            self.query(";".join(delete_statement(record) for record in records))
        except UnacceptableError as error:
            if DATABASE_MISSING not in str(error):  # else there is nothing left to delete
                raise

    def _create_database(self) -> None:
        try:
            self.query(f"CREATE DATABASE {identifier(self._settings.database)}")
        except (UnacceptableError, UnavailableError):
            raise UnavailableError(self._how_to_create()) from None

    def _how_to_create(self) -> str:
        name, user = self._settings.database, self._settings.username
        grant = f" and: GRANT ALL ON {identifier(name)} TO {identifier(user)}" if user else ""
        return (
            f"InfluxDB has no database {name!r} and EmoBox may not create it; "
            f"run in the influx shell as its administrator: CREATE DATABASE {identifier(name)}{grant}"
        )

    def _check(self, reply: Reply) -> None:
        if reply.status < 300:
            return
        if reply.status in REFUSED:
            raise UnacceptableError(_reason(reply))
        raise UnavailableError(self._why(reply))

    def _why(self, reply: Reply) -> str:
        if reply.status == 401:
            return "InfluxDB refuses the user or password; check username and password_file of [influx]"
        if reply.status == 403:
            name, user = (
                identifier(self._settings.database),
                identifier(self._settings.username or "the user"),
            )
            return (
                f"InfluxDB does not let {user} write; run in the influx shell: GRANT ALL ON {name} TO {user}"
            )
        if reply.status == 404 and DATABASE_MISSING in reply.text:
            return self._how_to_create()
        if reply.status == 404:
            return "there is no InfluxDB 1.x at this address; check [influx] url in site.toml"
        return f"InfluxDB answers {reply.status}: {_reason(reply)}"


def rounds(lines: Sequence[str], known: Collection[str]) -> list[list[str]]:
    """The first line of every series that is not known, then the others in their order, if any."""
    first: dict[str, str] = {}
    later = [line for line in lines if _comes_later(line, first, known)]
    return [some for some in (list(first.values()), later) if some] or [[]]


def _comes_later(line: str, first: dict[str, str], known: Collection[str]) -> bool:
    key = series_key(line)
    return key in known or first.setdefault(key, line) is not line


def delete_statement(record: Record) -> str:
    """InfluxQL that deletes this one point; tags of spec 5 that the record has not are absent there too."""
    tags = dict.fromkeys(TAGS.get(record.measurement, ()), "") | kept_tags(record)
    conditions = [f"{identifier(name)} = {quoted(value)}" for name, value in tags.items()]
    where = " AND ".join([*conditions, f"time = {time_ns(record)}"])
    return f"DELETE FROM {identifier(plain(record.measurement))} WHERE {where}"


def identifier(name: str) -> str:
    """A name in InfluxQL's double quotes."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def quoted(text: str) -> str:
    """A string literal of InfluxQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def headers(settings: Settings) -> dict[str, str]:
    """The Authorization header: the token, else user and password; UnavailableError without their file."""
    token, password = read_secret(settings.token_file), read_secret(settings.password_file)
    if token is not None:
        return {"Authorization": f"Token {token}"}
    if settings.username is None:
        return {}
    pair = f"{settings.username}:{password or ''}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def _series(text: str) -> list[Series]:
    try:
        results = json.loads(text)["results"]
    except (ValueError, KeyError, TypeError):
        raise UnavailableError(
            "the answer to a query is not InfluxDB's; check [influx] url in site.toml"
        ) from None
    for result in results:
        if "error" in result:
            raise UnacceptableError(result["error"])
    found = [series for result in results for series in result.get("series", ())]
    return [Series(each.get("name", ""), tuple(each["columns"]), _rows(each)) for each in found]


def _rows(series: dict[str, Any]) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(row) for row in series.get("values", ()))


def _reason(reply: Reply) -> str:
    try:
        return str(json.loads(reply.text)["error"])[:500]
    except (ValueError, KeyError, TypeError):
        return reply.text.strip()[:500] or f"status {reply.status}"
