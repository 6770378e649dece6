"""The store that every promise rests on: an append-only SQLite journal, and what keeps it in order."""

from __future__ import annotations

from gateway.journal.events import Events, Row
from gateway.journal.file import SQLITE_INT_MAX, JournalError, JournalFullError, check_file, copy_file
from gateway.journal.keeping import ALL, FACES, RECORDS, Erasure, Gone, Keeping
from gateway.journal.records import Records
from gateway.journal.schema import SCHEMA_VERSION
from gateway.journal.trail import GENESIS, REWRITTEN, TRIMMED, Entry, Note, Texts, Trail

__all__ = [
    "ALL",
    "FACES",
    "GENESIS",
    "RECORDS",
    "REWRITTEN",
    "SCHEMA_VERSION",
    "SQLITE_INT_MAX",
    "TRIMMED",
    "Entry",
    "Erasure",
    "Gone",
    "Journal",
    "JournalError",
    "JournalFullError",
    "Note",
    "Row",
    "Texts",
    "check_file",
    "copy_file",
]


class Journal(Events, Records, Trail, Keeping):
    """One file; any thread may call. Writes are durable when the call returns, unless `durable` is False."""
