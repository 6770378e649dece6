"""The sink for InfluxDB and its reader, on stores and journals in memory."""

import threading
from collections.abc import Mapping, Sequence

import pytest

from gateway.config import Influx as InfluxTable
from gateway.records import Change, Record
from gateway.sinks import Answer, Done, Rejected, RetryAfter
from gateway.sinks.http import Http, Reply
from gateway.sinks.influx import Influx
from gateway.sinks.influx_v1 import InfluxV1
from gateway.sinks.reader import SinkReader
from gateway.sinks.store import UnacceptableError, UnavailableError


def put(position: int, key: int | None = 1) -> Change:
    return Change(position, "put", Record(f"p-{position}", "press", position, {"site": "s"}, {"key": key}))


def retract(position: int, of: Change) -> Change:
    return Change(position, "retract", of.record)


class Shelf:
    """A store in memory; refuses any call with a bad line in it, as InfluxDB does."""

    def __init__(self, bad: str = "key=13i") -> None:
        self.bad = bad
        self.lines: list[str] = []
        self.log: list[str] = []
        self.down = ""

    def put(self, lines: Sequence[str]) -> None:
        self._call("put")
        if any(self.bad in line for line in lines):
            raise UnacceptableError("bad line")
        self.lines.extend(lines)

    def count(self, measurement: str, field: str, start: int, end: int) -> int | None:
        return None

    def remove(self, records: Sequence[Record]) -> None:
        self._call("remove")

    def _call(self, what: str) -> None:
        self.log.append(what)
        if self.down:
            raise UnavailableError(self.down)


class Notes:
    """A journal in memory."""

    version = 0

    def wait(self, seen: int, timeout_s: float) -> int:
        threading.Event().wait(0.01)
        return seen

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = list(changes)
        self.cursors: dict[str, int] = {}
        self.rejected: list[tuple[int, str]] = []

    def changes_after(self, position: int, limit: int) -> Sequence[Change]:
        return [change for change in self.changes if change.position > position][:limit]

    def cursor(self, name: str) -> int:
        return self.cursors.get(name, 0)

    def set_cursor(self, name: str, position: int) -> None:
        self.cursors[name] = position

    def reject(self, name: str, change: Change, why: str) -> None:
        self.rejected.append((change.position, why))


def sink(shelf: Shelf) -> Influx:
    return Influx(lambda: shelf)


def reader(notes: Notes, shelf: Shelf, batch: int = 100) -> SinkReader:
    return SinkReader(notes, sink(shelf), batch=batch)


def positions(answer: Answer) -> list[int]:
    assert isinstance(answer, Rejected)
    return [refused.change.position for refused in answer.refused]


def test_a_batch_that_is_taken_is_done_up_to_its_last_change() -> None:
    assert sink(Shelf()).write([put(4), put(5)]) == Done(5)


@pytest.mark.parametrize("bad", [(7,), (1, 50), (1, 2, 3), tuple(range(1, 50))])
def test_only_the_bad_lines_of_a_batch_are_rejected(bad: tuple[int, ...]) -> None:
    shelf = Shelf()
    answer = sink(shelf).write([put(at, 13 if at in bad else 1) for at in range(1, 51)])
    assert positions(answer) == list(bad)
    assert len(set(shelf.lines)) == 50 - len(bad)


def test_a_database_that_refuses_everything_is_waited_for_and_nothing_is_given_up() -> None:
    shelf = Shelf(bad="press")
    refusing = sink(shelf)
    assert isinstance(refusing.write([put(1), put(2)]), RetryAfter)
    shelf.bad = "key=13i"
    assert refusing.write([put(1), put(2)]) == Done(2)
    shelf.bad = "press"
    answer = refusing.write([put(at) for at in range(3, 1000)])
    assert isinstance(answer, RetryAfter)
    assert "refuses even what it took before" in answer.why
    assert len(shelf.log) < 20
    shelf.bad = "key=13i"
    assert positions(refusing.write([put(3), put(4, 13)])) == [4]


def test_one_bad_line_alone_is_given_up_once_the_database_has_proved_sound() -> None:
    shelf = Shelf()
    only = sink(shelf)
    assert isinstance(only.write([put(1, 13)]), RetryAfter)
    assert positions(only.write([put(1, 13), put(2)])) == [1]
    assert positions(only.write([put(3, 13)])) == [3]


