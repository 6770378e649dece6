"""The sink on a real InfluxDB 1.x."""

import logging
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.records import Record, Value
from gateway.sinks import Done, Rejected, RetryAfter
from gateway.sinks.influx import open_influx
from gateway.sinks.reader import SinkReader
from tests.integration.influx import Access, one, put, record, retract, rows, secret, store
from tests.servers import Server, start_influxd
from tests.unit.test_sinks import Notes

NASTY = [
    "a b",
    "a,b",
    "a=b",
    "кофе ☕",
    "it's",
    'say "hi"',
    "x=1,y=2 z",
    "日本",
    "a#b",
    "/^.*$/",
    "$x",
    "a;b",
]
NUMBER = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_influxd(tmp_path_factory.mktemp("influx")) as running:
        yield running


@pytest.fixture
def influx(server: Server) -> Access:
    """A database of this test's own."""
    return Access(server.url, database=f"database {next(NUMBER)}")


def test_the_first_write_creates_the_database(influx: Access) -> None:
    assert open_influx(influx).write([put(1, record("a", {"n": 1}))]) == Done(1)
    assert one(influx, "SELECT n FROM press") == 1


def test_every_kind_of_value_comes_back_as_it_went(influx: Access) -> None:
    fields: dict[str, Value] = {
        "n": 2**62,
        "x": 1e-300,
        "y": -0.1,
        "yes": True,
        "text": 'two\nlines, "quoted" \\ кофе ☕ \t=,',
    }
    open_influx(influx).write([put(1, record("a", fields))])
    (found,) = rows(influx, f"SELECT {', '.join(fields)} FROM press")
    assert dict(zip(fields, found, strict=True)) == fields


@pytest.mark.parametrize("nasty", NASTY)
def test_a_nasty_tag_comes_back_as_it_went_and_its_point_can_be_deleted(influx: Access, nasty: str) -> None:
    row = record("a", {"n": 1, "note": nasty}, tags={"staff": nasty}, measurement="contact " + nasty)
    sink = open_influx(influx)
    assert sink.write([put(1, row)]) == Done(1)
    assert rows(influx, "SELECT note, staff FROM /.*/") == [(nasty, nasty)]
    assert sink.write([retract(2, row)]) == Done(2)
    assert rows(influx, "SELECT note, staff FROM /.*/") == []


@pytest.mark.parametrize("broken", ["ends in \\", "a\\ b", "two\nlines", "nul\0", "\ud800"])
def test_a_tag_that_line_protocol_cannot_carry_is_stored_legibly_and_can_be_deleted(
    influx: Access, broken: str
) -> None:
    row, sink = record("a", {"n": 1}, tags={"device": broken}), open_influx(influx)
    assert sink.write([put(1, row)]) == Done(1)
    assert one(influx, "SELECT count(n) FROM press") == 1
    assert sink.write([retract(2, row)]) == Done(2)
    assert one(influx, "SELECT count(n) FROM press") is None


