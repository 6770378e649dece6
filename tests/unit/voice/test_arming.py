"""Answers are armed only while an ask is open: what the hub's `watch` command and an ask phrase do."""

import pytest

from gateway.voice.arming import OPEN_MAX_MS, SHORTEST_ANSWER_S, Arming


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def told(arming: Arming, **fields: object) -> None:
    arming.command({"v": 1, "command": "watch"} | fields)


def open_at(end_s: float, **fields: object) -> bool:
    arming = Arming(60, Clock())
    told(arming, **fields)
    return arming.is_open(end_s)


def test_no_answer_counts_before_anybody_was_asked() -> None:
    assert not Arming(60, Clock()).is_open(1000.0)


def test_an_answer_counts_from_the_ask_to_the_time_out_and_not_after() -> None:
    fields = {"for_ms": 59_500, "since_ms": 500}
    assert not open_at(999.4, **fields)
    assert open_at(999.5, **fields)
    assert open_at(1059.5, **fields)
    assert not open_at(1059.6, **fields)


def test_after_the_end_of_the_ask_an_answer_that_ended_before_is_still_judged() -> None:
    clock = Clock()
    arming = Arming(60, clock)
    told(arming, for_ms=60_000)
    clock.now_s += 10
    told(arming, for_ms=0)
    assert arming.is_open(1009.9)
    assert not arming.is_open(1010.1)


def test_an_ask_phrase_heard_here_arms_at_once_but_not_for_its_own_last_words() -> None:
    arming = Arming(60, Clock())
    arming.asked(1000.0)
    assert not arming.is_open(1000.0 + SHORTEST_ANSWER_S - 0.01)
    assert arming.is_open(1001.0)
    assert arming.is_open(1060.0)
    assert not arming.is_open(1060.1)


def test_the_hub_has_the_last_word_over_an_ask_phrase() -> None:
    clock = Clock()
    arming = Arming(60, clock)
    arming.asked(999.0)
    told(arming, for_ms=0)
    assert not arming.is_open(1000.5)


def test_a_lost_close_does_not_leave_answers_armed_for_the_day() -> None:
    assert not open_at(1000 + OPEN_MAX_MS / 1000 + 1, for_ms=86_400_000)


@pytest.mark.parametrize("wrong", [-1, 2.5, True, "60000", None])
@pytest.mark.parametrize("name", ["for_ms", "since_ms"])
def test_ignores_times_that_are_no_whole_milliseconds(name: str, wrong: object) -> None:
    assert not open_at(1000.0, **({"for_ms": 60_000, "since_ms": 0} | {name: wrong}))


@pytest.mark.parametrize("other", [{"v": 2}, {"command": "identify"}])
def test_ignores_other_commands(other: dict[str, object]) -> None:
    assert not open_at(1000.0, **({"for_ms": 60_000} | other))