def test_what_was_taken_back_is_never_sent_again_as_a_proof() -> None:
    shelf = Shelf()
    careful = sink(shelf)
    careful.write([put(1), retract(2, put(1))])
    careful.write([put(3, 13)])
    assert len(shelf.lines) == 1


def test_a_slow_database_is_asked_for_less_and_then_for_more_again() -> None:
    shelf, notes = Shelf(), Notes([put(at) for at in range(1, 201)])
    follower = reader(notes, shelf)
    shelf.down = "slow"
    for _ in range(3):
        follower.step()
    shelf.down = ""
    parts = []
    while follower.step() is not None:
        parts.append(notes.cursors["influx"])
    assert parts == [12, 36, 84, 180, 200]


def test_one_bad_line_of_a_thousand_costs_few_requests() -> None:
    shelf = Shelf()
    warm = sink(shelf)
    warm.write([put(1)])
    warm.write([put(at, 13 if at == 700 else 1) for at in range(2, 1001)])
    assert len(shelf.log) <= 24


def test_a_record_that_cannot_be_a_line_is_rejected_and_the_others_are_stored() -> None:
    shelf = Shelf()
    answer = sink(shelf).write([put(1), put(2, None), put(3)])
    assert positions(answer) == [2]
    assert len(shelf.lines) == 2


def test_puts_and_retracts_go_out_in_the_order_of_the_journal() -> None:
    shelf, first = Shelf(), put(1)
    sink(shelf).write([first, put(2), retract(3, first), put(4)])
    assert shelf.log == ["put", "remove", "put"]


def test_a_retract_of_what_was_never_stored_asks_nothing_of_the_database() -> None:
    shelf, never = Shelf(), put(1, None)
    assert sink(shelf).write([retract(2, never)]) == Done(2)
    assert shelf.log == []


class Ear(Http):
    """A server that hears everything and answers an empty result."""

    def __init__(self) -> None:
        super().__init__("http://nowhere", {})
        self.heard: list[bytes] = []

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        self.heard.append(body)
        return Reply(200, '{"results": []}', {})


def test_many_corrections_are_sent_in_requests_short_enough_for_a_slow_disk() -> None:
    ear = Ear()
    store = InfluxV1(InfluxTable(url="http://nowhere"), ear)
    changes = [retract(at, put(at)) for at in range(1, 96)]
    assert Influx(lambda: store).write(changes) == Done(95)
    assert [body.count(b"DELETE") for body in ear.heard] == [10] * 9 + [5]


def test_waits_double_up_to_a_minute_and_start_afresh_after_a_success() -> None:
    shelf = Shelf()
    influx = sink(shelf)
    shelf.down = "it is down"
    answers = [influx.write([put(1)]) for _ in range(8)]
    assert answers == [RetryAfter(float(s), "it is down") for s in (1, 2, 4, 8, 16, 32, 60, 60)]
    shelf.down = ""
    assert influx.write([put(1)]) == Done(1)
    shelf.down = "again"
    assert influx.write([put(1)]) == RetryAfter(1.0, "again")


def test_the_reader_commits_its_cursor_batch_by_batch() -> None:
    notes = Notes([put(at) for at in range(1, 6)])
    follower = reader(notes, Shelf(), batch=2)
    steps = [follower.step() for _ in range(4)]
    assert steps == [Done(2), Done(4), Done(5), None]
    assert notes.cursors == {"influx": 5}


def test_the_reader_quarantines_what_is_rejected_and_goes_on() -> None:
    notes = Notes([put(1), put(2, 13), put(3)])
    follower = reader(notes, Shelf())
    follower.step()
    assert notes.rejected == [(2, "bad line")]
    assert (follower.state.position, follower.state.rejected) == (3, 1)


def test_the_reader_keeps_its_place_and_says_why_while_the_target_is_down() -> None:
    notes, shelf = Notes([put(1)]), Shelf()
    follower = reader(notes, shelf)
    shelf.down = "InfluxDB sleeps"
    follower.step()
    assert (follower.state.waiting, notes.cursors) == ("InfluxDB sleeps", {})
    shelf.down = ""
    follower.step()
    assert (follower.state.waiting, notes.cursors) == (None, {"influx": 1})


def test_the_reader_stops_at_once_even_while_it_waits_for_a_dead_target() -> None:
    shelf, stopping = Shelf(), threading.Event()
    shelf.down = "for ever"
    thread = threading.Thread(target=reader(Notes([put(1)]), shelf).run, args=[stopping], daemon=True)
    thread.start()
    stopping.set()
    thread.join(5)
    assert not thread.is_alive()
