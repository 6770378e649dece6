"""What holds for every log (spec 2, 3, 4, 6): any order, copies, batches, restarts and broken bytes."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware import wire
from gateway.cli import main
from gateway.config import load_site
from gateway.events import Arrival
from gateway.fusion import Fusion, PointEvents
from gateway.journal import Journal
from gateway.replay import read_log, replay, sort_events

START = 1_760_007_540_000  # 2025-10-09, one minute before 13:00 in Berlin, when the shop closes for lunch
SITE_TOML = """
site = "s"
zone = "Europe/Berlin"
region = "other"
[hours]
thu = ["09:00-13:00", "13:02-24:00"]
[camera]
sign_posted = "x"
[k]
button = [ { value = 0.3 }, { from = 2025-10-09T13:05:00, value = 0.7 } ]
[phrases.ask]
role = "ask"
[phrases.good]
role = "rating"
rating = "top"
[points.till]
served = 40
[points.till.devices]
term = { kind = "terminal", keys = 3 }
test = { kind = "terminal", keys = 2, test = true }
fob = { kind = "keyfob" }
cam = { kind = "camera" }
[points.desk]
technology = "voice"
[points.desk.devices]
term-2 = { kind = "terminal", keys = 5 }
fob-2 = { kind = "keyfob" }
mic = { kind = "microphone" }
cam-2 = { kind = "camera" }
[defaults]
timeout_voice_s = 40
"""
FACE = {"track": 1, "px": 120, "yaw": 0, "ok": True}
OUTCOMES = ("loyal", "passive", "unknown", "critic", "silent")

Log = list[tuple[str, int, int | None, dict[str, Any]]]


def _happening(devices: list[str], kind: str, fields: list[dict[str, Any]]) -> st.SearchStrategy[Any]:
    return st.tuples(st.sampled_from(devices), st.just(kind), st.sampled_from(fields))


STEP_MS = st.one_of(
    st.integers(0, 3_000),
    st.sampled_from([0, 499, 500, 1499, 1500, 4999, 5000, 10_000, 15_000, 29_999, 30_000, 60_000, 60_001]),
)
CLICK = _happening(["fob", "fob-2"], "click", [{"pattern": "single"}, {"pattern": "double"}])
PRESS = _happening(["term", "term-2", "test"], "press", [{"key": 1}, {"key": 2}])
LOW = _happening(["term", "term-2"], "press", [{"key": 3}])
SPOKEN = _happening(["mic"], "phrase", [{"id": "ask", "score": 1}, {"id": "good", "score": 0.5}])
LOOK = _happening(["cam", "cam-2"], "face", [{**FACE, "smile": n} for n in (0.1, 0.6, 0.9)])
AGE = st.one_of(st.integers(0, 200_000), st.none())


@st.composite
def logs(draw: st.DrawFn, size: int = 30) -> Log:
    """Messages (device, received, age, event without age) of both points, a busy lunch time."""
    t, found = START + draw(st.integers(0, 120_000)), Log()
    happenings = st.tuples(STEP_MS, st.one_of(CLICK, PRESS, LOW, SPOKEN, LOOK), AGE)
    for seq, (step, (device, kind, fields), age) in enumerate(
        draw(st.lists(happenings, min_size=1, max_size=size)), 1
    ):
        t += step
        event = wire.make_event(kind, 1, seq, None, fields)
        found.append((device, t + (age or 0), age, event))
    return found


def line(message: tuple[str, int, int | None, dict[str, Any]]) -> bytes:
    device, received, age, event = message
    topic, payload = wire.topic("s", device, "event"), {**event, "age": age}
    return json.dumps({"received": received, "topic": topic, "payload": payload}).encode()


FOLDER = tempfile.TemporaryDirectory(prefix="emobox-properties-")
SITE_FILE = Path(FOLDER.name) / "site.toml"
SITE_FILE.write_text(SITE_TOML)
SITE = load_site(SITE_FILE)


def run(log: bytes) -> dict[str, Any]:
    """The whole command: exit status 0 and one JSON object on stdout."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as out:
        path = Path(folder) / "log.jsonl"
        path.write_bytes(log)
        assert main(["replay", str(path), "--config", str(SITE_FILE), "--json"]) == 0
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def report_of(log: Log) -> dict[str, Any]:
    return run(b"\n".join(map(line, log)))


