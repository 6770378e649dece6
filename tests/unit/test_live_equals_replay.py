"""However events arrive, the records in the end say what a replay of the same log says (spec 3)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import wire
from gateway import stream
from gateway.clock import Clock
from gateway.config import Site, parse_site
from gateway.events import Arrival
from gateway.fusion import Fusion, PointEvents
from gateway.inspector import Inspector, canonical
from gateway.journal import Journal
from gateway.measurements import contact_record, press_record
from gateway.moments import EMOTION, MomentMemory
from gateway.prompts import command, heard
from gateway.recorder import Recorder

START = 1_760_000_000_000
SITE: dict[str, Any] = {
    "site": "s",
    "zone": "Europe/Berlin",
    "region": "other",
    "camera": {"sign_posted": "x"},
    "points": {
        "till": {
            "technology": "voice",
            "devices": {
                "term": {"kind": "terminal", "keys": 3},
                "term-2": {"kind": "terminal", "keys": 5},
                "test": {"kind": "terminal", "keys": 2, "test": True},
                "fob": {"kind": "keyfob"},
                "fob-2": {"kind": "keyfob"},
                "cam": {"kind": "camera"},
                "mic": {"kind": "microphone"},
            },
        }
    },
    "staff": {"anna": {"keyfob": "fob", "consent": "x"}, "boris": {"keyfob": "fob-2"}},
    "phrases": {
        "ask": {"role": "ask"},
        "good": {"role": "rating", "rating": "top"},
        "offer": {"role": "offer"},
    },
    "defaults": {"timeout_voice_s": 20, "valid_min_s": 0.3},
}


class HandClock(Clock):
    """Set by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START

    def now_ms(self) -> int:
        return self.now


PROMPT = canonical(command()).encode()
FACE = {"track": 1, "px": 120, "yaw": 0, "ok": True}
TERMINALS = ["term", "term-2"]


def _happening(devices: list[str], kind: str, fields: list[dict[str, Any]]) -> st.SearchStrategy[Any]:
    return st.tuples(st.sampled_from(devices), st.just(kind), st.sampled_from(fields))


HAPPENING = st.one_of(
    _happening(["fob"], "click", [{"pattern": "single"}, {"pattern": "double"}]),
    _happening(["fob", "fob-2"], "click", [{"pattern": "long"}]),
    _happening(["fob", "term"], "prompt", [{}]),
    _happening([*TERMINALS, "test"], "press", [{"key": 1}]),
    _happening(TERMINALS, "press", [{"key": 3}]),
    _happening(["mic"], "phrase", [{"id": "ask", "score": 1}, {"id": "good", "score": 1}]),
    _happening(["mic"], "phrase", [{"id": "offer", "score": 1}]),
    _happening(["cam"], "face", [{**FACE, "smile": 0.1}, {**FACE, "smile": 0.9}]),
)
STEP_MS = st.one_of(
    st.integers(0, 6_000),
    st.sampled_from([20_000, 20_001, 60_000, 60_001, 130_000, 200_000, 3_600_000, 20_000_000]),
)
DELAY_MS = st.one_of(st.just(0), st.integers(0, 10_000), st.sampled_from([130_000, 7_000_000]))
LOG = st.lists(st.tuples(STEP_MS, HAPPENING, DELAY_MS), min_size=1, max_size=40)


def arrivals(log: Sequence[tuple[int, tuple[str, str, dict[str, Any]], int]]) -> list[Arrival]:
    """The events in order of arrival."""
    inspector, t, found = Inspector(parse_site(SITE)), START, []
    for seq, (step, (device, kind, fields), delay) in enumerate(log, start=1):
        t += step
        if kind == "prompt":
            prompt = heard(parse_site(SITE), t, wire.topic("s", device, "command"), PROMPT)
            found += [prompt] if prompt else []
            continue
        payload = canonical(wire.make_event(kind, 1, seq, delay, fields)).encode()
        item = inspector.inspect(t + delay, wire.topic("s", device, "event"), payload)
        assert isinstance(item, Arrival)
        found.append(item)
    return sorted(found, key=lambda item: item.received)


def expected(items: Sequence[Arrival], site: Site) -> set[tuple[str, str]]:
    """(id, record) of every contact and press, and of the faces of the contacts, fused at once."""
    events, presses = PointEvents(), []
    for item in items:
        event = item.event()
        assert event is not None
        if item.kind == "press":
            presses.append(event)
        if item.kind == "prompt" or not site.devices[item.device].test:
            events.add(event)
    events.readings.sort(key=lambda reading: reading.t)
    fusion = Fusion(site, "till")
    fused = fusion.fuse(events)
    moments = MomentMemory(site, "till", fusion.emotion_limits)
    records = [contact_record(contact, site) for contact in fused.contacts]
    records += [
        press_record(p, fused.states.get((p.device, p.boot, p.seq), "test"), site)  # type: ignore[arg-type]
        for p in presses
    ]
    for contact, window in zip(fused.contacts, fused.windows, strict=True):
        records += moments.records(contact, window, events)
    return {(record.id, record.to_json()) for record in records}


@settings(max_examples=150, deadline=None)
@given(
    log=LOG,
    cuts=st.lists(st.integers(1, 8), max_size=40),
    crashes=st.sets(st.integers(0, 40)),
    tidy=st.sampled_from([0, 100]),
)
def test_any_arrival_any_batches_any_restart_give_the_same_records(
    log: Any, cuts: list[int], crashes: set[int], tidy: int
) -> None:
    site, items = parse_site(SITE), arrivals(log)
    with tempfile.TemporaryDirectory() as folder, patch.object(stream, "TIDY_LEAST", tidy):
        journal = Journal(Path(folder) / "journal.db", durable=False)
        journal.open()
        clock = HandClock()
        recorder = Recorder(journal, site, clock)
        recorder.resume()
        rest, number = list(items), 0
        while rest:
            size = cuts[number] if number < len(cuts) else 5
            batch, rest = rest[:size], rest[size:]
            clock.now = batch[-1].received
            journal.append(batch)
            if number in crashes:
                recorder = Recorder(journal, site, clock)
                recorder.resume()
            while recorder.step():
                pass
            number += 1
        clock.now += 10_000_000
        recorder.step()
        found = [r for name in ("contact", "press", *EMOTION) for r in journal.records(name)]
        assert {(record.id, record.to_json()) for record in found} == expected(items, site)
        journal.close()
