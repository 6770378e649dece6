"""Erase by point and time range, with a receipt (spec 7)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import audit
from gateway.cli import main
from gateway.erase import EraseError, erase, local_ms
from gateway.inspector import Inspector
from gateway.journal import Journal
from tests.unit.test_audit import corrected, tamper
from tests.unit.test_live_equals_replay import START
from tests.unit.test_retention import NEVER, OldShop, in_force, kinds

MIN_MS = 60_000
HOUR_MS = 60 * MIN_MS


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.db", reserve_mb=1)
    opened.open()
    yield opened
    opened.close()


def cut(shop: OldShop, start: int, end: int) -> dict[str, int]:
    receipt = erase(shop.journal, shop.site, "till", start, end, shop.clock.now)
    return {"events": receipt.events, **receipt.records}


def test_events_records_and_every_older_version_of_them_go_and_nothing_else(
    journal: Journal, tmp_path: Path
) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    shop.serve(START + HOUR_MS, key=3)
    shop.serve(START + 2 * HOUR_MS)
    asked = [START, START + HOUR_MS, START + 2 * HOUR_MS]
    gone = {name for name, text in in_force(journal, "contact", "press", "smile") if f"{asked[1]}" in text}
    others = {one for one in in_force(journal, "contact", "press", "smile") if one[0] not in gone}
    counts = journal.gaps(), journal.duplicates()
    done = cut(shop, START + HOUR_MS - MIN_MS, START + HOUR_MS + MIN_MS)
    assert done == {"events": 22, "contact": 1, "press": 1, "smile": 1}
    shop.recorder.step()
    shop.recorder.resume()
    left = in_force(journal, "contact", "press", "smile")
    assert [r.time_ms for r in journal.records("contact")] == [asked[0], asked[2]]
    assert left <= others
    assert len(left) == 6
    assert all(c.op == "retract" for c in journal.changes_after(0) if asked[1] <= c.record.time_ms < asked[2])
    assert not any(
        asked[1] - 1 < event.t < asked[2] for event in journal.events_between(shop.site.devices, 0, 2**62)
    )
    assert (journal.gaps(), journal.duplicates()) == counts
    shop.indexer.step()
    shop.retention._compact()  # every sink is past it: what was taken back goes as well
    shop.retention._compact()
    journal.close()
    assert f'"{asked[1]}'.encode() not in (tmp_path / "journal.db").read_bytes()


def test_a_contact_that_reaches_into_the_range_goes_whole(journal: Journal) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    shop.serve(START + HOUR_MS)
    cut(shop, START + HOUR_MS + 2500, START + HOUR_MS + 4000)
    shop.recorder.resume()
    assert [r.time_ms for r in journal.records("contact")] == [START]
    assert [r.time_ms for r in journal.records("press")] == [START + 3000]
    assert (kinds(journal).count("click"), kinds(journal).count("press")) == (1, 1)


def test_what_was_concluded_before_an_erasure_is_not_written_after_it(journal: Journal) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    record, shrunk = journal.records("contact")[0], journal.shrunk()
    cut(shop, START, START + MIN_MS)
    assert not journal.record("fusion", 1, [("put", record)], shrunk=shrunk)
    assert journal.records("contact") == []
    assert journal.cursor("fusion") > 1


def test_a_late_event_beside_what_was_erased_changes_no_contact_that_stays(journal: Journal) -> None:
    shop = OldShop(journal)
    for n in range(3):
        shop.serve(START + n * 100_000)
    cut(shop, START + 100_000, START + 110_000)
    before = in_force(journal, "contact", "press")
    shop.arrive("fob", "click", {"pattern": "single"}, START + 99_000, 500_000)
    shop.recorder.resume()
    assert in_force(journal, "contact", "press") == before


def test_a_copy_that_a_device_sends_again_does_not_come_back(journal: Journal) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    (row,) = [row for row in journal.events_after(0) if row.kind == "press"]
    cut(shop, START, START + MIN_MS)
    payload = f'{{"v":1,"boot":1,"seq":{row.event.seq},"age":70000,"kind":"press","key":1}}'.encode()  # type: ignore[union-attr]
    again = Inspector(shop.site).inspect(START + 73_000, "emobox/v1/s/term/event", payload)
    assert again
    journal.append([again])
    shop.recorder.step()
    assert (journal.duplicates(), journal.quarantined(), journal.records("press")) == (1, [], [])


def test_hours_and_days_are_worked_out_anew(journal: Journal) -> None:
    shop = OldShop(journal)
    for n in range(12):
        shop.serve(START + n * 70_000, key=1 if n else 3)
    shop.clock.now += 72 * HOUR_MS
    shop.indexer.step()
    shop.indexer.step()

    def n_of_day() -> list[object]:
        found = [r for r in journal.records("index") if r.tags["period"] == "day"]
        return [r.fields["n"] for r in found if (r.tags["point"], r.tags["name"]) == ("till", "emonps")]

    assert n_of_day() == [12]
    cut(shop, START, START + MIN_MS)
    shop.indexer.step()
    assert n_of_day() == [11]
    cut(shop, START, START + 200_000)
    shop.indexer.step()
    assert n_of_day() == []


def test_the_recorder_that_runs_writes_nothing_that_it_remembered(journal: Journal) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    shop.arrive("fob", "click", {"pattern": "single"}, START + 70_000, 0)
    cut(shop, START, START + 100_000)
    shop.wait(60_000)
    shop.wait(60_000)
    assert in_force(journal, "contact", "press") == set()
    shop.serve(shop.clock.now + MIN_MS)
    assert len(journal.records("contact")) == 1


def test_the_next_customer_after_an_erasure_up_to_now_counts(journal: Journal) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    cut(shop, START - HOUR_MS, START + 24 * HOUR_MS)
    shop.serve(shop.clock.now + 1)
    assert len(journal.records("contact")) == 1


def test_the_receipt_stands_in_the_audit_log_and_quarantined_messages_of_the_devices_go_too(
    journal: Journal,
) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    for device in ("term", "elsewhere"):
        found = Inspector(shop.site).inspect(START + 1, f"emobox/v1/s/{device}/event", b"{")
        assert found
        journal.append([found])
    cut(shop, START, START + MIN_MS)
    note = journal.last_note("erasure") or {}
    gone = {"contact": 1, "press": 1, "smile": 1}
    assert (note["point"], note["events"], note["records"]) == ("till", 23, gone)
    assert [item.topic for item in journal.quarantined()] == ["emobox/v1/s/elsewhere/event"]
    assert journal.quarantine_counts() == {"bad_json": 1, "unknown_device": 1}
    assert audit.verify(journal) is None
    shop.age(100)
    shop.tidy()
    assert kinds(journal) == ["health"]


# ---- what the audit log told of the erased ------------------------------------------------------------


def corrections_of(shop: OldShop, *asks: int) -> None:
    """At each time an ask, and a press that comes an hour late."""
    for t in asks:
        shop.arrive("fob", "click", {"pattern": "single"}, t, 0)
        shop.wait(MIN_MS)
    for t in asks:
        shop.arrive("term", "press", {"key": 1}, t + 9003, HOUR_MS)


def told(journal: Journal) -> list[str]:
    """The ids that the log still tells of."""
    return [one["id"] for detail in corrected(journal) for one in detail["changes"]]


def test_what_the_audit_log_told_of_the_erased_goes_and_its_chain_still_holds(
    journal: Journal, tmp_path: Path
) -> None:
    shop, other = OldShop(journal), START + 10 * MIN_MS
    corrections_of(shop, START, other)
    assert told(journal)[::2] == [f"contact/till/{START}", f"contact/till/{other}"]
    first = next(journal.audit("correction"))
    cut(shop, START + 5000, START + 6000)
    assert told(journal) == [f"contact/till/{other}", "press/term/1/4"]
    assert [detail.get("erased", 0) for detail in corrected(journal)] == [2, 0]
    assert audit.verify(journal) is None
    left = "".join(entry.detail for entry in journal.audit())
    salt = json.loads(first.detail)["salt"]
    assert not [secret for secret in (str(START), salt) if secret in left]
    journal.close()
    assert salt.encode() not in (tmp_path / "journal.db").read_bytes()


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE audit SET detail = replace(detail, '\"late\":1', '\"late\":2') WHERE n = 1",
        "UPDATE audit SET time = time + 1 WHERE n = 1",
        "UPDATE audit SET detail = replace(detail, 'lines', 'lynes') WHERE kind = 'erasure'",
        "UPDATE audit SET detail = '{' WHERE kind = 'erasure'",
        "UPDATE audit SET detail = replace(detail, 'changes\":[{', 'changes\":[],\"was\":[{') WHERE n = 2",
        "UPDATE audit SET detail = (SELECT detail FROM audit WHERE n = 2) WHERE n = 1",
    ],
)
def test_a_line_from_which_something_is_erased_still_shows_tampering(
    journal: Journal, tmp_path: Path, harm: str
) -> None:
    shop = OldShop(journal)
    corrections_of(shop, START, START + 10 * MIN_MS)
    cut(shop, START, START + MIN_MS)
    assert audit.verify(journal) is None
    tamper(tmp_path, harm)
    assert "was tampered with" in (audit.verify(journal) or "")


def test_who_puts_back_what_was_erased_from_the_log_is_found_out(journal: Journal, tmp_path: Path) -> None:
    shop = OldShop(journal)
    corrections_of(shop, START)
    before = next(journal.audit()).detail
    cut(shop, START, START + MIN_MS)
    tamper(tmp_path, f"UPDATE audit SET detail = '{before}' WHERE n = 1")
    assert (audit.verify(journal) or "").startswith("line 1 was tampered with")


def test_a_line_that_tells_of_several_customers_loses_them_one_by_one(journal: Journal) -> None:
    shop, times = OldShop(journal), [START, START + 10 * MIN_MS]
    corrections_of(shop, *times)
    details = corrected(journal)
    changes = [one for detail in details for one in detail["changes"]]
    journal.note((shop.clock.now, "correction", {**details[0], "changes": changes}))
    for n, t in enumerate(times, 1):
        cut(shop, t, t + MIN_MS)
        assert (corrected(journal)[-1]["erased"], len(told(journal))) == (2 * n, 8 - 4 * n)
        assert audit.verify(journal) is None
    assert journal.trim_audit(shop.clock.now + 1, shop.clock.now) > 3
    assert audit.verify(journal) is None


def test_lines_of_earlier_versions_are_erased_as_well(journal: Journal) -> None:
    """They name no times and have no salt."""
    shop = OldShop(journal)
    corrections_of(shop, START, START + 2 * HOUR_MS)
    old = [[{k: v for k, v in one.items() if k != "t"} for one in d["changes"]] for d in corrected(journal)]
    assert journal.trim_audit(shop.clock.now + 1, shop.clock.now) == 2
    unknown = [{"id": "press/term/9/9", "before": None, "after": {"rating": "top", "state": "asked"}}]
    for written, changes in ((START, old[0]), (START, old[1]), (START - 1, unknown), (START, unknown)):
        detail = {"point": "till", "late": 1, "devices": ["term"], "changes": changes}
        journal.note((written, "correction", detail))
    cut(shop, START, START + MIN_MS)
    assert [detail.get("erased", 0) for detail in corrected(journal)] == [2, 0, 0, 1]
    assert audit.verify(journal) is None


def test_the_receipt_names_what_was_asked_for_and_no_time_of_an_ask(journal: Journal) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    cut(shop, START + 2500, START + 2600)
    note = journal.last_note("erasure") or {}
    assert [text[11:] for text in (note["from"], note["to"])] == ["10:53:00+02:00", "10:54:00+02:00"]
    assert [text[14:] for text in note["given"]] == ["53:22.500000+02:00", "53:22.600000+02:00"]


def test_local_times_are_the_shops_and_a_doubled_hour_is_meant_whole(journal: Journal) -> None:
    site = OldShop(journal).site
    assert local_ms(site, "2025-10-09T12:00") == 1_760_004_000_000
    twice = "2025-10-26T02:30"
    assert local_ms(site, twice, last=True) - local_ms(site, twice) == HOUR_MS
    with pytest.raises(EraseError, match="allowed is a local time"):
        local_ms(site, "yesterday")


def test_emobox_erase_asks_first_and_says_what_is_wrong(
    journal: Journal, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = OldShop(journal)
    shop.serve(START)
    config = tmp_path / "site.toml"
    config.write_text(
        'site = "s"\nzone = "Europe/Berlin"\n[points.till.devices]\nterm = { kind = "terminal", keys = 3 }\n'
        f'fob = {{ kind = "keyfob" }}\ncam = {{ kind = "camera" }}\n[store]\npath = "{tmp_path}"\n'
    )
    command = ["erase", "--config", str(config), "--from", "2025-10-09T10:00", "--to", "2025-10-09T12:00"]
    assert main([*command, "--point", "tilt"]) == 2
    assert "no such point; allowed: till" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert main([*command, "--point", "till"]) == 1
    assert len(journal.records("contact")) == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert main([*command, "--point", "till"]) == 0
    out = capsys.readouterr().out
    assert "erased: 22 events" in out
    assert (journal.records("contact"), json.dumps(NEVER.is_set())) == ([], "false")
