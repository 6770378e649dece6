"""The audit log: one line after the other, each sealed with the hash of the one before (spec 7)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.journal.file import Connection, JournalFile, reads

GENESIS = "0" * 64
TRIMMED = "audit-trimmed"
REWRITTEN = "lines"  # in a receipt's detail: what is erased from other lines, as their numbers → new seals
COLUMNS = "n, time, kind, detail, previous, hash"

Note = tuple[int, str, Mapping[str, Any]]
"""Time in ms, kind, detail."""
Texts = Mapping[int, Mapping[str, Any]]
"""Number of a line → another detail in the place of its own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line; time in ms since 1970, detail is canonical JSON, hashes are sha256 in hex."""

    n: int
    time: int
    kind: str
    detail: str
    previous: str
    hash: str

    @property
    def seal(self) -> str:
        """The hash of the line as it stands; of a line that nobody rewrote it is `hash`."""
        return seal(self.n, self.time, self.kind, self.detail, self.previous)


def seal(n: int, time: int, kind: str, detail: str, previous: str) -> str:
    """sha256 of a line's canonical text."""
    text = json.dumps([n, time, kind, detail, previous], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Trail(JournalFile):
    """The part of the journal that keeps the audit log."""

    def note(self, *notes: Note) -> None:
        """Append lines in one commit."""
        self._finish(lambda db: add_notes(db, notes))

    def audit(self, kind: str | None = None) -> Iterator[Entry]:
        """Every line in order, or those of one kind."""
        where, given = ("WHERE kind = ?", [kind]) if kind else ("", [])
        with self.reading():
            for row in self._db.execute(f"SELECT {COLUMNS} FROM audit {where} ORDER BY n", given):
                yield Entry(*row)

    @reads
    def last_note(self, kind: str) -> dict[str, Any] | None:
        """Detail of the newest line of a kind."""
        query = "SELECT detail FROM audit WHERE kind = ? ORDER BY n DESC LIMIT 1"
        row = self._db.execute(query, (kind,)).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def audit_given(self) -> int:
        """The highest number that a line ever had."""
        return self._number("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'audit'")

    def rewrite(self, texts: Texts, note: Callable[[Mapping[str, str]], Note]) -> int:
        """Put details in the place of lines', with the receipt made of their seals, in one commit."""

        def work(db: Connection) -> int:
            add_notes(db, [note(rewrite(db, texts))])
            return len(texts)

        return self._finish(work)

    def trim_audit(self, before: int, now: int) -> int:
        """Take away the lines from before a time; a new one names the last hash of them."""

        def work(db: Connection) -> int:
            young = "SELECT coalesce(min(n), 1 << 62) FROM audit WHERE time >= ?"
            (last,) = db.execute(f"SELECT max(n) FROM audit WHERE n < ({young})", (before,)).fetchone()
            if last is None:
                return 0
            (sealed,) = db.execute("SELECT hash FROM audit WHERE n = ?", (last,)).fetchone()
            add_notes(db, [(now, TRIMMED, {"through": last, "hash": sealed})])
            return db.execute("DELETE FROM audit WHERE n <= ?", (last,)).rowcount

        return self._finish(work)


def rewrite(db: Connection, texts: Texts) -> dict[str, str]:
    """Put details in the place of lines' inside somebody's transaction; their seals for the receipt.

    A line's hash stays that of its first text: the next line is made of it.
    """
    for n, detail in texts.items():
        db.execute("UPDATE audit SET detail = ? WHERE n = ?", (_text(detail), n))
    return {str(n): _entry(db, n).seal for n in texts}


def add_notes(db: Connection, notes: Iterable[Note]) -> None:
    """Append lines inside somebody's transaction."""
    for time, kind, detail in notes:
        n, previous = _end(db)
        values = (n + 1, time, kind, _text(detail), previous)
        db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)", (*values, seal(*values)))


def _text(detail: Mapping[str, Any]) -> str:
    return json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _entry(db: Connection, n: int) -> Entry:
    return Entry(*db.execute(f"SELECT {COLUMNS} FROM audit WHERE n = ?", (n,)).fetchone())


def _end(db: Connection) -> tuple[int, str]:
    """Number and hash of the newest line."""
    row = db.execute("SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1").fetchone()
    return (int(row[0]), str(row[1])) if row else (0, GENESIS)
