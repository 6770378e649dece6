"""A followed prompt is the first single click within 60 s after it (spec 3); the journal remembers it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.config import parse_site
from gateway.events import Arrival, Click, Spoken
from gateway.export import export_log, import_log
from gateway.fusion import Fusion, PointEvents
from gateway.ingest import receipts
from gateway.inspector import Inspector
from gateway.journal import Journal
from gateway.prompts import command, heard, lights, sender, senders
from gateway.recorder import Recorder
from gateway.replay import replay
from tests.unit.test_live_equals_replay import SITE, START, HandClock

T = START
COMMAND = json.dumps(command()).encode()


def asked_by(*clicks: Any, prompts: list[int], spoken: tuple[int, ...] = ()) -> list[str]:
    """Of each ask; clicks are ms after T, or (ms, pattern)."""
    events = PointEvents(prompts=[T + t for t in prompts])
    for n, one in enumerate(clicks, start=1):
        t, pattern = one if isinstance(one, tuple) else (one, "single")
        events.add(Click("fob", 1, n, T + t, pattern))
    for n, t in enumerate(spoken, start=1):
        events.add(Spoken("mic", 1, n, T + t, "ask", 1.0))
    return [contact.asked_by for contact in Fusion(parse_site(SITE), "till").fuse(events).contacts]


@pytest.mark.parametrize(
    ("after_ms", "expected"),
    [(-1, "keyfob"), (0, "keyfob"), (1, "prompt"), (60_000, "prompt"), (60_001, "keyfob")],
)
def test_a_click_within_60_s_after_a_prompt_follows_it(after_ms: int, expected: str) -> None:
    assert asked_by(100_000 + after_ms, prompts=[100_000]) == [expected]


def test_only_the_first_single_click_follows() -> None:
    assert asked_by(5_000, 25_000, prompts=[0]) == ["prompt", "keyfob"]
    assert asked_by(5_000, 25_000, prompts=[0, 5_001]) == ["prompt", "prompt"]
    assert asked_by(5_000, 25_000, prompts=[0, 1, 2]) == ["prompt", "keyfob"]
    assert asked_by(130_000, prompts=[0, 100_000]) == ["prompt"]
    assert asked_by((4_000, "double"), (4_500, "long"), 5_000, prompts=[0]) == ["prompt"]


def test_a_click_of_one_chain_is_no_click_of_its_own() -> None:
    """Single clicks less than 1.5 s apart are one, at the first: it was before the prompt."""
    assert asked_by(0, 1_400, 20_000, prompts=[700]) == ["keyfob", "prompt"]


def test_a_prompted_click_that_joins_a_phrase_stays_the_phrases_and_has_followed() -> None:
    assert asked_by(5_000, 20_000, prompts=[1_000], spoken=(0,)) == ["phrase", "keyfob"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("emobox/v1/s/fob/event", COMMAND),
        ("emobox/v1/other/fob/command", COMMAND),
        ("emobox/v1/s/cam/command", COMMAND),
        ("emobox/v1/s/test/command", COMMAND),
        ("emobox/v1/s/nobody/command", COMMAND),
        ("emobox/v1/s/fob/command", b'{"v":1,"command":"prompt"}'),
        ("emobox/v1/s/fob/command", b'{"v":1,"command":"prompt","for_ms":0}'),
        ("emobox/v1/s/fob/command", b'{"v":1,"command":"prompt","for_ms":true}'),
        ("emobox/v1/s/fob/command", b'{"v":2,"command":"prompt","for_ms":1}'),
        ("emobox/v1/s/fob/command", b'{"v":1,"command":"identify","prompt":1,"for_ms":1}'),
        ("emobox/v1/s/fob/command", b'"prompt"'),
        ("emobox/v1/s/fob/command", b'{"prompt'),
        ("emobox/v1/s/fob/command", b'"prompt\xff"'),
        ("emobox/v1/s/fob/command", b'"prompt"' + b"[" * 100_000),
    ],
)
def test_what_is_no_prompt_to_a_light_of_this_site_is_not_remembered(topic: str, payload: bytes) -> None:
    assert heard(parse_site(SITE), T, topic, payload) is None


def test_a_prompt_is_remembered_at_its_time_and_nobody_is_told_that_it_was() -> None:
    site = parse_site(SITE)
    prompt = heard(site, T, "emobox/v1/s/fob/command", b'{"v":1,"command":"prompt","for_ms":1}')
    assert prompt is not None
    assert (prompt.device, prompt.t, prompt.kind) == ("hub/fob", T, "prompt")
    assert list(receipts([prompt])) == []
    assert lights(site, "till") == ["term", "term-2", "fob", "fob-2"]
    assert set(senders(site, "till")) == {*site.devices, *map(sender, site.devices)}


def arrival(t: int, device: str, kind: str, **fields: Any) -> Arrival:
    event = {"v": 1, "boot": 1, "seq": t % 1_000_000, "age": 0, "kind": kind, **fields}
    topic = f"emobox/v1/s/{device}/event"
    found = Inspector(parse_site(SITE)).inspect(t, topic, json.dumps(event).encode())
    assert isinstance(found, Arrival)
    return found


def follow(journal: Journal) -> list[str]:
    """asked_by of every contact that a hub makes of the journal."""
    clock = HandClock()
    clock.now = T + 10_000_000
    recorder = Recorder(journal, parse_site(SITE), clock)
    recorder.resume()
    while recorder.step():
        pass
    return [record.tags["asked_by"] for record in journal.records("contact")]


def prompted_shop(journal: Journal) -> Journal:
    """A prompt, its click after a quiet, and a click that nobody prompted; no gaps in any device's count."""
    journal.open()
    prompt = heard(parse_site(SITE), T, "emobox/v1/s/fob/command", COMMAND)
    assert prompt is not None
    clicks = [arrival(T + ms, "fob", "click", pattern="single") for ms in (59_000, 100_000)]
    journal.append([prompt, *clicks])
    return journal