def test_sending_the_same_records_again_changes_nothing(influx: Access) -> None:
    changes = [
        put(at, record(f"p-{at}", {"n": 1}, time_ms=1_790_000_000_000 + at // 2)) for at in range(1, 500)
    ]
    sink = open_influx(influx)
    before = [sink.write(changes), rows(influx, "SELECT * FROM press")]
    assert [sink.write(changes), rows(influx, "SELECT * FROM press")] == before
    assert one(influx, "SELECT count(n) FROM press") == 499


def test_two_records_of_one_millisecond_and_one_series_are_both_stored(influx: Access) -> None:
    open_influx(influx).write([put(1, record("a", {"n": 1})), put(2, record("b", {"n": 1}))])
    assert one(influx, "SELECT count(n) FROM press") == 2


def test_a_correction_that_moves_a_contact_to_other_tags_leaves_exactly_one_point(influx: Access) -> None:
    old = record("c", {"score": -0.5}, measurement="contact", tags={"outcome": "silent"})
    new = record("c", {"score": 1.0}, measurement="contact", tags={"outcome": "loyal"})
    changes = [put(1, old), retract(2, old), put(3, new)]
    for _ in range(2):  # a crash after the write, before the cursor: the same changes again
        assert open_influx(influx).write(changes) == Done(3)
        assert rows(influx, "SELECT score, outcome FROM contact") == [(1.0, "loyal")]


def test_a_retract_spares_the_neighbours_of_its_millisecond_and_of_its_time(influx: Access) -> None:
    gone = record("c", {"n": 1}, tags={"device": "d"})
    same_ms = record("d", {"n": 1}, tags={"device": "d"})
    other_tags = record("c", {"n": 1}, tags={"device": "e"})
    more_tags = record("c", {"n": 1}, tags={"device": "d", "state": "asked"})
    everyone = [gone, same_ms, other_tags, more_tags]
    sink = open_influx(influx)
    sink.write([put(at, row) for at, row in enumerate(everyone, 1)])
    assert sink.write([retract(5, gone)]) == Done(5)
    left = rows(influx, "SELECT device, state, n FROM press")
    assert sorted(left, key=str) == sorted([("d", None, 1), ("e", None, 1), ("d", "asked", 1)], key=str)


def test_a_retract_of_what_is_not_there_is_no_error(influx: Access) -> None:
    assert open_influx(influx).write(
        [put(1, record("a", {"n": 1})), retract(2, record("b", {"n": 1}))]
    ) == Done(2)


def test_what_is_deleted_hides_no_other_series(influx: Access) -> None:
    """What 1.6.7 did when two points of a new series had come in one request; x is new again then."""
    sink = open_influx(influx)
    for turn in range(2):
        first, second, of_y = (record(f"{n}", {"n": 1}, tags={"device": d}) for n, d in enumerate("xxy"))
        other = record("3", {"n": 1}, tags={"device": f"z{turn}"})
        sink.write([put(1, first), put(2, of_y), put(3, second)])
        sink.write([retract(4, second), retract(5, of_y), put(6, other)])
        assert sink.write([retract(7, first)]) == Done(7)
        assert rows(influx, "SELECT n, device FROM press") == [(1, f"z{turn}")]
        sink.write([retract(8, other)])


WEEK_MS = 7 * 24 * 3_600_000
RECORDS = st.builds(
    lambda device, state, week, n: record(
        f"{n}", {"n": 1}, tags={"device": device, "state": state}, time_ms=1_790_000_000_000 + week * WEEK_MS
    ),
    st.sampled_from(["d", "e"]),
    st.sampled_from(["asked", "late"]),
    st.integers(0, 1),
    st.integers(1, 4),
)
OPS = st.lists(st.tuples(st.booleans(), RECORDS), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(OPS, st.integers(1, 10))
def test_after_any_puts_and_retracts_in_any_batches_the_points_are_those_that_stand(
    server: Server, ops: list[tuple[bool, Record]], batch: int
) -> None:
    access = Access(server.url, database=f"any {next(NUMBER)}")
    sink = open_influx(access)
    assert sink.check() is None
    standing: set[tuple[int, str, str]] = set()
    for start in range(0, len(ops), batch):
        some = [
            (put if stays else retract)(start + n, row)
            for n, (stays, row) in enumerate(ops[start : start + batch])
        ]
        assert sink.write(some) == Done(some[-1].position)
    for stays, row in ops:
        (standing.add if stays else standing.discard)((row.time_ns, row.tags["device"], row.tags["state"]))
    found = store(access).query("SELECT n, device, state FROM press")
    assert {(at, *tags) for series in found for at, _, *tags in series.rows} == standing
    store(access).query(f'DROP DATABASE "{access.database}"')


def test_a_retract_from_a_database_that_is_gone_holds_nothing_up(influx: Access) -> None:
    sink, row = open_influx(influx), record("a", {"n": 1})
    sink.write([put(1, row)])
    store(influx).query(f'DROP DATABASE "{influx.database}"')
    assert sink.write([retract(2, row)]) == Done(2)
    assert sink.write([put(3, row)]) == Done(3)
    assert one(influx, "SELECT n FROM press") == 1


def test_of_one_point_written_twice_at_once_the_later_stands(influx: Access) -> None:
    rows_of_it = [record("a", {"n": n}) for n in range(3)]
    open_influx(influx).write([put(at, row) for at, row in enumerate(rows_of_it)])
    assert rows(influx, "SELECT n FROM press") == [(2,)]


def test_a_correction_survives_a_power_cut(tmp_path: Path) -> None:
    with start_influxd(tmp_path) as server:
        old, new = (record("c", {"n": 1}, tags={"state": state}) for state in ("spontaneous", "asked"))
        open_influx(Access(server.url)).write([put(1, old), retract(2, old), put(3, new)])
        server.kill()
        server.start()
        assert rows(server, "SELECT n, state FROM press") == [(1, "asked")]


def test_a_bad_line_is_rejected_with_the_reason_of_the_database_and_the_others_are_stored(
    influx: Access,
) -> None:
    sink = open_influx(influx)
    sink.write([put(1, record("a", {"n": 1}))])
    others = [put(at, record(f"p-{at}", {"n": 1})) for at in range(2, 42)]
    bad = put(42, record("bad", {"n": "text where a number belongs"}))
    answer = sink.write([*others[:20], bad, *others[20:]])
    assert isinstance(answer, Rejected)
    assert [(refused.change, "field type conflict" in refused.why) for refused in answer.refused] == [
        (bad, True)
    ]
    assert one(influx, "SELECT count(n) FROM press") == 41


def test_nothing_is_lost_while_the_database_is_down(tmp_path: Path) -> None:
    notes = Notes([put(at, record(f"p-{at}", {"n": 1})) for at in range(1, 301)])
    with start_influxd(tmp_path) as server:
        reader = SinkReader(notes, open_influx(Access(server.url)), batch=100)
        reader.step()
        server.kill()
        answer = reader.step()
        assert isinstance(answer, RetryAfter)
        assert "does not answer" in answer.why
        assert notes.cursors == {"influx": 100}
        server.start()
        while reader.step() is not None:
            pass
        assert one(server, "SELECT count(n) FROM press") == 300


def test_a_reader_thread_delivers_by_itself_when_the_database_is_back(tmp_path: Path) -> None:
    notes, stopping = Notes([put(1, record("p-1", {"n": 1}))]), threading.Event()
    with start_influxd(tmp_path) as server:
        server.kill()
        run = SinkReader(notes, open_influx(Access(server.url))).run
        thread = threading.Thread(target=run, args=[stopping], daemon=True)
        thread.start()
        server.start()
        deadline = time.monotonic() + 10
        while notes.cursors != {"influx": 1} and time.monotonic() < deadline:
            time.sleep(0.05)
        stopping.set()
        thread.join(10)
        assert one(server, "SELECT count(n) FROM press") == 1


def test_access_problems_are_told_with_what_to_do_and_never_with_the_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with start_influxd(tmp_path, auth=True) as server:
        root = Access(server.url, username="root", password_file=secret(tmp_path, "r00t-secret"))
        store(root).query("CREATE USER root WITH PASSWORD 'r00t-secret' WITH ALL PRIVILEGES")
        store(root).query("CREATE USER box WITH PASSWORD 'b0x-secret'")
        box = Access(server.url, username="box", password_file=secret(tmp_path, "b0x-secret"))
        wrong = Access(server.url, username="box", password_file=secret(tmp_path, "wr0ng-secret"))
        lost = Access(server.url, username="box", password_file=str(tmp_path / "not-there"))
        told = [why(wrong), why(lost), why(box)]
        store(root).query("CREATE DATABASE emobox")
        told.append(why(box))
        store(root).query("GRANT WRITE ON emobox TO box")
        row = record("a", {"n": 1})
        assert open_influx(box).write([put(1, row), retract(2, row)]) == Done(2)
    assert ["password_file" in told[0], "not-there" in told[1]] == [True, True]
    assert ['CREATE DATABASE "emobox"' in told[2], 'GRANT ALL ON "emobox" TO "box"' in told[3]] == [
        True,
        True,
    ]
    assert "secret" not in "".join(told).replace("secret-", "") + caplog.text


def why(access: Access) -> str:
    """What the sink answers when it cannot write."""
    sink = open_influx(access)
    answer = sink.write([put(1, record("a", {"n": 1}))])
    assert isinstance(answer, RetryAfter)
    assert sink.check() == answer.why
    return answer.why


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://[", "ftp://x", "nonsense", "http://host:99999999", "http://a..b"]
)
def test_an_address_that_is_wrong_is_a_retry_with_what_to_check(url: str) -> None:
    assert "address" in why(Access(url))
