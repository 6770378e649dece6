"""What the journal may forget: deletion by age, erasure of a stretch, superseded versions (spec 7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.journal.events import ERASED, UNTRUSTED, count, drop_quarantine
from gateway.journal.file import Connection, JournalFile, marks, reads
from gateway.journal.records import put
from gateway.journal.trail import Note, Texts, add_notes, rewrite
from gateway.records import Record

ALL, FACES, RECORDS = "all", "faces", "records"
EVENT_READER = "fusion"
EARLIEST = -(2**62)
HORIZON = "horizon/"
TAKEN = "n < (SELECT max(position) FROM cursors WHERE reader = ?)"

Span = tuple[str, str, int]
"""Point, `all` or `faces`, end in ms."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A stretch of a point, start ≤ t < end in ms, whose events (`all`, or the `faces`) are deleted."""

    what: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """Erase what these devices sent, start ≤ t < end; records of the wider stretch keep their judgement.

    Times in ms; the records are those to take back, the lines those of the audit log without the erased.
    """

    point: str
    devices: Sequence[str]
    start: int
    end: int
    frozen_start: int
    frozen_end: int
    records: Sequence[Record]
    lines: Texts


Receipt = Callable[[Erasure, int, Mapping[str, str]], Note]
"""Makes the receipt of what is erased, how many events, and the seals of the lines that were rewritten."""


class Keeping(JournalFile):
    """The part of the journal that forgets."""

    @reads
    def gone(self, point: str) -> list[Gone]:
        """Stretches of a point that must not be judged again."""
        query = "SELECT what, start, end FROM gone WHERE point = ?"
        return [Gone(*row) for row in self._db.execute(query, (point,))]

    def begin_deletion(
        self, horizons: Mapping[str, int], spans: Sequence[Span] = (), notes: Sequence[Note] = ()
    ) -> None:
        """Say what is about to be deleted: what lies before a span's end is never judged again."""

        def work(db: Connection) -> None:
            for name, horizon in horizons.items():
                db.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (f"{HORIZON}{name}", horizon))
            for point, what, end in spans:
                db.execute("DELETE FROM gone WHERE (point, what, start) = (?, ?, ?)", (point, what, EARLIEST))
                db.execute("INSERT INTO gone VALUES (?, ?, ?, ?)", (point, what, EARLIEST, end))
            count(db, "shrunk", int(bool(spans)))
            add_notes(db, notes)

        self._finish(work)

    def oldest(self) -> int:
        """Time of the oldest event or contact, in ms."""
        events = "SELECT min(t) AS t FROM events WHERE t IS NOT NULL"
        contacts = "SELECT min(time_ms) FROM records WHERE measurement = 'contact'"
        return self._number(f"SELECT coalesce(min(t), 1 << 62) FROM ({events} UNION ALL {contacts})")

    def horizon(self, name: str) -> int:
        """Before this time, in ms, things of this name were deleted by age; 0 when none were."""
        query = "SELECT coalesce(max(value), 0) FROM counters WHERE name = ?"
        return self._number(query, f"{HORIZON}{name}")

    def delete_events(self, devices: Iterable[str], faces: bool, before: int, limit: int) -> int:
        """Delete at most `limit` events that happened before a time: only faces, or all but faces.

        Never one that the recorder has not taken, nor the newest of all.
        """
        signs, names = marks(devices)
        chosen = (
            f"SELECT n FROM events WHERE t < ? AND kind {'=' if faces else '<>'} 'face'"
            f" AND device IN ({signs}) AND {TAKEN} LIMIT ?"
        )
        return self._finish(lambda db: _delete(db, chosen, (before, *names, EVENT_READER, limit)))

    def delete_untrusted(self, before: int, limit: int) -> int:
        """Delete at most `limit` events of untrusted time (and blanked ones) that arrived before a time."""
        chosen = f"SELECT n, kind FROM events WHERE t IS NULL AND received < ? AND {TAKEN} LIMIT ?"

        def work(db: Connection) -> int:
            kinds = Counter(kind for _, kind in db.execute(chosen, (before, EVENT_READER, limit)))
            for kind, number in kinds.items():
                count(db, f"{UNTRUSTED}{kind}", number)
            return _delete(db, chosen.replace("n, kind", "n"), (before, EVENT_READER, limit))

        return self._finish(work)

    def last_received(self) -> int:
        """When the newest event arrived, in ms; 0 without any."""
        query = "SELECT coalesce(max(received), 0) FROM (SELECT received FROM events ORDER BY n DESC LIMIT 1)"
        return self._number(query)

    @reads
    def devices(self) -> list[str]:
        """Every device that an event ever came from."""
        return [name for (name,) in self._db.execute("SELECT DISTINCT device FROM streams")]

    def delete_quarantine(self, before: int, limit: int) -> int:
        """Delete at most `limit` quarantined messages that arrived before a time; they stay counted."""
        return self._finish(lambda db: drop_quarantine(db, "received < ? LIMIT ?", (before, limit)))

    def retire(self, measurement: str, before: int, limit: int) -> int:
        """Take back at most `limit` records from before a time, so that every sink deletes them."""
        old = (
            "SELECT id, body FROM records AS r WHERE measurement = ? AND time_ms < ? AND op = 'put'"
            " AND position = (SELECT max(position) FROM records WHERE id = r.id) LIMIT ?"
        )

        def work(db: Connection) -> int:
            found = [Record.from_json(*row) for row in db.execute(old, (measurement, before, limit))]
            put(db, [("retract", record) for record in found])
            return len(found)

        retired = self._finish(work)
        if retired:
            self._notify()
        return retired

    def compact(self, readers: Iterable[str], after: int, limit: int) -> tuple[int, int]:
        """Drop superseded versions of records, and what was taken back, once every reader is past it.

        Looks at `limit` changes after a position; how many were dropped, and the position to go on from
        (0: from the start).
        """
        signs, names = marks(readers)

        def work(db: Connection) -> tuple[int, int]:
            cursors = f"SELECT position FROM cursors WHERE reader IN ({signs})"
            places = [place for (place,) in db.execute(cursors, names)]
            passed = min(places) if len(places) == len(names) else 0
            (newest,) = db.execute("SELECT coalesce(max(position), 0) FROM records").fetchone()
            rows = "SELECT position, id, op FROM records WHERE position > ? ORDER BY position LIMIT ?"
            seen = db.execute(rows, (after, limit)).fetchall()
            end = min(passed, newest - 1, seen[-1][0] if seen else 0)
            chosen = [(n,) for n, name, op in seen if n <= end and _is_over(db, n, name, op, passed)]
            db.executemany("DELETE FROM records WHERE position = ?", chosen)
            return len(chosen), end if len(seen) == limit and end == seen[-1][0] else 0

        return self._finish(work)

    def erase(self, plan: Callable[[], Erasure], note: Receipt) -> tuple[Erasure, int]:
        """Blank events and quarantined messages, take back records, rewrite audit lines, in one commit.

        What was erased, and how many events. The plan is made inside the commit. An event's identity stays,
        so that a copy that arrives later is not taken for a new one.
        """

        def work(db: Connection) -> tuple[Erasure, int]:
            erasure = plan()
            events = _blank(db, erasure)
            put(db, [("retract", record) for record in erasure.records])
            _drop_versions(db, erasure)
            gone = (erasure.point, ALL, erasure.frozen_start, erasure.frozen_end)
            db.execute("INSERT INTO gone VALUES (?, ?, ?, ?)", gone)
            count(db, "shrunk")
            add_notes(db, [note(erasure, events, rewrite(db, erasure.lines))])
            return erasure, events

        self._db.execute("PRAGMA secure_delete = ON")
        done = self._finish(work)
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._notify()
        return done