EXAMPLES = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@EXAMPLES
@given(data=st.data(), log=logs())
def test_the_order_of_lines_does_not_matter(data: st.DataObject, log: Log) -> None:
    assert report_of(data.draw(st.permutations(log))) == report_of(log)


@EXAMPLES
@given(data=st.data(), log=logs())
def test_copies_are_counted_and_change_nothing_else(data: st.DataObject, log: Log) -> None:
    again = data.draw(st.lists(st.tuples(st.sampled_from(log), st.integers(1, 90_000)), max_size=20))
    copies = [(d, t + late, None if age is None else age + late, e) for (d, t, age, e), late in again]
    once, twice = report_of(log), report_of(data.draw(st.permutations(log + copies)))
    assert twice.pop("duplicates") == once.pop("duplicates") + len(copies)
    assert twice == once


@EXAMPLES
@given(log=logs(), cuts=st.lists(st.integers(1, 8), max_size=30), restarts=st.sets(st.integers(0, 30)))
def test_any_batches_and_any_restarts_between_them_give_the_contacts_of_the_replay(
    log: Log, cuts: list[int], restarts: set[int]
) -> None:
    arrivals = [item for item in read_log(b"\n".join(map(line, log)), SITE) if isinstance(item, Arrival)]
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal.db", durable=False)
        journal.open()
        for number, batch in enumerate(_batches(sorted(arrivals, key=lambda item: item.received), cuts)):
            journal.append(batch)
            if number in restarts:
                journal.close()
                journal.open()
        events = {point: PointEvents() for point in SITE.points}
        sort_events(journal, SITE, events)
        contacts = [c for point in SITE.points for c in Fusion(SITE, point).fuse(events[point]).contacts]
        journal.close()
    found = [[c.asked, c.point, c.outcome, c.rating, c.answer_s, c.emotion.smile_share] for c in contacts]
    names = ("asked", "point", "outcome", "rating", "answer_s", "smile_share")
    assert sorted(found, key=lambda c: c[:2]) == [[c[n] for n in names] for c in report_of(log)["contacts"]]


def _batches(items: Sequence[Arrival], cuts: list[int]) -> list[Sequence[Arrival]]:
    found, rest, sizes = list[Sequence[Arrival]](), items, iter(cuts)
    while rest:
        size = next(sizes, 5)
        found.append(rest[:size])
        rest = rest[size:]
    return found


@EXAMPLES
@given(log=logs(60))
def test_everything_adds_up(log: Log) -> None:
    report = report_of(log)
    presses = sum(event["kind"] == "press" for _, _, _, event in log)
    assert sum(report["presses"].values()) == presses
    _contacts_are_sound(report["contacts"])
    indices = report["indices"]
    points = [figures for name, figures in indices.items() if name != "all"]
    for name in ("n", *OUTCOMES):
        assert indices["all"][name] == sum(figures[name] for figures in points)
    counted = [contact for contact in report["contacts"] if contact["score"] is not None]
    assert indices["all"]["n"] == len(counted)
    for figures in indices.values():
        _figures_are_sound(figures)


def _contacts_are_sound(contacts: list[dict[str, Any]]) -> None:
    assert len({(contact["point"], contact["asked"]) for contact in contacts}) == len(contacts)
    for contact in contacts:
        closed = contact["outcome"] == "cancelled" or "closed" in contact["flags"]
        assert (contact["score"] is None) == closed
        assert (contact["rating"] is None) == (contact["answer_s"] is None) == (contact["via"] == "none")
        assert (contact["smile_share"] is None) == (contact["positive"] is None)
        assert 0 <= (contact["smile_share"] or 0) <= 1
        assert 0 <= (contact["answer_s"] or 0) <= 60
        assert contact["valid_s"] >= 2 or contact["smile_share"] is None


