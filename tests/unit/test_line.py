"""Line protocol: what a record looks like on its way to InfluxDB."""

import math
from collections.abc import Mapping

import pytest

from gateway.records import Record, Value
from gateway.sinks.line import RecordError, line


def press(fields: Mapping[str, Value], *, tags: Mapping[str, str] | None = None, time_ms: int = 5) -> Record:
    return Record("p-1", "press", time_ms, dict(tags or {}), dict(fields))


def body(record: Record) -> str:
    """The line without its time."""
    return line(record).rsplit(" ", 1)[0]


def test_integers_floats_booleans_and_text_are_told_apart() -> None:
    record = press({"n": 1, "x": 1.5, "on": True, "off": False, "name": "a"})
    assert body(record) == 'press n=1i,x=1.5,on=true,off=false,name="a"'


def test_a_float_field_of_the_specification_stays_a_float_when_its_value_is_whole() -> None:
    assert (
        body(Record("c", "contact", 5, {}, {"score": 1, "k": 0, "loyal": 1}))
        == "contact score=1.0,k=0.0,loyal=1i"
    )


def test_fields_without_a_value_and_empty_tags_are_left_out() -> None:
    record = press({"n": 1, "key": None}, tags={"site": "s", "staff": ""})
    assert body(record) == "press,site=s n=1i"


def test_tags_are_sorted_so_that_equal_records_make_equal_lines() -> None:
    assert body(press({"n": 1}, tags={"b": "2", "a": "1"})) == body(
        press({"n": 1}, tags={"a": "1", "b": "2"})
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b", "a\\ b"),
        ("a,b", "a\\,b"),
        ("a=b", "a\\=b"),
        ("кофе", "кофе"),
        ("a\nb", "a\\ b"),
        ("a\\", "a/"),
    ],
)
def test_tags_are_escaped_and_what_has_no_escape_is_replaced(value: str, written: str) -> None:
    assert body(press({"n": 1}, tags={"point": value})) == f"press,point={written} n=1i"


def test_text_fields_keep_newlines_quotes_and_backslashes() -> None:
    assert body(press({"note": 'a\n"b"\\'})) == 'press note="a\n\\"b\\"\\\\"'


def test_a_lone_surrogate_does_not_stop_a_record() -> None:
    assert line(press({"note": "a\ud800"}, tags={"point": "\udfff"})).encode()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**63, 10**400])
def test_a_number_that_cannot_be_stored_is_rejected_with_why(value: Value) -> None:
    with pytest.raises(RecordError, match="field x"):
        line(press({"x": value}))


def test_a_record_with_no_field_left_is_rejected_with_why() -> None:
    with pytest.raises(RecordError, match="no field"):
        line(press({"n": None}))


@pytest.mark.parametrize("time_ms", [10**13, -(10**13)])
def test_a_time_outside_of_the_database_is_rejected_with_why(time_ms: int) -> None:
    with pytest.raises(RecordError, match="time"):
        line(press({"n": 1}, time_ms=time_ms))


def test_two_records_of_one_millisecond_have_two_times_in_the_same_millisecond() -> None:
    times = {int(line(Record(key, "press", 7, {}, {"n": 1})).rsplit(" ", 1)[1]) for key in ("a", "b")}
    assert len(times) == 2
    assert {time // 1_000_000 for time in times} == {7}