def _drop_versions(db: Connection, erasure: Erasure) -> None:
    """Every version of a record of the stretch, in force or not; what is needed to take it back stays."""
    rows = db.execute(
        "SELECT position, id, body FROM records WHERE op = 'put' AND time_ms >= ? AND time_ms < ?"
        " AND measurement IN (SELECT DISTINCT measurement FROM records WHERE measurement <> 'index')",
        (erasure.start, erasure.end),
    ).fetchall()
    for position, name, body in rows:
        tags = Record.from_json(name, body).tags
        if tags.get("point") == erasure.point or tags.get("device") in erasure.devices:
            db.execute("DELETE FROM records WHERE position = ?", (position,))


def _delete(db: Connection, chosen: str, given: tuple[str | int, ...]) -> int:
    return db.execute(f"DELETE FROM events WHERE n IN ({chosen})", given).rowcount


def _is_over(db: Connection, position: int, name: str, op: str, passed: int) -> bool:
    """Whether a later change of the record, which every reader has passed, makes this one pointless.

    What was taken back leaves nothing: the retract itself goes when it is the only one left.
    """
    query = "SELECT min(position), max(position) FROM records WHERE id = ?"
    first, last = db.execute(query, (name,)).fetchone()
    if last != position:
        newer = "SELECT min(position) FROM records WHERE id = ? AND position > ?"
        (after,) = db.execute(newer, (name, position)).fetchone()
        return bool(after <= passed)
    return op == "retract" and first == position


def _blank(db: Connection, erasure: Erasure) -> int:
    signs, names = marks(erasure.devices)
    where = f"device IN ({signs}) AND coalesce(t, received) >= ? AND coalesce(t, received) < ? AND kind <> ?"
    given = (*names, erasure.start, erasure.end, ERASED)
    untrusted = f"SELECT kind, count(*) FROM events WHERE {where} AND t IS NULL GROUP BY kind"
    for kind, number in db.execute(untrusted, given).fetchall():
        count(db, f"{UNTRUSTED}{kind}", number)
    blank = f"UPDATE events SET kind = ?, body = '{{}}', age = NULL, t = NULL, received = ? WHERE {where}"
    events = db.execute(blank, (ERASED, erasure.start, *given)).rowcount
    for name in names:
        events += _blank_quarantine(db, name, erasure)
    return events


def _blank_quarantine(db: Connection, device: str, erasure: Erasure) -> int:
    topic = f"*/{device.replace('[', '[[]').replace('*', '[*]').replace('?', '[?]')}/event"
    where = "(topic GLOB ? OR topic = ?) AND received >= ? AND received < ?"
    given = (topic, device, erasure.start, erasure.end)
    return drop_quarantine(db, where, given)
