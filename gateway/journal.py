"""The store that every promise rests on: an append-only SQLite journal (only importer of sqlite3)."""

from __future__ import annotations

import fcntl
import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gateway.events import Arrival, Event, Quarantined, decode
from gateway.records import Change, Record

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE events (
    n INTEGER PRIMARY KEY, device TEXT NOT NULL, boot NOT NULL, seq NOT NULL,
    received INTEGER NOT NULL, age INTEGER, t INTEGER, kind TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (device, boot, seq));
CREATE INDEX events_by_time ON events (t, kind, device) WHERE t IS NOT NULL;
CREATE TABLE streams (device TEXT, boot, top NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (device, boot));
CREATE TABLE quarantine (
    n INTEGER PRIMARY KEY, received INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    reason TEXT NOT NULL, line INTEGER);
CREATE TABLE records (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, op TEXT NOT NULL,
    measurement TEXT NOT NULL, time_ms INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX records_by_id ON records (id, position);
CREATE INDEX records_by_time ON records (measurement, time_ms);
CREATE TABLE rejected (position INTEGER, reader TEXT, why TEXT, PRIMARY KEY (position, reader));
CREATE TABLE cursors (reader TEXT PRIMARY KEY, position INTEGER NOT NULL);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
SQLITE_INT_MAX = 2**63 - 1
BATCH = 1000


class JournalError(Exception):
    """The journal cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """A stored event and its place; `event` is None when its time is not trusted."""

    n: int
    device: str
    kind: str
    event: Event | None


class Journal:
    """One file; any thread may call. Writes are durable when the call returns, unless `durable` is False."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path, self._durable = path, durable
        self._local = threading.local()
        self._write = threading.RLock()
        self.grown = threading.Condition()
        self._version = 0
        self._guard: IO[str] | None = None
        self._read_only = False
        self._connections: list[sqlite3.Connection] = []

    def open(self, *, read_only: bool = False) -> None:
        """Create or open the file; JournalError when another hub has it or a newer version wrote it.

        Read-only it may be opened beside a running hub; then it must be there, and nothing is written.
        """
        self._read_only = read_only
        if read_only:
            self._check_there()
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._guard = self._path.with_suffix(".lock").open("w")
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"{self._path}: another hub is using this journal; stop it first") from None
        except OSError as error:
            raise JournalError(f"{self._path}: cannot be opened: {error.strerror}") from None
        self._migrate()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Inside, a read that the file's damage or a disk's failure stops is a JournalError."""
        try:
            yield
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: cannot be read: {error}") from error

    def close(self) -> None:
        """Let go of the file; every thread's connection ends."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._local = threading.local()
        if self._guard:
            self._guard.close()

    # ---- events -------------------------------------------------------------------------------------

    def append(self, batch: Sequence[Arrival | Quarantined]) -> None:
        """Store a batch in one commit; copies are counted, copies that differ are quarantined `conflict`."""
        streams: dict[tuple[str, int], list[int]] = {}
        with self._transaction() as db:
            for item in batch:
                if isinstance(item, Quarantined):
                    self._quarantine(db, item)
                elif self._insert(db, item):
                    streams.setdefault((item.device, item.boot), []).append(item.seq)
            for (device, boot), seqs in streams.items():
                self._grow_stream(db, device, boot, seqs)
        self._notify()

    def _insert(self, db: sqlite3.Connection, item: Arrival) -> bool:
        key = (item.device, _fit(item.boot), _fit(item.seq))
        values = (*key, item.received, item.age, item.t, item.kind, item.body)
        added = db.execute(
            "INSERT INTO events (device, boot, seq, received, age, t, kind, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            values,
        ).rowcount
        if added:
            return True
        (kept,) = db.execute("SELECT body FROM events WHERE (device, boot, seq) = (?, ?, ?)", key).fetchone()
        if kept == item.body:
            self._count(db, "duplicates")
        else:
            self._quarantine(db, _conflict(item))
        return False

    def _grow_stream(self, db: sqlite3.Connection, device: str, boot: int, seqs: list[int]) -> None:
        row = db.execute(
            "SELECT top, count FROM streams WHERE (device, boot) = (?, ?)", (device, _fit(boot))
        ).fetchone()
        top, count = (int(row[0]), row[1]) if row else (0, 0)
        db.execute(
            "INSERT OR REPLACE INTO streams VALUES (?, ?, ?, ?)",
            (device, _fit(boot), _fit(max(top, *seqs)), count + len(seqs)),
        )

    def _quarantine(self, db: sqlite3.Connection, item: Quarantined) -> None:
        db.execute(
            "INSERT INTO quarantine (received, topic, payload, reason, line) VALUES (?, ?, ?, ?, ?)",
            (item.received, item.topic, item.payload, item.reason, item.line),
        )

    def events_after(self, position: int, limit: int = BATCH) -> list[Row]:
        """The next events in order of arrival."""
        return list(self._rows("WHERE n > ? ORDER BY n LIMIT ?", (position, limit)))

    def last_event(self) -> int:
        """Place of the newest event."""
        return self._number("SELECT coalesce(max(n), 0) FROM events")

    def events_between(
        self, devices: Iterable[str], start: int, end: int, position: int = SQLITE_INT_MAX
    ) -> Iterator[Event]:
        """Trusted events of these devices with start ≤ t ≤ end, in order of t, up to a place."""
        marks, names = _marks(devices)
        rows = self._rows(
            f"WHERE t BETWEEN ? AND ? AND n <= ? AND device IN ({marks}) ORDER BY t",
            (start, end, position, *names),
        )
        return (row.event for row in rows if row.event)

    def quiet_before(self, devices: Iterable[str], t: int, gap_ms: int, position: int) -> int | None:
        """Start of the last stretch up to t without a quiet over gap_ms; None when nothing happened at all.

        Faces do not break a quiet; events beyond the place `position` are not looked at. When nothing
        happened up to t it is the first that happened after.
        """
        marks, names = _marks(devices)
        happened = f"kind IN ('press', 'click', 'phrase') AND n <= ? AND device IN ({marks})"
        rows = self._db.execute(
            f"SELECT t FROM events WHERE {happened} AND t <= ? ORDER BY t DESC", (position, *names, t)
        )
        start: int | None = None
        for (earlier,) in rows:
            if start is not None and start - earlier > gap_ms:
                break
            start = earlier
        if start is None:
            query = f"SELECT min(t) FROM events WHERE {happened} AND t > ?"
            (start,) = self._db.execute(query, (position, *names, t)).fetchone()
        return start

    def count_untrusted(self, kind: str) -> int:
        """Events of a kind whose time is not trusted."""
        query = "SELECT count(*) FROM events WHERE t IS NULL AND kind = ?"
        return self._number(query, kind)

    def duplicates(self) -> int:
        """Equal copies that arrived again."""
        return self._number("SELECT coalesce(sum(value), 0) FROM counters WHERE name = 'duplicates'")

    def gaps(self) -> int:
        """Sum over (device, boot) of the highest seq less the number of distinct seq."""
        return sum(int(top) - count for top, count in self._db.execute("SELECT top, count FROM streams"))

    def gaps_of(self, device: str) -> int:
        """The same for one device."""
        rows = self._db.execute("SELECT top, count FROM streams WHERE device = ?", (device,))
        return sum(int(top) - count for top, count in rows)

    def quarantined(self, limit: int = -1) -> list[Quarantined]:
        """The quarantine, newest first; limit −1 is all of it."""
        rows = self._db.execute(
            "SELECT received, topic, payload, reason, line FROM quarantine ORDER BY n DESC LIMIT ?", (limit,)
        )
        return [Quarantined(r, topic, p, why, line=line) for r, topic, p, why, line in rows]

    def quarantine_counts(self) -> dict[str, int]:
        """Quarantined messages by the first word of their reason."""
        rows = self._db.execute("SELECT reason FROM quarantine")
        return dict(Counter(reason.partition(":")[0] for (reason,) in rows))

    # ---- records ------------------------------------------------------------------------------------

    def record(self, reader: str, position: int, changes: Sequence[tuple[str, Record]]) -> None:
        """Append (op, record) changes and move the reader's cursor, in one commit."""
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO records (id, op, measurement, time_ms, body) VALUES (?, ?, ?, ?, ?)",
                [(r.id, op, r.measurement, r.time_ms, r.to_json()) for op, r in changes],
            )
            self._move(db, reader, position)
        if changes:
            self._notify()

    def records(self, measurement: str, start: int = 0, end: int = SQLITE_INT_MAX) -> list[Record]:
        """Records in force with start ≤ time < end, in order of time."""
        rows = self._db.execute(
            "SELECT id, body FROM records AS r WHERE measurement = ? AND time_ms >= ? AND time_ms < ?"
            " AND op = 'put' AND position = (SELECT max(position) FROM records WHERE id = r.id)"
            " ORDER BY time_ms, id",
            (measurement, start, end),
        )
        return [Record.from_json(*row) for row in rows]

    def last_time(self, measurement: str) -> int:
        """Time of the newest record of a measurement, in ms; 0 without any."""
        query = "SELECT coalesce(max(time_ms), 0) FROM records WHERE measurement = ?"
        return self._number(query, measurement)

    def changes_after(self, position: int, limit: int = BATCH) -> list[Change]:
        """The next changes of records, in order."""
        rows = self._db.execute(
            "SELECT position, op, id, body FROM records WHERE position > ? ORDER BY position LIMIT ?",
            (position, limit),
        )
        return [Change(place, op, Record.from_json(name, body)) for place, op, name, body in rows]

    def reject(self, reader: str, change: Change, why: str) -> None:
        """Note that a sink will never take this record, and why."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO rejected VALUES (?, ?, ?)", (change.position, reader, why))

    def rejected(self) -> list[tuple[int, str, str]]:
        """(position, reader, why) of the records that some sink refused."""
        return list(self._db.execute("SELECT position, reader, why FROM rejected ORDER BY position"))

    def last_change(self) -> int:
        """Position of the newest change of a record."""
        return self._number("SELECT coalesce(max(position), 0) FROM records")

    # ---- readers ------------------------------------------------------------------------------------

    def cursor(self, reader: str) -> int:
        """How far a reader came; 0 at first."""
        query = "SELECT coalesce(max(position), 0) FROM cursors WHERE reader = ?"
        return self._number(query, reader)

    def set_cursor(self, reader: str, position: int) -> None:
        """Remember how far a reader came."""
        with self._transaction() as db:
            self._move(db, reader, position)

    @property
    def version(self) -> int:
        """Grows with every commit that a reader may care about."""
        return self._version

    def wait(self, seen: int, timeout_s: float) -> int:
        """Sleep until the journal has grown since version `seen`, or the time is up; the version then."""
        with self.grown:
            self.grown.wait_for(lambda: self._version != seen, timeout_s)
            return self._version

    def wake(self) -> None:
        """Let every waiting reader look around."""
        self._notify()

    # ---- inside -------------------------------------------------------------------------------------

    @property
    def _db(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        return connection

    def _connect(self) -> sqlite3.Connection:
        address = f"{self._path.resolve().as_uri()}{'?mode=ro' if self._read_only else ''}"
        db = sqlite3.connect(address, timeout=30, isolation_level=None, check_same_thread=False, uri=True)
        self._connections.append(db)
        if not self._read_only:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
        return db

    def _check_there(self) -> None:
        try:
            version = self._number("PRAGMA user_version")
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: there is no journal yet ({error}); start the hub") from None
        if version != SCHEMA_VERSION:
            raise JournalError(f"{self._path}: is of another version of EmoBox; start the hub once")

    def _migrate(self) -> None:
        version = self._number("PRAGMA user_version")
        if version == 0:
            self._db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        elif version > SCHEMA_VERSION:
            raise JournalError(f"{self._path}: was written by a newer EmoBox; install that version again")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; JournalError when the disk does not take it."""
        with self._write:
            db = self._db
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except BaseException as error:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise JournalError(f"{self._path}: cannot be written: {error}") from error
                raise

    def _rows(self, where: str, parameters: tuple[Any, ...]) -> Iterator[Row]:
        rows = self._db.execute(f"SELECT n, device, boot, seq, t, kind, body FROM events {where}", parameters)
        for n, device, boot, seq, t, kind, body in rows:
            event = None if t is None else decode(device, int(boot), int(seq), t, kind, body)
            yield Row(n, device, kind, event)

    def _number(self, query: str, *parameters: Any) -> int:
        (value,) = self._db.execute(query, parameters).fetchone()
        return int(value)

    def _count(self, db: sqlite3.Connection, name: str) -> None:
        db.execute(
            "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", (name,)
        )

    def _move(self, db: sqlite3.Connection, reader: str, position: int) -> None:
        db.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (reader, position))

    def _notify(self) -> None:
        with self.grown:
            self._version += 1
            self.grown.notify_all()


def _fit(number: int) -> int | str:
    """SQLite keeps 64 bits; a larger integer, which JSON allows, is kept as text."""
    return number if number <= SQLITE_INT_MAX else str(number)


def _marks(devices: Iterable[str]) -> tuple[str, list[str]]:
    names = list(devices)
    return ", ".join("?" * len(names)), names


def _conflict(item: Arrival) -> Quarantined:
    payload = json.dumps({**json.loads(item.body), "age": item.age}).encode()
    reason = "conflict: another event has this identity"
    return Quarantined(
        item.received, item.device, payload, reason, item.device, (item.boot, item.seq), item.line
    )
