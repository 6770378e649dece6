"""`smile`, `spike` and `reaction` records: what a customer's face did in W (spec 4 and 5), edges at ±1 ms."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from gateway.config import parse_site
from gateway.events import Click, Press, Reading, Spoken
from gateway.fusion import Fusion, PointEvents
from gateway.fusion.emotion import EmotionLimits, Held, read_track, tracks_of
from gateway.fusion.moments import Mean, changes, means
from gateway.moments import MomentMemory
from gateway.records import Record
from gateway.sinks.line import line

T = 1_760_000_000_000
LIMITS = EmotionLimits(80, 30, 0.6, 0.4, 2000, 1000)
DEVICES = {
    "t": {"kind": "terminal", "keys": 3},
    "f": {"kind": "keyfob"},
    "m": {"kind": "microphone"},
    "c": {"kind": "camera"},
}


def faces(start: int, count: int, smile: float, step: int = 250, track: int = 1) -> list[Reading]:
    """Good readings, the first at that ms after T; seq by time, so that no two are the same event."""
    return [
        Reading(
            "c", 1, track * 1_000_000 + start + n * step, T + start + n * step, track, smile, 120, 0, True
        )
        for n in range(count)
    ]


def records(
    *readings: list[Reading],
    press: int | None = 1_000,
    spoken: tuple[tuple[int, str], ...] = (),
    **tables: Any,
) -> list[Record]:
    """What one contact asked at T makes; phrases are (ms after T, id)."""
    table: dict[str, Any] = {
        "site": "s",
        "zone": "UTC",
        "region": "other",
        "camera": {"sign_posted": "x"},
        "phrases": {
            "offer": {"role": "offer"},
            "ask": {"role": "ask"},
            "fine": {"role": "rating", "rating": "top"},
        },
        "points": {"p": {"devices": DEVICES}},
    }
    site = parse_site(table | tables)
    events = PointEvents([Click("f", 1, 1, T, "single")], readings=list(chain(*readings)))
    if press is not None:
        events.add(Press("t", 1, 1, T + press, 1))
    for n, (t, phrase) in enumerate(spoken, start=1):
        events.add(Spoken("m", 1, n, T + t, phrase, 1.0))
    fusion = Fusion(site, "p")
    fused = fusion.fuse(events)
    memory = MomentMemory(site, "p", fusion.emotion_limits)
    made = memory.records(fused.contacts[0], fused.windows[0], events)
    assert memory.records(fused.contacts[0], fused.windows[0], events) is made or not made
    return made


def of(found: list[Record], name: str) -> list[tuple[int, dict[str, Any]]]:
    return [(r.time_ms - T, {**r.fields}) for r in found if r.measurement == name]


# ---- smile ------------------------------------------------------------------------------------------


def test_smile_is_a_10_s_mean_over_held_time_of_the_customer_asked() -> None:
    """40 readings hold 0.25 s each up to 10 s after W began, 4 more in the next 10 s, the last 0.5 s."""
    found = records(faces(0, 20, 0.2), faces(5_000, 24, 0.8), press=9_000)
    assert of(found, "smile") == [
        (0, {"smile": 0.5, "faces": 1, "valid_s": 10.0}),
        (10_000, {"smile": pytest.approx(0.8), "faces": 1, "valid_s": 1.25}),
    ]
    assert line(found[0]).startswith("smile,point=p,scope=asked,site=s smile=0.5,faces=1.0,valid_s=10.0 ")


@pytest.mark.parametrize(("t", "start"), [(9_999, 0), (10_000, 10_000)])
def test_a_reading_belongs_to_the_10_s_in_which_it_was_taken(t: int, start: int) -> None:
    assert means([[Held(T + t, 100, 0.5)]], T) == [Mean(T + start, 0.5, 1, 100)]


def test_a_mean_weighs_by_held_time_counts_tracks_and_leaves_out_what_held_no_time() -> None:
    tracks = [[Held(T, 300, 1.0), Held(T + 300, 0, 0.0)], [Held(T, 100, 0.2)], [Held(T, 0, 0.9)]]
    assert means(tracks, T) == [Mean(T, (300 * 1.0 + 100 * 0.2) / 400, 2, 400)]
    assert means([[Held(T, 0, 0.9)]], T) == []


@pytest.mark.parametrize(
    "tables",
    [
        {"camera": None},
        {"region": "mars"},
        {"hours": {}},
        {"defaults": {"valid_min_s": 5}},
    ],
)
def test_nothing_is_recorded_of_a_face_that_may_not_be_looked_at_or_is_not_known(
    tables: dict[str, Any],
) -> None:
    assert records(faces(0, 16, 0.9), **tables) == []
    assert records(faces(0, 16, 0.9)) != []


def test_a_post_press_only_profile_records_what_came_after_the_press_alone() -> None:
    assert records(faces(0, 60, 0.9), press=None, region="eu") == []
    smile = of(records(faces(0, 60, 0.9), press=4_000, region="eu"), "smile")
    assert smile == [(4_000, {"smile": pytest.approx(0.9), "faces": 1, "valid_s": 5.0})]


def test_an_ambiguous_customer_leaves_no_record() -> None:
    assert records(faces(0, 16, 0.9), faces(0, 16, 0.9, track=2)) == []


# ---- spike ------------------------------------------------------------------------------------------


def leaping(phrases: tuple[tuple[int, str], ...] = (), **tables: Any) -> list[Record]:
    return [
        r
        for r in records(faces(0, 48, 0.1), faces(12_000, 12, 0.95), press=14_000, spoken=phrases, **tables)
        if r.measurement == "spike"
    ]


def test_a_spike_is_recorded_when_the_smile_left_its_median_with_sign_and_size() -> None:
    (spike,) = leaping()
    assert (spike.time_ms, spike.tags, spike.fields["sign"]) == (T + 12_000, {"site": "s", "point": "p"}, 1)
    assert spike.fields["size"] == pytest.approx(0.3344, abs=1e-4)  # 0.85 · (1 − exp(−0.25 / 0.5))
    assert " sign=1i,size=0.33" in line(spike)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (((3_999, "offer"),), None),
        (((4_000, "offer"),), "offer"),
        (((12_000, "offer"),), "offer"),
        (((12_001, "offer"),), None),
        (((5_000, "offer"), (6_000, "hello")), "hello"),
    ],
)
def test_a_spike_names_the_phrase_last_spotted_in_the_8_s_before(
    said: tuple[tuple[int, str], ...], named: str | None
) -> None:
    (spike,) = leaping(said)
    assert spike.tags.get("phrase") == named


# ---- reaction ---------------------------------------------------------------------------------------


def test_a_reaction_is_the_share_smiling_after_a_phrase_less_the_share_before() -> None:
    found = records(faces(0, 32, 0.1), faces(8_000, 32, 0.9), press=15_000, spoken=((8_000, "offer"),))
    assert of(found, "reaction") == [(8_000, {"delta": 100.0, "before": 0.0, "after": 1.0})]
    (reaction,) = [r for r in found if r.measurement == "reaction"]
    assert line(reaction).startswith("reaction,phrase=offer,point=p,site=s delta=100.0,before=0.0,after=1.0 ")


@pytest.mark.parametrize("phrase", ["ask", "fine", "hello"])
def test_only_phrases_of_other_roles_have_a_reaction(phrase: str) -> None:
    found = records(faces(0, 64, 0.9), press=15_000, spoken=((8_000, phrase),))
    assert of(found, "reaction") == []


def track(start: int, end: int, smile: float = 0.9) -> list[Held]:
    """Held without a gap from start to end (ms), half a second each."""
    return [Held(t, min(500, end - t), smile) for t in range(start, end, 500)]


@pytest.mark.parametrize(
    ("start", "end", "known"),
    [
        (-2_000, 2_000, True),
        (-1_999, 2_000, False),
        (-2_000, 1_999, False),
        (-9_000, 0, False),
        (0, 9_000, False),
    ],
)
def test_both_sides_must_be_seen_for_as_long_as_an_emotion(start: int, end: int, known: bool) -> None:
    phrase = Spoken("m", 1, 1, 0, "offer", 1.0)
    found = [(one.before, one.after, one.delta) for one in changes(track(start, end), [phrase], LIMITS)]
    assert found == ([(1.0, 1.0, 0.0)] if known else [])


@pytest.mark.parametrize(("edge", "shares"), [(-8_000, (0.5, 0.0)), (-8_001, None)])
def test_before_is_the_8_s_before(edge: int, shares: tuple[float, float] | None) -> None:
    """A half-second smile from `edge`, and as much without, are the only 1 s seen before."""
    held = [Held(edge, 500, 0.9), Held(-500, 500, 0.0), Held(0, 500, 0.0), Held(500, 500, 0.0)]
    phrase = Spoken("m", 1, 1, 0, "offer", 1.0)
    found = [(one.before, one.after) for one in changes(held, [phrase], replace(LIMITS, valid_min_ms=1000))]
    assert found == ([shares] if shares else [])


@pytest.mark.parametrize(("t", "after"), [(7_499, 1.0), (7_500, 1.0), (7_501, None), (8_000, None)])
def test_after_is_the_8_s_after_and_nothing_is_held_beyond(t: int, after: float | None) -> None:
    held = [Held(-500, 500, 0.9), Held(t, 500, 0.9)]
    phrase = Spoken("m", 1, 1, 0, "offer", 1.0)
    limits = replace(LIMITS, valid_min_ms=500)
    assert [one.after for one in changes(held, [phrase], limits)] == ([] if after is None else [after])


@pytest.mark.parametrize(("run_ms", "before"), [(499, 0.0), (500, 0.5)])
def test_a_run_under_half_a_second_does_not_count_and_what_is_held_ends_at_the_phrase(
    run_ms: int, before: float
) -> None:
    held = [Held(-2_000, 500, 0.1), Held(-run_ms, 700, 0.9), Held(0, 500, 0.1), Held(500, 500, 0.1)]
    phrase = Spoken("m", 1, 1, 0, "offer", 1.0)
    found = list(changes(held, [phrase], replace(LIMITS, valid_min_ms=900)))
    assert [one.before for one in found] == [pytest.approx(before)]


def test_where_nothing_was_held_there_is_no_share_whatever_the_least_is() -> None:
    phrase = Spoken("m", 1, 1, 0, "offer", 1.0)
    assert list(changes([], [phrase], replace(LIMITS, valid_min_ms=0))) == []


# ---- one track (scope=all) --------------------------------------------------------------------------


@pytest.mark.parametrize(("last_ms", "share"), [(1_500, 1.0), (1_499, None)])
def test_a_track_is_known_when_it_was_seen_long_enough(last_ms: int, share: float | None) -> None:
    (one,) = tracks_of(faces(0, 4, 0.9, 500)[:3] + faces(last_ms, 1, 0.9))
    emotion = read_track(one, LIMITS)
    assert (emotion.smile_share, emotion.valid_ms) == (share, last_ms + 500)


@pytest.mark.parametrize(("smiling_ms", "positive"), [(1_000, True), (999, False)])
def test_a_track_is_positive_after_one_run_of_a_second(smiling_ms: int, positive: bool) -> None:
    sad = faces(smiling_ms + 2_000, 4, 0.1, 500)
    one = [*faces(0, 2, 0.9, smiling_ms - 500), *sad]
    emotion = read_track(one, LIMITS)
    assert emotion.positive is positive
    assert emotion.smile_share == pytest.approx(smiling_ms / (smiling_ms + 2_000))


@pytest.mark.parametrize(("run_ms", "share"), [(500, 0.2), (499, 0.0)])
def test_a_tracks_run_under_half_a_second_does_not_count(run_ms: int, share: float) -> None:
    one = [*faces(0, 1, 0.9), replace(faces(run_ms, 1, 0.0)[0], ok=False), *faces(5_000, 4, 0.1, 500)]
    assert read_track(one, LIMITS).smile_share == pytest.approx(share)


def test_a_track_that_never_held_is_unknown_whatever_the_least_is() -> None:
    one = [replace(reading, ok=False) for reading in faces(0, 4, 0.9)]
    emotion = read_track(one, replace(LIMITS, valid_min_ms=0))
    assert (emotion.valid_ms, emotion.smile_share, emotion.positive) == (0, None, None)


def test_readings_in_any_order_are_tracks_in_order() -> None:
    one, two = faces(0, 3, 0.9), faces(100, 3, 0.9, track=2)
    assert list(tracks_of([*reversed(two), *reversed(one)])) == [one, two]
