"""A journal of an earlier version is taken over whole; one of a newer version is left alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway import audit
from gateway.backup import restore
from gateway.config import parse_site
from gateway.journal import SCHEMA_VERSION, Journal, JournalError
from gateway.journal.schema import VERSION_1
from gateway.recorder import Recorder
from tests.unit.test_live_equals_replay import SITE, HandClock
from tests.upgrade import version_1
from tests.upgrade.version_1 import START


def tables(path: Path) -> dict[str, str]:
    db = sqlite3.connect(path)
    found = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    db.close()
    return found


def test_a_file_of_version_1_is_taken_over_with_everything_in_it(tmp_path: Path) -> None:
    version_1.build(tmp_path / "journal.db")
    beside = Journal(tmp_path / "journal.db")
    for opening in (beside.open_beside, lambda: beside.open(read_only=True)):
        with pytest.raises(JournalError, match="start the hub once"):
            opening()
    beside.close()
    journal, clock = Journal(tmp_path / "journal.db", reserve_mb=1), HandClock()
    journal.open()
    assert (journal.gaps(), journal.duplicates(), journal.count_untrusted("press")) == (2, 7, 1)
    assert [item.payload for item in journal.quarantined()] == [b"\xff{"]
    assert journal.rejected() == [(2, "influx", "field type conflict")]
    assert [journal.cursor(name) for name in ("fusion", "indices", "influx")] == [5, 2, 1]
    assert [row.kind for row in journal.events_after(0)] == ["click", "press", "press", "click", "health"]
    assert (audit.verify(journal), list(journal.audit())) == (None, [])
    clock.now = START + 1_000_000
    site = parse_site(SITE | {"points": SITE["points"]})
    Recorder(journal, site, clock).resume()
    assert [r.tags["outcome"] for r in journal.records("contact")] == ["critic", "silent"]
    assert len(journal.records("press")) == 1
    journal.close()
    journal.open()
    journal.close()


def test_a_file_that_was_brought_up_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    version_1.build(tmp_path / "old.db")
    for name in ("old", "new"):
        journal = Journal(tmp_path / f"{name}.db", reserve_mb=1)
        journal.open()
        journal.close()
    assert tables(tmp_path / "old.db") == tables(tmp_path / "new.db")
    assert version_1.SCHEMA == VERSION_1


def test_a_file_of_a_newer_version_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.execute("CREATE TABLE future (x)")
    db.commit()
    db.close()
    before = path.read_bytes()
    journal = Journal(path, reserve_mb=1)
    with pytest.raises(JournalError, match="was written by a newer EmoBox; install that version again"):
        journal.open()
    journal.close()
    assert tables(path) == {"future": "CREATE TABLE future (x)"}
    assert len(path.read_bytes()) == len(before)


def test_a_backup_of_version_1_can_be_restored(tmp_path: Path) -> None:
    version_1.build(tmp_path / "backup.db")
    journal = Journal(tmp_path / "journal.db", reserve_mb=1)
    restore(journal, parse_site(SITE), tmp_path / "backup.db", START)
    assert journal.last_event() == 5
    journal.close()