def test_an_exported_log_carries_the_prompt_as_the_command_that_it_was_and_a_replay_knows_none(
    tmp_path: Path,
) -> None:
    journal, site, out = prompted_shop(Journal(tmp_path / "a.db")), parse_site(SITE), tmp_path / "log.jsonl"
    assert follow(journal) == ["prompt", "keyfob"]
    assert export_log(journal, site, out, 0) == 3
    (first, *_) = map(json.loads, out.read_text().splitlines())
    assert first == {"received": T, "topic": "emobox/v1/s/fob/command", "payload": command()}
    report = replay(out, site)
    assert [contact["asked_by"] for contact in report["contacts"]] == ["keyfob", "keyfob"]
    assert report["quarantined"] == []
    second = Journal(tmp_path / "b.db")
    second.open()
    import_log(second, site, out, 0)
    assert follow(second) == ["prompt", "keyfob"]


def test_a_prompt_makes_no_gap_and_no_press_and_is_erased_with_its_point(tmp_path: Path) -> None:
    from gateway.erase import erase

    journal, site = prompted_shop(Journal(tmp_path / "a.db")), parse_site(SITE)
    gaps = journal.gaps()
    prompt = heard(site, T + 5, "emobox/v1/s/fob/command", COMMAND)
    assert prompt is not None
    journal.append([prompt])
    assert (journal.gaps(), journal.count_untrusted("prompt")) == (gaps, 0)
    follow(journal)
    erase(journal, site, "till", T - 1, T + 200_000, T + 300_000)
    assert list(journal.messages(0, T + 10_000_000)) == []


def test_the_command_says_which_point_it_does_not_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "site.toml"
    config.write_text('site = "s"\nzone = "UTC"\n[points.till.devices]\ncam = { kind = "camera" }\n')
    assert main(["prompt", "desk", "--config", str(config)]) == 2
    assert "allowed: till" in capsys.readouterr().err