def _figures_are_sound(figures: dict[str, Any]) -> None:
    assert figures["n"] == sum(figures[name] for name in OUTCOMES)
    assert figures["few_data"] == (10 <= figures["n"] <= 29)
    value = figures["base_nps"] if figures["emonps"] is None else figures["emonps"]
    assert (value is None) == (figures["n"] < 10) == (figures["published"] == "none")
    assert figures["emonps"] is None or figures["base_nps"] is None
    if value is not None:
        assert -100 - 1e-9 <= figures["low"] <= value <= figures["high"] <= 100 + 1e-9
        assert figures["upper"] is None or figures["upper"] >= value
    if figures["smile_index"] is not None:
        assert 0 <= figures["smile_low"] <= figures["smile_index"] + 1e-9
        assert figures["smile_index"] - 1e-9 <= figures["smile_high"] <= 100
        assert 0 <= figures["rate_low"] <= figures["smile_rate"] + 1e-9 <= figures["rate_high"] + 2e-9


@EXAMPLES
@given(
    outcomes=st.lists(st.tuples(st.sampled_from(["key", "smile", "low", "none"]), st.booleans()), max_size=45)
)
def test_the_figures_of_a_long_day_add_up_and_stay_on_their_scales(outcomes: list[tuple[str, bool]]) -> None:
    report = report_of(_day(outcomes))
    for figures in report["indices"].values():
        _figures_are_sound(figures)
    whole = report["indices"]["all"]
    assert whole["n"] == len(outcomes)
    assert whole["loyal"] == sum(what == "smile" for what, _ in outcomes)
    assert whole["silent"] == sum(what == "none" for what, _ in outcomes)


def _day(outcomes: list[tuple[str, bool]]) -> Log:
    """One customer in 70 s at the till or at the desk: answered, smiling, bad, or silent."""
    log = Log()

    def put(t: int, device: str, kind: str, fields: dict[str, Any]) -> None:
        log.append((device, t, 0, wire.make_event(kind, 2, len(log) + 1, 0, fields)))

    for n, (what, desk) in enumerate(outcomes):
        t, end = START + 600_000 + 70_000 * n, "-2" if desk else ""
        put(t, "fob" + end, "click", {"pattern": "single"})
        if what != "none":
            put(t + 3000, "term" + end, "press", {"key": 1 if what != "low" else 5 if desk else 3})
        for k in range(6 if what == "smile" else 0):
            put(t + 1000 + 400 * k, "cam" + end, "face", {**FACE, "smile": 0.9})
    return log


TOKENS = [b"-1", b"0", b"1e999", b"null", b"true", b'"x"', b"[]", b"{}", b"[" * 40, b"NaN", b"1.0", b"9" * 25]
TOKENS += [
    b"\\ud800",
    b"\xff",
    b"\n",
    b"\r",
    b'"',
    b"\\",
    b"\x00",
    b"emobox/v1/s/term/ack",
    b"\xed\xa0\x80",
    b"",
]
EDIT = st.tuples(
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 12),
    st.one_of(st.sampled_from(TOKENS), st.binary(max_size=3)),
)


@settings(EXAMPLES, max_examples=250)
@given(log=logs(12), edits=st.lists(EDIT, min_size=1, max_size=8))
def test_a_broken_log_never_crashes_and_every_line_is_accounted_for(log: Log, edits: list[Any]) -> None:
    broken = b"\n".join(map(line, log))
    for place, length, token in edits:
        at = int(place * len(broken))
        broken = broken[:at] + token + broken[at + length :]
    report, items = run(broken), read_log(broken, SITE)
    lines = sum(bool(one.strip()) for one in broken.split(b"\n"))
    kept = {(item.device, item.boot, item.seq) for item in items if isinstance(item, Arrival)}
    skipped = lines - len(items)
    assert len(kept) + report["duplicates"] + len(report["quarantined"]) + skipped == lines
    assert len({entry["line"] for entry in report["quarantined"]}) == len(report["quarantined"])


def test_a_log_without_lines_is_a_day_without_customers() -> None:
    report = run(b"")
    assert (report["contacts"], report["quarantined"], report["gaps"]) == ([], [], 0)
    assert report["indices"]["all"]["published"] == "none"


def test_the_command_and_the_function_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join(map(line, _day([("smile", False)] * 12))))
    assert replay(path, SITE) == run(path.read_bytes())
