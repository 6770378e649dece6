"""Journal, reader and a real InfluxDB together."""

import threading
import time
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

import pytest

from gateway.journal import Journal
from gateway.records import Record
from gateway.sinks.influx import open_influx
from gateway.sinks.reader import SinkReader
from tests.integration.influx import Access, one, record, store
from tests.servers import Server, start_influxd


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.db")
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with start_influxd(tmp_path) as running:
        yield running


def follow(journal: Journal, server: Server) -> SinkReader:
    """Lets a reader take all there is."""
    reader = SinkReader(journal, open_influx(Access(server.url)), batch=7)
    while reader.step() is not None:
        pass
    return reader


def stored(server: Server, measurement: str) -> list[tuple[int, dict[str, object]]]:
    """(time in ns, columns with a value) of every point, in order of time."""
    (series,) = store(Access(server.url)).query(f'SELECT * FROM "{measurement}" ORDER BY time')
    named = (dict(zip(series.columns, row, strict=True)) for row in series.rows)
    return [(row["time"], {k: v for k, v in row.items() if k != "time" and v is not None}) for row in named]


def expected(rows: list[Record]) -> list[tuple[int, dict[str, object]]]:
    """The same of records."""
    return sorted(map(point, rows), key=itemgetter(0))


def point(row: Record) -> tuple[int, dict[str, object]]:
    """Time and columns with a value of a record."""
    return row.time_ns, {
        **row.tags,
        **{name: value for name, value in row.fields.items() if value is not None},
    }


def test_the_points_equal_the_records_in_force_field_by_field(journal: Journal, server: Server) -> None:
    old = [
        record(f"p-{at}", {"n": 1, "key": None, "note": f'"{at}"\n'}, time_ms=1_790_000_000_000 + at)
        for at in range(40)
    ]
    new = [
        record(row.id, dict(row.fields), time_ms=row.time_ms, tags={"state": "mash"}) for row in old[10:20]
    ]
    journal.record("fusion", 1, [("put", row) for row in old])
    follow(journal, server)
    journal.record("fusion", 2, [("retract", row) for row in old[10:20]] + [("put", row) for row in new])
    reader = follow(journal, server)
    assert stored(server, "press") == expected(journal.records("press"))
    assert reader.state.position == journal.last_change()


def test_what_the_database_refuses_stands_in_the_journals_quarantine(
    journal: Journal, server: Server
) -> None:
    bad = record("bad", {"n": "not a number"})
    journal.record(
        "fusion", 1, [("put", record("a", {"n": 1})), ("put", bad), ("put", record("b", {"n": 1}))]
    )
    follow(journal, server)
    ((position, reader, why),) = journal.rejected()
    assert (position, reader, "field type conflict" in why) == (2, "influx", True)
    assert one(server, "SELECT count(n) FROM press") == 2


def test_a_new_record_is_in_the_database_within_half_a_second(journal: Journal, server: Server) -> None:
    stopping = threading.Event()
    reader = SinkReader(journal, open_influx(Access(server.url)))
    thread = threading.Thread(target=reader.run, args=[stopping], daemon=True)
    thread.start()
    journal.record("fusion", 1, [("put", record("first", {"n": 1}))])
    while reader.state.position < 1:
        time.sleep(0.01)
    began = time.monotonic()
    journal.record("fusion", 2, [("put", record("second", {"n": 1}))])
    while reader.state.position < 2 and time.monotonic() < began + 5:
        time.sleep(0.002)
    took_s = time.monotonic() - began
    stopping.set()
    journal.wake()
    thread.join(10)
    assert one(server, "SELECT count(n) FROM press") == 2
    assert took_s < 0.5
