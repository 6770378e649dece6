"""Bad input never crashes and never vanishes (spec 2, Validity; spec 6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config import parse_site
from gateway.events import Arrival, Quarantined
from gateway.ingest import receipts
from gateway.inspector import Inspector
from gateway.journal import Journal, JournalError
from gateway.replay import read_log

SITE = parse_site(
    {"site": "s", "zone": "UTC", "points": {"p": {"devices": {"t": {"kind": "terminal", "keys": 3}}}}}
)
TOPIC = "emobox/v1/s/t/event"
PRESS = {"v": 1, "boot": 1, "seq": 1, "age": 0, "kind": "press", "key": 1}


def inspect(payload: bytes | dict[str, Any], topic: str = TOPIC) -> Arrival | Quarantined | None:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Inspector(SITE).inspect(1000, topic, body)


def reason(payload: bytes | dict[str, Any], topic: str = TOPIC) -> str | None:
    found = inspect(payload, topic)
    return found.reason.partition(":")[0] if isinstance(found, Quarantined) else None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"v": True}, "version"),
        ({"v": 1.0}, "version"),
        ({"kind": "click"}, "kind"),
        ({"kind": ["press"]}, "kind"),
        ({"boot": -1}, "identity"),
        ({"seq": 0}, "identity"),
        ({"seq": True}, "identity"),
        ({"age": 7_776_000_001}, "age"),
        ({"age": 1.0}, "age"),
        ({"age": False}, "age"),
        ({"key": 4}, "value"),
        ({"key": 0}, "value"),
        ({"totals": [1, -1]}, "value"),
        ({"totals": None}, "value"),
        ({"more": [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}, None),
        ({"more": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}, "bad_json"),
        ({"more": 10**400}, "bad_json"),
        ({"more": "\ud800"}, "not_utf8"),
        ({"more": "x" * 4096}, "too_large"),
        ({"age": 7_776_000_000, "boot": 10**30, "more": {"deep": [1.5]}}, None),
    ],
)
def test_the_first_reason_that_applies(change: dict[str, Any], expected: str | None) -> None:
    assert reason(PRESS | change) == expected


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"null", b"NaN", b'{"v":NaN}', b'{"v":1e999}', b"[" * 4096, b"1" * 4096]
)
def test_what_is_no_json_object_is_bad_json(text: bytes) -> None:
    assert reason(text) == "bad_json"


def test_other_topics_of_the_site_carry_no_events() -> None:
    for leaf in ("ack", "status", "command"):
        assert inspect(b"nonsense", f"emobox/v1/s/whoever/{leaf}") is None
        assert reason(b"nonsense", f"emobox/v1/other/whoever/{leaf}") == "unknown_site"


@given(
    st.binary(max_size=200),
    st.sampled_from([TOPIC, "emobox/v1/s/x/event", "", "emobox", "emobox/v1/s/t/ack"]),
)
def test_any_bytes_are_an_event_or_have_a_reason(payload: bytes, topic: str) -> None:
    found = inspect(payload, topic)
    assert (found is None) == (topic == "emobox/v1/s/t/ack")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from([*PRESS, "totals", "other"]), json_values))
def test_any_object_is_an_event_or_has_a_reason(change: dict[str, Any]) -> None:
    found = inspect(PRESS | change)
    assert isinstance(found, Arrival | Quarantined)


@given(st.lists(st.binary(max_size=80), max_size=10))
def test_every_line_of_a_log_that_is_not_blank_is_counted(lines: list[bytes]) -> None:
    log = b"\n".join(lines)
    assert len(read_log(log, SITE)) == sum(bool(line.strip()) for line in log.split(b"\n"))


def test_a_line_too_deep_for_any_parser_is_refused_for_its_payload() -> None:
    deep = (
        '{"received":1,"topic":"emobox/v1/s/t/event","payload":{"x":' + "[" * 100_000 + "]" * 100_000 + "}}"
    )
    (item,) = read_log(deep.encode(), SITE)
    assert isinstance(item, Quarantined)
    assert item.reason.startswith("too_large")


def test_everything_with_an_identity_is_acknowledged_few_at_a_time() -> None:
    items = [found for n in range(1, 121) if (found := inspect(PRESS | {"seq": n}))]
    items += [found for n in (500, 501) if (found := inspect(PRESS | {"seq": n, "key": 9}))]
    answers = list(receipts(items))
    assert max(len(seqs) for _, _, seqs in answers) <= 50
    assert sorted(seq for _, _, seqs in answers for seq in seqs) == [*range(1, 121), 500, 501]


def test_the_journal_keeps_the_first_copy_counts_equal_ones_and_quarantines_others(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    journal.open()
    copies = [PRESS, PRESS | {"age": 5}, PRESS | {"key": 2}, PRESS | {"boot": 10**30, "seq": 10**30}]
    journal.append([found for copy in copies if (found := inspect(copy))])
    assert [row.n for row in journal.events_after(0)] == [1, 2]
    assert journal.duplicates() == 1
    assert journal.quarantine_counts() == {"conflict": 1}
    assert journal.gaps() == 10**30 - 1
    journal.close()


def test_a_journal_has_one_hub_and_is_found_again(tmp_path: Path) -> None:
    first, second = Journal(tmp_path / "j.db"), Journal(tmp_path / "j.db")
    first.open()
    with pytest.raises(JournalError, match="another hub"):
        second.open()
    first.close()
    second.open()
    second.close()
