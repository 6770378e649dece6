"""InfluxDB as a sink, whatever its version: corrections in order, bad records singled out, waits that grow.

| what happens                       | wait            | what is done                                       |
|------------------------------------|-----------------|----------------------------------------------------|
| refused, 429, 500, time-out        | 1 s to 60 s     | the same changes again; why says what to do        |
| 401, 403, no database, no secret   | 1 s to 60 s     | the same, with what to run or to put right         |
| 400, 413, 422 (a bad line)         | none            | halves, down to the bad one: quarantined, with why |
| the same for what it took before   | 1 s to 60 s     | no line is at fault: the same changes again        |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TypeVar

from gateway.records import Change
from gateway.sinks import Answer, Refused, RetryAfter, settled
from gateway.sinks.http import Http
from gateway.sinks.influx_v1 import InfluxV1, headers
from gateway.sinks.line import RecordError, line
from gateway.sinks.store import ImpossibleError, Settings, Store, UnacceptableError, UnavailableError

WAIT_FIRST_S = 1.0
WAIT_MAX_S = 60.0
LOOK = "check [influx] in site.toml, and what stands between here and the database"

Sent = TypeVar("Sent")
Pair = tuple[Change, Sent]


def open_influx(settings: Settings) -> Influx:
    """The sink for the configured InfluxDB; nothing is asked of it before the first write."""
    return Influx(lambda: detect(settings))


class Influx:
    """A `Sink`; `find` gives the store of the version that is running (may raise UnavailableError)."""

    name = "influx"

    def __init__(self, find: Callable[[], Store]) -> None:
        self._find = find
        self._store: Store | None = None
        self._wait_s = WAIT_FIRST_S
        self._taken: Sequence[str] = ()
        self._doubt = ""

    def write(self, changes: Sequence[Change]) -> Answer:
        """Puts and deletes in the order of the journal."""
        try:
            refused = self._certain(self._connect(), changes)
        except UnavailableError as error:
            return self._later(str(error))
        self._wait_s = WAIT_FIRST_S
        return settled(changes[-1].position, refused)

    def check(self) -> str | None:
        """For the doctor: what keeps records from being stored now, in plain words, or None."""
        try:
            self._connect().put([])
        except (UnavailableError, UnacceptableError) as error:
            self._store = None
            return str(error)
        return None

    def count(self, measurement: str, field: str, start: int, end: int) -> int | None:
        """For the doctor: points with start ≤ time < end (ms since 1970); None where it cannot be asked."""
        try:
            return self._connect().count(measurement, field, start, end)
        except (UnavailableError, UnacceptableError):
            self._store = None
            return None

    def _connect(self) -> Store:
        self._store = self._store or self._find()
        return self._store

    def _later(self, why: str) -> RetryAfter:
        self._store = None  # it may come back as another version, or with another password
        wait_s, self._wait_s = self._wait_s, min(WAIT_MAX_S, self._wait_s * 2)
        return RetryAfter(wait_s, why)

    def _certain(self, store: Store, changes: Sequence[Change]) -> tuple[Refused, ...]:
        """What is refused for sure; UnavailableError while nothing was ever taken that proves it right."""
        self._doubt = ""
        refused = tuple(self._write(store, changes))
        if self._doubt and self._taken:
            refused = tuple(self._write(store, changes))
        elif self._doubt:
            raise UnavailableError(f"InfluxDB has taken nothing yet and refuses: {self._doubt}; {LOOK}")
        return refused

    def _write(self, store: Store, changes: Sequence[Change]) -> Iterator[Refused]:
        for op, run in groupby(changes, key=lambda change: change.op):
            yield from (self._put if op == "put" else self._remove)(store, tuple(run))

    def _put(self, store: Store, changes: Sequence[Change]) -> Iterator[Refused]:
        pairs: list[Pair[str]] = []
        for change in changes:
            try:
                pairs.append((change, line(change.record)))
            except RecordError as error:
                yield Refused(change, str(error))
        yield from self._send(store, partial(self._take, store), pairs)

    def _remove(self, store: Store, changes: Sequence[Change]) -> Iterator[Refused]:
        self._taken = ()  # it may be among them, and must not come back
        pairs = [(change, change.record) for change in changes if _was_stored(change)]
        yield from self._send(store, store.remove, pairs)

    def _take(self, store: Store, lines: Sequence[str]) -> None:
        store.put(lines)
        self._taken = lines[-1:]

    def _send(
        self, store: Store, send: Callable[[Sequence[Sent]], None], pairs: Sequence[Pair[Sent]]
    ) -> Iterator[Refused]:
        """Sends all; where the database refuses, sends halves, so that only the bad ones are left out."""
        if not pairs:
            return
        try:
            send([what for _, what in pairs])
        except UnacceptableError as error:
            if len(pairs) == 1:
                yield from self._refusal(store, send, pairs[0], error)
                return
            middle = len(pairs) // 2
            yield from self._send(store, send, pairs[:middle])
            yield from self._send(store, send, pairs[middle:])

    def _refusal(
        self, store: Store, send: Callable[[Sequence[Sent]], None], pair: Pair[Sent], error: UnacceptableError
    ) -> Iterator[Refused]:
        """Believed when the database takes what it took last, and refuses this one again."""
        if not self._taken or isinstance(error, ImpossibleError):
            self._doubt = self._doubt if isinstance(error, ImpossibleError) else str(error)
            yield Refused(pair[0], str(error))
            return
        self._check_sound(store)
        try:
            send([pair[1]])
        except UnacceptableError as again:
            yield Refused(pair[0], str(again))

    def _check_sound(self, store: Store) -> None:
        """UnavailableError when the database now refuses even the line that it took last."""
        try:
            store.put(self._taken)
        except UnacceptableError as error:
            raise UnavailableError(f"InfluxDB refuses even what it took before: {error}; {LOOK}") from None


def _was_stored(change: Change) -> bool:
    """A record that has no line was refused when it was put: there is nothing to delete."""
    try:
        line(change.record)
    except RecordError:
        return False
    return True


def detect(settings: Settings) -> Store:
    """The store for the version that the server names; without one: 2.x where a bucket is configured."""
    http = Http(settings.url, headers(settings))
    major = version(http)[:1] or ("2" if settings.bucket else "1")
    if major in ("0", "1"):
        return InfluxV1(settings, http)
    http.close()
    from gateway.sinks.influx_v2 import InfluxV2  # its client and numpy take 24 MB: not where 1.x runs

    return InfluxV2(settings, can_delete=major == "2")


def version(http: Http) -> str:
    """The version's number as text, such as 1.6.7 or 2.7.11; empty when the server does not tell."""
    ping = http.request("GET", "/ping")
    named = ping.headers.get("x-influxdb-version", "") or _json_version(ping.text)
    return (named or _json_version(http.request("GET", "/health").text)).lstrip("v")


def _json_version(text: str) -> str:
    try:
        answer = json.loads(text)
    except ValueError:
        return ""
    return str(answer.get("version", "")) if isinstance(answer, dict) else ""
