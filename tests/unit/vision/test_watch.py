"""The lens obeys the hub's `watch` command and nothing else."""

import pytest

from gateway.vision.watch import WATCH_MAX_MS, Watch


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def watched(for_ms: object, after_s: float, **other: object) -> bool:
    clock = Clock()
    watch = Watch(clock)
    watch.command({"v": 1, "command": "watch", "for_ms": for_ms} | other)
    clock.now_s += after_s
    return watch.is_on()


def test_is_off_until_told_to_watch() -> None:
    assert not Watch().is_on()


def test_watches_for_as_long_as_told() -> None:
    assert watched(63_000, 62.9)
    assert not watched(63_000, 63.0)


def test_the_newest_command_holds_and_zero_is_lens_off() -> None:
    watch = Watch(Clock())
    watch.command({"v": 1, "command": "watch", "for_ms": 60_000})
    watch.command({"v": 1, "command": "watch", "for_ms": 0})
    assert not watch.is_on()


def test_a_lost_lens_off_does_not_leave_the_lens_on_for_the_day() -> None:
    assert not watched(86_400_000, WATCH_MAX_MS / 1000)


@pytest.mark.parametrize("for_ms", [-1, 2.5, True, "60000", None])
def test_ignores_a_duration_that_is_no_whole_number_of_milliseconds(for_ms: object) -> None:
    assert not watched(for_ms, 0.0)


@pytest.mark.parametrize("other", [{"v": 2}, {"command": "identify"}])
def test_ignores_other_commands(other: dict[str, object]) -> None:
    assert not watched(60_000, 0.0, **other)
