"""The benches say what they measure, and their tables tell ours from the peer's."""

from __future__ import annotations

import importlib

import pytest

from bench.__main__ import NAMES
from bench.days import Shop
from bench.load import Events, publish_packet
from bench.table import Row, markdown


@pytest.mark.parametrize("name", NAMES)
def test_every_bench_says_what_is_measured_and_against_whom(name: str) -> None:
    bench = importlib.import_module(f"bench.{name}")
    assert "eer" in (bench.__doc__ or "")
    assert callable(bench.measure)


def test_a_ratio_is_taken_run_by_run() -> None:
    assert Row("x", "s", [2, 9], "peer", [1, 3]).ratios == [2, 3]
    assert "2.5 (2–3)" in markdown([Row("x", "s", [2, 9], "peer", [1, 3])])


def test_a_row_without_a_peer_claims_no_ratio() -> None:
    assert Row("x", "s", [2]).cells()[3:6] == ("–", "–", "–")


def test_a_generated_day_has_28_000_events_mostly_faces() -> None:
    day = Shop().day(0)
    assert 27_500 < len(day) < 28_500
    assert sum(event["kind"] == "face" for _, _, event in day) == 300 * 91


@pytest.mark.parametrize("n", [0, 9, 10, 29_999])
def test_the_load_finds_the_event_that_an_acknowledgement_names(n: int) -> None:
    assert Events(30_000, "presses", 0, 1).device(f"term-{n % 10 + 1}", n // 10 + 1) == n


def test_a_publish_is_mqtt() -> None:
    assert publish_packet(b"a", b"hi", 7) == b"\x32\x07\x00\x01a\x00\x07hi"
