"""The journal's file: room, caps, plain errors (issue 3, points 3 and 4)."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.events import Arrival, Quarantined
from gateway.journal import Journal, JournalError, JournalFullError
from gateway.journal import events as room
from gateway.records import Record
from tests.unit.test_live_equals_replay import START

ROOT = Path(__file__).parents[2]
RECORD = Record("press/term/1/1", "press", START, {"point": "till"}, {"n": 1})


def arrival(seq: int, size: int = 0) -> Arrival:
    return Arrival("t", "term", 1, seq, START + seq, 0, "press", f'{{"key":1,"x":"{"y" * size}"}}')


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "small", folder], check=False)
    if done.returncode:
        pytest.fail("a full disk needs a small tmpfs: run as root, or: unshare -rm .venv/bin/pytest …")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(journal: Journal, seq: int = 1) -> int:
    """Events until no more are taken; the first that was not."""
    while True:
        try:
            journal.append([arrival(seq, 4000)])
        except JournalFullError:
            return seq
        seq += 1


def test_on_a_full_disk_nothing_new_is_taken_but_what_follows_from_the_old_is_written(disk: Path) -> None:
    journal = Journal(disk / "journal.db", reserve_mb=1)
    journal.open()
    (disk / "other").write_bytes(b"x" * 8_000_000)
    assert journal.full is None
    refused = fill(journal)
    assert journal.last_event() == refused - 1
    assert "the disk is full: devices keep their events until there is room; make room" in (
        journal.full or ""
    )
    for n in range(200):
        journal.record("fusion", n, [("put", RECORD)] * 5)
        journal.note((START, "deletion", {"n": n}))
        journal.set_cursor("influx", n)
    assert (journal.cursor("fusion"), len(journal.changes_after(0))) == (199, 1000)
    with pytest.raises(JournalFullError):
        journal.append([arrival(refused, 4000)])
    (disk / "other").unlink()
    journal.append([arrival(refused, 4000)])
    assert (journal.full, journal.last_event()) == (None, refused)
    journal.close()


def test_what_must_be_written_waits_when_even_the_reserve_is_used_up_and_goes_on_by_itself(
    disk: Path,
) -> None:
    journal = Journal(disk / "journal.db", reserve_mb=1)
    journal.open()
    (disk / "other").write_bytes(b"x" * 8_000_000)
    fill(journal)
    done = threading.Event()

    def write_much() -> None:
        big = Record("x", "press", START, {}, {"text": "y" * 300_000})
        for n in range(15):
            journal.record("fusion", n + 1, [("put", big)])
        done.set()

    thread = threading.Thread(target=write_much, daemon=True)
    thread.start()
    assert not done.wait(1.5)
    (disk / "other").unlink()
    assert done.wait(10)
    assert journal.cursor("fusion") == 15
    journal.append([arrival(10**6)])
    assert journal.full is None
    journal.close()


def test_a_hub_that_stops_does_not_wait_for_room(disk: Path) -> None:
    journal = Journal(disk / "journal.db", reserve_mb=1)
    journal.open()
    (disk / "other").write_bytes(b"x" * 8_000_000)
    fill(journal)
    journal.end()
    big = Record("x", "press", START, {}, {"text": "y" * 3_000_000})
    with pytest.raises(JournalFullError):
        journal.record("fusion", 1, [("put", big)])
    assert journal.cursor("fusion") == 0
    journal.close()


def test_a_journal_at_its_cap_takes_nothing_new_until_something_was_deleted(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", cap_mb=2, reserve_mb=1)
    journal.open()
    refused = fill(journal)
    assert 400 < refused < 520
    assert "has reached 2 MB; raise max_mb in [store]" in (journal.full or "")
    journal.set_cursor("fusion", refused)
    assert journal.delete_events(["term"], False, START + 300, 1000) > 250
    journal.append([arrival(refused)])
    assert journal.full is None
    journal.close()


def test_a_flood_of_nonsense_keeps_its_newest_and_its_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "QUARANTINE_MAX", 10)
    journal = Journal(tmp_path / "journal.db", reserve_mb=1)
    journal.open()
    for n in range(7):
        journal.append([Quarantined(n * 5 + k, "t", b"x", "bad_json: x") for k in range(5)])
    assert [item.received for item in journal.quarantined()] == list(range(34, 24, -1))
    assert journal.quarantine_counts() == {"bad_json": 35}
    journal.close()


def test_a_replay_keeps_every_line_that_was_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "QUARANTINE_MAX", 10)
    journal = Journal(tmp_path / "journal.db", durable=False)
    journal.open()
    journal.append([Quarantined(n, "t", b"x", "bad_line") for n in range(35)])
    assert len(journal.quarantined()) == 35
    journal.close()


@pytest.mark.parametrize(
    "read",
    [
        lambda j: j.cursor("fusion"),
        lambda j: j.events_after(0),
        lambda j: list(j.events_between(["term"], 0, 2**60)),
        lambda j: j.quiet_before(["term"], START, 1, 9),
        lambda j: j.changes_after(0),
        lambda j: j.records("press"),
        lambda j: j.rejected(),
        lambda j: j.gaps(),
        lambda j: j.gaps_of("term"),
        lambda j: j.quarantined(),
        lambda j: j.quarantine_counts(),
        lambda j: j.gone("till"),
        lambda j: j.shrunk(),
        lambda j: list(j.audit()),
        lambda j: list(j.messages(0, 1)),
        lambda j: j.append([arrival(1)]),
        lambda j: j.set_cursor("x", 1),
    ],
)
def test_a_damaged_file_is_told_in_plain_words_whatever_is_asked(tmp_path: Path, read: object) -> None:
    journal = Journal(tmp_path / "journal.db", reserve_mb=1)
    journal.open()
    journal.append([arrival(n, 4000) for n in range(1, 50)])
    journal.close()
    path = tmp_path / "journal.db"
    path.write_bytes(path.read_bytes()[:100] + b"\x55" * (path.stat().st_size - 100))
    with pytest.raises(JournalError, match=r"journal\.db: cannot be (read|written)"):
        read(journal)  # type: ignore[operator]
    journal.close()


def test_only_one_module_imports_sqlite3() -> None:
    importers = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "gateway").rglob("*.py"))
        if re.search(r"^\s*(import|from) sqlite3", path.read_text(), re.MULTILINE)
    ]
    assert importers == ["gateway/journal/file.py"]


def test_a_look_at_the_quarantine_reads_no_message_of_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db", durable=False)
    journal.open()
    reasons = ["value: key must be 1 to 3", "value", "conflict: a: b", "", "bad_json: x"]
    journal.append([Quarantined(START, "t", b"x" * 4000, reason) for reason in reasons for _ in range(3)])
    assert journal.quarantine_counts() == {"value": 6, "conflict": 3, "": 3, "bad_json": 3}
    looks: list[str] = []
    journal._db.set_trace_callback(looks.append)
    journal.quarantine_counts()
    journal._db.set_trace_callback(None)
    plans = [
        row[-1]
        for look in looks
        if "FROM quarantine" in look
        for row in journal._db.execute(f"EXPLAIN QUERY PLAN {look}")
    ]
    journal.close()
    assert plans == ["SCAN quarantine USING INDEX quarantine_by_reason"]
