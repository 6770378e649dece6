"""Clock, debounce, lamp, terminal: everything about the chip that needs no chip."""

from collections.abc import Callable

import cpython
import pytest
from hw.clock import Clock
from hw.debounce import Debounce
from hw.lamp import IDENTIFY_MS, PROMPT_MAX_MS, Lamp
from hw.watchdog import LIMIT_MS, Watchdog
from terminal.terminal import Terminal

from tests.firmware.shop import FakeClock

DAY_MS = 86_400_000


def test_the_clock_goes_on_over_many_wraps_of_ticks_ms() -> None:
    true_ms = [cpython.PERIOD - 5]
    clock = Clock(lambda: true_ms[0] % cpython.PERIOD, cpython.ticks_diff)
    began_ms = true_ms[0]
    clock.now_ms()
    for _ in range(100):
        true_ms[0] += DAY_MS
        assert clock.now_ms() == true_ms[0] - began_ms


def test_ticks_diff_is_right_across_the_wrap() -> None:
    assert cpython.ticks_diff(3, cpython.PERIOD - 4) == 7
    assert cpython.ticks_diff(cpython.PERIOD - 4, 3) == -7


def changes(levels: list[int], stable_ms: int = 30, scan_ms: int = 10) -> list[tuple[bool, int]]:
    """(down, since) of each clean edge of these samples."""
    debounce, found = Debounce(stable_ms), []
    for number, level in enumerate(levels):
        if debounce.feed(number * scan_ms, bool(level)):
            found.append((debounce.down, debounce.since_ms))
    return found


def test_a_bouncing_push_is_one_push_at_its_last_bounce() -> None:
    assert changes([0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0]) == [(True, 60), (False, 140)]


def test_a_glitch_is_no_push() -> None:
    assert changes([0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0]) == []


def test_a_key_that_is_down_at_the_start_is_no_push() -> None:
    assert changes([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1]) == [(False, 60), (True, 110)]


def test_a_scan_that_stood_still_still_sees_a_push_that_is_held() -> None:
    debounce = Debounce(30)
    assert not debounce.feed(0, False)
    assert not debounce.feed(10, True)
    assert debounce.feed(900, True)
    assert debounce.since_ms == 10


class Level:
    """A key that a test holds."""

    def __init__(self) -> None:
        self.is_down = False

    def down(self) -> bool:
        """Its level now."""
        return self.is_down


def terminal(saved: Callable[[list[int]], None]) -> tuple[Terminal, list[Level]]:
    keys = [Level(), Level()]
    return Terminal(keys, [Debounce(30), Debounce(30)], [4, 9], saved), keys


def test_keys_pushed_together_are_two_presses_with_totals() -> None:
    saved: list[list[int]] = []
    device, keys = terminal(lambda totals: saved.append(list(totals)))
    device.scan(0)
    for key in keys:
        key.is_down = True
    found = [happening for now_ms in (10, 20, 30, 40, 50) for happening in device.scan(now_ms)]
    fields = [(kind, fields, at_ms) for kind, fields, at_ms, _ in found]
    assert fields == [
        ("press", {"key": 1, "totals": [5, 9]}, 10),
        ("press", {"key": 2, "totals": [5, 10]}, 10),
    ]
    assert saved == [[5, 9], [5, 10]]


def test_a_press_counts_even_when_its_total_cannot_be_saved() -> None:
    def full(_: list[int]) -> None:
        raise OSError("flash is full")

    device, keys = terminal(full)
    device.scan(0)
    keys[0].is_down = True
    assert [happening for now_ms in (10, 50) for happening in device.scan(now_ms)]


def test_the_light_blinks_for_identify_flashes_to_confirm_and_stays_on_for_a_prompt() -> None:
    lamp = Lamp()
    lamp.prompt(0, 60_000)
    assert lamp.lit(0)
    assert lamp.lit(59_999)
    assert not lamp.lit(60_000)
    lamp.flash(70_000, (150, 100, 150))
    assert [lamp.lit(70_000 + ms) for ms in (0, 149, 150, 249, 250, 399, 400)] == [1, 1, 0, 0, 1, 1, 0]
    lamp.identify(80_000)
    levels = [lamp.lit(80_000 + ms) for ms in range(0, IDENTIFY_MS + 1000, 50)]
    assert {True, False} == set(levels)
    assert not any(levels[-20:])


@pytest.mark.parametrize("for_ms", [-5, 10**15])
def test_a_mad_prompt_ends(for_ms: int) -> None:
    lamp = Lamp()
    lamp.prompt(0, for_ms)
    assert not lamp.lit(PROMPT_MAX_MS)


class Timer:
    """A watchdog timer that counts."""

    fed = 0

    def feed(self) -> None:
        """Once more."""
        self.fed += 1


def test_the_watchdog_is_fed_only_while_every_stage_moves() -> None:
    timer, clock = Timer(), FakeClock()
    watchdog = Watchdog(timer, clock, ("scan", "link"))
    assert watchdog.check() == []
    clock.ms = LIMIT_MS + 1
    watchdog.beat("scan")
    assert watchdog.check() == ["link"]
    assert timer.fed == 1
    watchdog.beat("link")
    assert watchdog.check() == []
    assert timer.fed == 2
