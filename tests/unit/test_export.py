"""An exported log says what the journal says, and fills an empty one (spec 6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.config import Site, load_site
from gateway.export import export_log, import_log
from gateway.journal import Journal, JournalError
from gateway.recorder import Recorder
from gateway.replay import in_order_of_arrival, read_log, replay
from tests.golden.test_replay_cases import CASES
from tests.unit.test_live_equals_replay import HandClock

LATER = 4_000_000_000_000


def opened(path: Path) -> Journal:
    journal = Journal(path, durable=False)
    journal.open()
    return journal


def live(journal: Journal, site: Site, log: bytes) -> None:
    """What a hub makes of the log."""
    journal.append(in_order_of_arrival(read_log(log, site)))
    follow(journal, site)


def follow(journal: Journal, site: Site) -> None:
    clock = HandClock()
    clock.now = LATER
    recorder = Recorder(journal, site, clock)
    while recorder.step():
        pass


def without_lines(report: dict[str, Any]) -> dict[str, Any]:
    reasons = sorted(item["reason"].partition(":")[0] for item in report["quarantined"])
    return {**report, "quarantined": reasons}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_replay_of_the_export_is_a_replay_of_what_came_in_and_imported_it_gives_the_same_records(
    case: Path, tmp_path: Path
) -> None:
    site = load_site(case / "site.toml")
    journal, out = opened(tmp_path / "a.db"), tmp_path / "export.jsonl"
    live(journal, site, (case / "log.jsonl").read_bytes())
    export_log(journal, site, out, 0)
    assert without_lines(replay(out, site)) == without_lines(replay(case / "log.jsonl", site))
    second = opened(tmp_path / "b.db")
    import_log(second, site, out, 0)
    follow(second, site)
    for name in ("contact", "press", "phrase", "device"):
        assert second.records(name) == journal.records(name)
    assert (second.gaps(), second.duplicates()) == (journal.gaps(), journal.duplicates())
    journal.close()
    second.close()


def test_bytes_that_are_no_text_come_back_as_they_were(tmp_path: Path) -> None:
    site = load_site(CASES[0] / "site.toml")
    journal, out = opened(tmp_path / "a.db"), tmp_path / "export.jsonl"
    device = next(iter(site.devices))
    raw = b'{"v":"\xff\xed\xa0\x80\x00\xc3'
    payload = json.dumps(raw.decode("utf-8", "surrogateescape"))
    line = f'{{"received":5,"topic":"emobox/v1/{site.site}/{device}/event","payload":{payload}}}\nnonsense \n'
    live(journal, site, line.encode())
    export_log(journal, site, out, 0)
    second = opened(tmp_path / "b.db")
    import_log(second, site, out, 0)
    assert sorted(q.payload for q in second.quarantined()) == sorted([raw, b"nonsense "])
    journal.close()
    second.close()


def test_only_what_happened_in_the_range_is_exported_and_the_audit_log_says_so(tmp_path: Path) -> None:
    case = CASES[0]
    site, out = load_site(case / "site.toml"), tmp_path / "export.jsonl"
    journal = opened(tmp_path / "a.db")
    live(journal, site, (case / "log.jsonl").read_bytes())
    times = sorted(event.t for event in journal.events_between(site.devices, 0, LATER))
    assert export_log(journal, site, out, 7, times[1], times[1] + 1) == times.count(times[1])
    note = journal.last_note("export") or {}
    assert (note["lines"], note["from"], len(note["sha256"])) == (times.count(times[1]), times[1], 64)
    assert out.stat().st_mode & 0o077 == 0
    journal.close()


def test_a_journal_that_is_not_empty_takes_no_import(tmp_path: Path) -> None:
    site = load_site(CASES[0] / "site.toml")
    journal = opened(tmp_path / "a.db")
    live(journal, site, b"nonsense\n")
    with pytest.raises(JournalError, match="not empty"):
        import_log(journal, site, CASES[0] / "log.jsonl", 0)
    journal.close()


def test_the_verbs_export_and_import_work_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, configs = CASES[0], [tmp_path / "a.toml", tmp_path / "b.toml"]
    for config in configs:
        text = (case / "site.toml").read_text()
        config.write_text(f'{text}\n[store]\npath = "{tmp_path / config.stem}"\n')
    first, second = (["--config", str(config)] for config in configs)
    out = str(tmp_path / "out.jsonl")
    assert main(["export", "--out", out, *first]) == 1
    assert "there is no journal yet" in capsys.readouterr().err
    assert main(["import", str(case / "log.jsonl"), *first]) == 0
    assert main(["export", "--out", out, *first]) == 0
    capsys.readouterr()
    assert main(["export", "--out", "/proc/none/out.jsonl", *first]) == 2
    said = capsys.readouterr().err
    assert "out.jsonl: cannot be written (No such file or directory); give another --out" in said
    assert main(["import", out, *second]) == 0
    assert main(["import", out, *second]) == 1
    assert "not empty" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "nowhere"), *second]) == 1
