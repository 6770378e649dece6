"""The audit log: what gets into it, and that nobody can change or take away a line unnoticed (spec 3, 7)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware import wire
from gateway import audit
from gateway.cli import main
from gateway.config import Site, load_site, parse_site
from gateway.events import Arrival
from gateway.inspector import Inspector, canonical
from gateway.journal import Journal
from gateway.recorder import Recorder
from tests.unit.test_live_equals_replay import FACE, SITE, START, HandClock

TOML = """site = "s"
zone = "Europe/Berlin"
region = "other"
[k]
button = 0.5
[points.till.devices]
term = {{ kind = "terminal", keys = 3 }}
cam = {{ kind = "camera" }}
[cameras.cam]
source = "rtsp://anna:geheim@10.0.0.9/live"
[store]
path = "{folder}"
"""


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.db", reserve_mb=1)
    opened.open()
    yield opened
    opened.close()


def tamper(folder: Path, statement: str) -> None:
    db = sqlite3.connect(folder / "journal.db")
    db.execute(statement)
    db.commit()
    db.close()


def five(journal: Journal) -> None:
    for n in range(5):
        journal.note((START + n, "deletion", {"events": n}))


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit SET detail = '{\"events\":9}' WHERE n = 3", "line 3 was tampered with"),
        ("UPDATE audit SET time = time + 1 WHERE n = 1", "line 1 was tampered with"),
        ("UPDATE audit SET kind = 'export' WHERE n = 5", "line 5 was tampered with"),
        ("DELETE FROM audit WHERE n = 2", "line 2 is missing"),
        ("DELETE FROM audit WHERE n = 1", "line 1 is missing"),
        ("DELETE FROM audit WHERE n = 5", "line 5 is missing"),
        ("DELETE FROM audit", "line 1 is missing"),
        ("UPDATE audit SET n = n + 10 WHERE n = 5", "line 5 is missing"),
    ],
)
def test_verify_names_the_first_line_that_was_tampered_with_or_is_missing(
    journal: Journal, tmp_path: Path, statement: str, problem: str
) -> None:
    five(journal)
    assert audit.verify(journal) is None
    tamper(tmp_path, statement)
    assert (audit.verify(journal) or "").startswith(problem)


def test_a_line_that_was_sealed_again_does_not_fit_the_next_one(journal: Journal, tmp_path: Path) -> None:
    from gateway.journal.trail import seal

    five(journal)
    one = list(journal.audit())[1]
    forged = seal(one.n, one.time, one.kind, "{}", one.previous)
    tamper(tmp_path, f"UPDATE audit SET detail = '{{}}', hash = '{forged}' WHERE n = 2")
    assert audit.verify(journal) == "line 3 does not follow line 2: one of them was exchanged"


def test_lines_that_are_too_old_go_and_the_chain_still_holds(journal: Journal, tmp_path: Path) -> None:
    five(journal)
    assert journal.trim_audit(START + 3, START + 10) == 3
    assert [entry.n for entry in journal.audit()] == [4, 5, 6]
    assert audit.verify(journal) is None
    assert journal.trim_audit(START + 3, START + 11) == 0
    assert journal.trim_audit(START + 100, START + 12) == 3
    assert (audit.verify(journal), [entry.kind for entry in journal.audit()]) == (None, ["audit-trimmed"])
    five(journal)
    tamper(tmp_path, "DELETE FROM audit WHERE n = 7")
    assert (audit.verify(journal) or "").startswith("line 1 is missing")


def test_a_start_writes_configuration_k_region_and_models_and_the_next_only_what_changed(
    journal: Journal, tmp_path: Path
) -> None:
    config = tmp_path / "site.toml"
    config.write_text(TOML.format(folder=tmp_path))
    audit.note_start(journal, load_site(config), config, START)
    assert [entry.kind for entry in journal.audit()] == ["configuration", "k", "region", "models"]
    assert "smile" in (journal.last_note("models") or {})
    audit.note_start(journal, load_site(config), config, START + 1)
    assert len(list(journal.audit())) == 4
    config.write_text(config.read_text().replace("button = 0.5", "button = 0.4"))
    audit.note_start(journal, load_site(config), config, START + 2)
    assert [entry.kind for entry in journal.audit()][4:] == ["configuration", "k"]
    assert (journal.last_note("configuration") or {})["changed"] == ["k"]
    assert (journal.last_note("k") or {})["button"][0]["value"] == 0.4
    assert audit.verify(journal) is None


def test_no_password_of_an_address_plays_a_part_in_the_log(journal: Journal, tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text(TOML.format(folder=tmp_path))
    audit.note_start(journal, load_site(config), config, START)
    config.write_text(config.read_text().replace("geheim", "anders"))
    audit.note_start(journal, load_site(config), config, START)
    assert [entry.kind for entry in journal.audit()] == ["configuration", "k", "region", "models"]
    assert "geheim" not in "".join(entry.detail for entry in journal.audit())


def test_emobox_audit_prints_the_log_and_verify_ends_with_1_when_it_was_tampered_with(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "site.toml"
    config.write_text(TOML.format(folder=tmp_path))
    five(journal)
    assert main(["audit", "--config", str(config)]) == 0
    assert '{"events":4}' in capsys.readouterr().out
    assert main(["audit", "verify", "--config", str(config)]) == 0
    assert "5 lines, whole" in capsys.readouterr().out
    tamper(tmp_path, "DELETE FROM audit WHERE n = 3")
    assert main(["audit", "verify", "--config", str(config)]) == 1
    assert "line 3 is missing" in capsys.readouterr().err


# ---- corrections: "One that arrives over 120 s* late is applied as a correction, and the correction is
# written to the audit log." (spec 3) ----------------------------------------------------------------


class Shop:
    """A recorder on a journal, fed by hand."""

    def __init__(self, journal: Journal, site: Site) -> None:
        self.journal, self.clock, self.seq = journal, HandClock(), 0
        self._inspector = Inspector(site)
        self.recorder = Recorder(journal, site, self.clock)
        self.recorder.resume()

    def arrive(self, device: str, kind: str, fields: dict[str, Any], t: int, late_ms: int) -> None:
        self.seq += 1
        self.clock.now = max(self.clock.now, t + late_ms)
        payload = canonical(wire.make_event(kind, 1, self.seq, late_ms, fields)).encode()
        item = self._inspector.inspect(t + late_ms, wire.topic("s", device, "event"), payload)
        assert isinstance(item, Arrival)
        self.journal.append([item])
        while self.recorder.step():
            pass

    def wait(self, ms: int) -> None:
        self.clock.now += ms
        self.recorder.step()


def corrected(journal: Journal) -> list[dict[str, Any]]:
    return [json.loads(entry.detail) for entry in journal.audit("correction")]


@pytest.fixture
def shop(journal: Journal) -> Shop:
    return Shop(journal, parse_site(SITE))


@pytest.mark.parametrize(("late_ms", "lines"), [(120_000, 0), (120_001, 1)])
def test_a_press_over_120_s_late_that_changes_a_contact_is_in_the_log_with_before_and_after(
    journal: Journal, shop: Shop, late_ms: int, lines: int
) -> None:
    shop.arrive("fob", "click", {"pattern": "single"}, START, 0)
    shop.wait(60_000)
    assert [record.tags["outcome"] for record in journal.records("contact")] == ["silent"]
    shop.arrive("term", "press", {"key": 3}, START + 5000, late_ms)
    assert [record.tags["outcome"] for record in journal.records("contact")] == ["critic"]
    found = corrected(journal)
    assert len(found) == lines
    if lines:
        (contact,) = [one for one in found[0]["changes"] if one["id"].startswith("contact/")]
        assert contact["id"] == f"contact/till/{START}"
        assert (contact["before"]["outcome"], contact["after"]["outcome"]) == ("silent", "critic")
        assert (contact["before"]["score"], contact["after"]["score"]) == (-0.5, -1.0)
    assert audit.verify(journal) is None


def test_a_late_event_that_changes_nothing_is_no_correction(journal: Journal, shop: Shop) -> None:
    shop.arrive("fob", "click", {"pattern": "single"}, START, 0)
    shop.wait(60_000)
    shop.arrive("mic", "phrase", {"id": "other", "score": 1.0}, START + 100, 200_000)
    assert corrected(journal) == []


def test_a_late_face_that_moves_no_outcome_is_no_line_of_twice_the_same(journal: Journal, shop: Shop) -> None:
    shop.arrive("fob", "click", {"pattern": "single"}, START, 0)
    for ms in range(100, 6000, 300):
        shop.arrive("cam", "face", {**FACE, "smile": 0.9}, START + ms, 0)
    shop.arrive("term", "press", {"key": 1}, START + 6100, 0)
    shop.wait(60_000)
    (before,) = journal.records("contact")
    shop.arrive("cam", "face", {**FACE, "smile": 0.1}, START + 6200, 500_000)
    (after,) = journal.records("contact")
    assert (before.tags, before != after) == (after.tags, True)
    assert corrected(journal) == []


def test_a_correction_is_written_with_the_corrected_records_or_not_at_all(
    journal: Journal, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.journal import records

    shop.arrive("fob", "click", {"pattern": "single"}, START, 0)
    shop.wait(60_000)
    monkeypatch.setattr(records, "_move", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        shop.arrive("term", "press", {"key": 3}, START + 5000, 600_000)
    assert corrected(journal) == []
    assert [record.tags["outcome"] for record in journal.records("contact")] == ["silent"]


@pytest.mark.parametrize("login", ["anna:geheim", "anna:ge/heim", "anna:ge@heim", "anna:ge heim'"])
def test_no_login_is_in_the_hash_of_the_configuration(tmp_path: Path, login: str) -> None:
    said = []
    for name, address in (("with", f"rtsp://{login}@10.0.0.9/live"), ("without", "rtsp://10.0.0.9/live")):
        path = tmp_path / f"{name}.toml"
        text = TOML.format(folder=tmp_path).replace("rtsp://anna:geheim@10.0.0.9/live", address)
        path.write_text(text)
        said.append(audit.configuration(path, None))
    assert said[0] == said[1]
