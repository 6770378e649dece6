"""The journal's records, the changes of them that readers follow, and how far each reader came."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from gateway.journal.events import BATCH
from gateway.journal.file import SQLITE_INT_MAX, Connection, JournalFile, reads
from gateway.journal.trail import Note, add_notes
from gateway.records import Change, Record


class Records(JournalFile):
    """The part of the journal that keeps records and cursors."""

    def record(
        self,
        reader: str,
        position: int,
        changes: Sequence[tuple[str, Record]],
        notes: Sequence[Note] = (),
        shrunk: int | None = None,
    ) -> bool:
        """Append (op, record) changes and notes and move the reader's cursor, in one commit.

        False, and nothing is written, when the journal has lost events since it was `shrunk`.
        """

        def work(db: Connection) -> bool:
            if shrunk is not None and shrunk != self.shrunk():
                return False
            put(db, changes)
            add_notes(db, notes)
            _move(db, reader, position)
            return True

        done = self._finish(work)
        if changes:
            self._notify()
        return done

    def shrunk(self) -> int:
        """Grows whenever events were deleted or erased: what was concluded from them must stand."""
        return self._number("SELECT coalesce(sum(value), 0) FROM counters WHERE name = 'shrunk'")

    @reads
    def records(
        self, measurement: str, start: int = 0, end: int = SQLITE_INT_MAX, *, point: str = ""
    ) -> list[Record]:
        """Records in force with start ≤ time < end, in order of time; all points, or one."""
        mark = f'"point":{json.dumps(point, ensure_ascii=False)}' if point else ""
        rows = self._db.execute(
            "SELECT id, body FROM records AS r WHERE measurement = ? AND time_ms >= ? AND time_ms < ?"
            " AND instr(body, ?) AND op = 'put'"
            " AND position = (SELECT max(position) FROM records WHERE id = r.id)"
            " ORDER BY time_ms, id",
            (measurement, start, end, mark),
        )
        found = (Record.from_json(*row) for row in rows)
        return [record for record in found if not point or record.tags["point"] == point]

    def first_time(self) -> int:
        """Time of the oldest thing that is on record, in ms; 0 without any; indices begin earlier."""
        return self._number("SELECT coalesce(min(time_ms), 0) FROM records WHERE measurement <> 'index'")

    @reads
    def time_of(self, name: str) -> int | None:
        """Time in ms of the record with this id, in force or not; None when no version of it is kept."""
        (found,) = self._db.execute("SELECT max(time_ms) FROM records WHERE id = ?", (name,)).fetchone()
        return None if found is None else int(found)

    @reads
    def taken_back(self) -> list[Record]:
        """Records that were taken back, as far as a sink may not have heard of it."""
        query = (
            "SELECT id, body FROM records AS r WHERE op = 'retract'"
            " AND position = (SELECT max(position) FROM records WHERE id = r.id) ORDER BY position"
        )
        return [Record.from_json(*row) for row in self._db.execute(query)]

    def last_time(self, measurement: str) -> int:
        """Time of the newest record of a measurement, in ms; 0 without any."""
        query = "SELECT coalesce(max(time_ms), 0) FROM records WHERE measurement = ?"
        return self._number(query, measurement)

    @reads
    def changes_after(self, position: int, limit: int = BATCH) -> list[Change]:
        """The next changes of records, in order."""
        rows = self._db.execute(
            "SELECT position, op, id, body FROM records WHERE position > ? ORDER BY position LIMIT ?",
            (position, limit),
        )
        return [Change(place, op, Record.from_json(name, body)) for place, op, name, body in rows]

    def reject(self, reader: str, change: Change, why: str) -> None:
        """Note that a sink will never take this record, and why."""
        values = (change.position, reader, why)
        self._finish(lambda db: db.execute("INSERT OR REPLACE INTO rejected VALUES (?, ?, ?)", values))

    @reads
    def rejected(self) -> list[tuple[int, str, str]]:
        """(position, reader, why) of the records that some sink refused."""
        return list(self._db.execute("SELECT position, reader, why FROM rejected ORDER BY position"))

    def last_change(self) -> int:
        """Position of the newest change of a record."""
        return self._number("SELECT coalesce(max(position), 0) FROM records")

    def cursor(self, reader: str) -> int:
        """How far a reader came; 0 at first."""
        query = "SELECT coalesce(max(position), 0) FROM cursors WHERE reader = ?"
        return self._number(query, reader)

    def set_cursor(self, reader: str, position: int) -> None:
        """Remember how far a reader came."""
        self._finish(lambda db: _move(db, reader, position))


def put(db: Connection, changes: Iterable[tuple[str, Record]]) -> None:
    """Append (op, record) changes inside somebody's transaction."""
    db.executemany(
        "INSERT INTO records (id, op, measurement, time_ms, body) VALUES (?, ?, ?, ?, ?)",
        [(r.id, op, r.measurement, r.time_ms, r.to_json()) for op, r in changes],
    )


def _move(db: Connection, reader: str, position: int) -> None:
    db.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (reader, position))
