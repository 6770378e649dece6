"""A backup is taken while the hub runs and is verified; a restore puts a verified one back."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway import audit
from gateway.backup import backup, restore
from gateway.cli import main
from gateway.config import parse_site
from gateway.erase import erase
from gateway.journal import Journal, JournalError
from tests.unit.test_audit import Shop
from tests.unit.test_live_equals_replay import SITE, START
from tests.unit.test_retention import OldShop, in_force, kinds

MIN_MS, HOUR_MS = 60_000, 3_600_000
TOML = 'site = "s"\nzone = "Europe/Berlin"\n[store]\npath = "{}"\nreserve_mb = 1\n'


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.db", reserve_mb=1)
    opened.open()
    yield opened
    opened.close()


def test_a_backup_taken_while_events_arrive_is_whole_and_restores_to_the_same(
    journal: Journal, tmp_path: Path
) -> None:
    shop, out, over = Shop(journal, parse_site(SITE)), tmp_path / "b.db", threading.Event()
    journal.note((START, "deletion", {}))

    def shop_goes_on() -> None:
        t = START
        while not over.is_set():
            t += 40_000
            shop.arrive("fob", "click", {"pattern": "single"}, t, 0)

    thread = threading.Thread(target=shop_goes_on)
    thread.start()
    beside = Journal(tmp_path / "journal.db", reserve_mb=1)
    beside.open_beside()
    for _ in range(5):
        backup(beside, out, START)
    over.set()
    thread.join()
    backup(beside, out, START)
    beside.close()
    before = in_force(journal, "contact"), journal.last_event(), len(list(journal.audit()))
    shop.arrive("term", "press", {"key": 3}, shop.clock.now + 1, 0)
    journal.close()
    kept = restore(journal, parse_site(SITE), out, START).kept
    after = in_force(journal, "contact"), journal.last_event(), len(list(journal.audit()))
    assert after[:2] == before[:2]
    assert [entry.kind for entry in journal.audit()][-1] == "restore"
    old = Journal(kept, reserve_mb=1)
    old.open(read_only=True)
    assert old.last_event() == before[1] + 1
    old.close()


def test_no_restore_while_a_hub_is_running(journal: Journal, tmp_path: Path) -> None:
    backup(journal, tmp_path / "b.db", START)
    second = Journal(tmp_path / "journal.db", reserve_mb=1)
    with pytest.raises(JournalError, match="another hub is using this journal; stop it first"):
        restore(second, parse_site(SITE), tmp_path / "b.db", START)


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 5] = b"\x55" * 8192
    path.write_bytes(content)


def forge(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("UPDATE audit SET detail = '{}' WHERE n = 1")
    db.commit()
    db.close()


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (spoil, "damaged"),
        (forge, "its audit log does not hold: line 1 was tampered with"),
        (lambda path: path.write_bytes(b"hello" * 2000), "is no journal, or damaged"),
        (lambda path: path.write_bytes(b""), "is no journal of this version"),
        (lambda path: path.unlink(), "there is no such file"),
        (lambda path: sqlite3.connect(path).execute("PRAGMA user_version = 99"), "of this version of EmoBox"),
    ],
)
def test_a_backup_that_does_not_hold_is_refused_and_nothing_changes(
    journal: Journal, tmp_path: Path, harm: object, why: str
) -> None:
    journal.note((START, "deletion", {"events": 1}))
    out = tmp_path / "b.db"
    backup(journal, out, START)
    harm(out)  # type: ignore[operator]
    journal.close()
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(JournalError, match=why):
        restore(journal, parse_site(SITE), out, START)
    assert (tmp_path / "journal.db").read_bytes() == before


def test_no_backup_is_made_of_a_journal_whose_audit_log_was_tampered_with(
    journal: Journal, tmp_path: Path
) -> None:
    journal.note((START, "deletion", {"events": 1}))
    forge(tmp_path / "journal.db")
    with pytest.raises(JournalError, match="line 1 was tampered with"):
        backup(journal, tmp_path / "b.db", START)
    assert not list(tmp_path.glob("b.db*"))


def test_a_damaged_journal_is_replaced_by_the_backup(journal: Journal, tmp_path: Path) -> None:
    shop, out = Shop(journal, parse_site(SITE)), tmp_path / "b.db"
    shop.arrive("fob", "click", {"pattern": "single"}, START, 0)
    backup(journal, out, START)
    journal.close()
    (tmp_path / "journal.db").write_bytes(b"rubbish" * 5000)
    (tmp_path / "journal.db-wal").write_bytes(b"rubbish" * 500)
    kept = restore(journal, parse_site(SITE), out, START).kept
    assert journal.last_event() == 1
    assert kept.read_bytes() == b"rubbish" * 5000


def test_the_verbs_backup_and_restore_work_together(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, out = tmp_path / "site.toml", tmp_path / "b.db"
    config.write_text(TOML.format(tmp_path))
    given = ["--config", str(config)]
    assert main(["backup", "--out", str(out), *given]) == 0
    assert "verified, sha256" in capsys.readouterr().out
    assert main(["restore", str(out), *given]) == 1
    assert "stop it first" in capsys.readouterr().err
    journal.close()
    assert main(["restore", str(out), *given]) == 0
    assert main(["audit", "verify", *given]) == 0
    assert main(["backup", "--out", str(tmp_path / "no" / "b.db"), *given]) == 2


# ---- what was erased since the backup does not come back ------------------------------------------------


def asks(journal: Journal) -> list[int]:
    return [record.time_ms for record in journal.records("contact")]


@pytest.fixture
def shop(journal: Journal, tmp_path: Path) -> OldShop:
    """Three customers an hour apart, then a backup; the first was erased before it."""
    shop = OldShop(journal)
    for n in range(3):
        shop.serve(START + n * HOUR_MS)
    erase(journal, shop.site, "till", START, START + MIN_MS, shop.clock.now)
    backup(journal, tmp_path / "b.db", shop.clock.now)
    return shop


def test_a_restore_repeats_the_erasures_made_since_the_backup(shop: OldShop, tmp_path: Path) -> None:
    journal, second = shop.journal, START + HOUR_MS
    erase(journal, shop.site, "till", second + 2500, second + 2600, shop.clock.now)
    last = journal.last_change()
    journal.close()
    done = restore(journal, shop.site, tmp_path / "b.db", shop.clock.now)
    assert (done.repeated, done.undone, asks(journal)) == (1, [], [START + 2 * HOUR_MS])
    assert (kinds(journal).count("click"), kinds(journal).count("press")) == (1, 1)
    assert [entry.kind for entry in journal.audit()][-2:] == ["restore", "erasure"]
    assert audit.verify(journal) is None
    retracted = [change for change in journal.changes_after(0) if change.op == "retract"]
    assert f"contact/till/{second}" in {change.record.id for change in retracted}  # so that sinks delete it
    assert journal.last_change() == last
    assert not list(tmp_path.glob("journal.restored*"))
    journal.close()
    again = restore(journal, shop.site, tmp_path / "b.db", shop.clock.now)
    assert (again.repeated, asks(journal)) == (1, [START + 2 * HOUR_MS])


def test_what_a_sink_had_not_yet_deleted_is_deleted_after_a_restore_as_well(
    shop: OldShop, tmp_path: Path
) -> None:
    later = START + 5 * HOUR_MS  # the backup knows nothing of this customer, InfluxDB may
    shop.serve(later)
    erase(shop.journal, shop.site, "till", later, later + MIN_MS, shop.clock.now)
    shop.journal.close()
    restore(shop.journal, shop.site, tmp_path / "b.db", shop.clock.now)
    retracted = [change.record.id for change in shop.journal.changes_after(0) if change.op == "retract"]
    assert f"contact/till/{later}" in retracted
    assert retracted.count(f"contact/till/{START}") == 1


def test_a_restore_that_breaks_off_leaves_the_old_journal(
    shop: OldShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase(shop.journal, shop.site, "till", START + HOUR_MS, START + HOUR_MS + MIN_MS, shop.clock.now)
    before = asks(shop.journal)
    shop.journal.close()
    with monkeypatch.context() as broken:
        broken.setattr("gateway.backup.repeat", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            restore(shop.journal, shop.site, tmp_path / "b.db", shop.clock.now)
    assert not list(shop.journal.path.parent.glob("*restored*"))
    shop.journal.open()
    assert asks(shop.journal) == before
    shop.journal.close()
    assert restore(shop.journal, shop.site, tmp_path / "b.db", shop.clock.now).repeated == 1


def damage(journal: Journal) -> None:
    journal.path.write_bytes(b"rubbish" * 5000)


def begin_anew(journal: Journal) -> None:
    journal.path.unlink()
    journal.open()
    journal.note((START, "region", {}))
    journal.close()


@pytest.mark.parametrize(
    "harm",
    [
        damage,
        begin_anew,
        lambda journal: journal.path.unlink(),
        lambda journal: forge(journal.path),
    ],
)
def test_where_no_whole_journal_names_the_erasures_since_the_backup_it_is_said(
    shop: OldShop, tmp_path: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Journal], None]
) -> None:
    config = tmp_path / "site.toml"
    config.write_text(TOML.format(tmp_path))
    shop.journal.close()
    harm(shop.journal)
    assert main(["restore", str(tmp_path / "b.db"), "--config", str(config)]) == 0
    told = capsys.readouterr()
    assert "made again in it: 0" in told.out
    assert "erasures made since this backup (2025-10-09 " in told.err
    assert "repeat them with emobox erase" in told.err


def test_an_erasure_of_a_point_that_is_no_more_is_named(shop: OldShop, tmp_path: Path) -> None:
    erase(shop.journal, shop.site, "till", START + HOUR_MS, START + HOUR_MS + MIN_MS, shop.clock.now)
    shop.journal.close()
    other = parse_site({**SITE, "points": {"tilt": SITE["points"]["till"]}})
    done = restore(shop.journal, other, tmp_path / "b.db", shop.clock.now)
    assert done.repeated == 0
    assert "could not be repeated" in done.undone[0]
    assert '"point":"till"' in done.undone[0]
