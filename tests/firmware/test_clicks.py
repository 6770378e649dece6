"""The click recogniser."""

import pytest
from hw.debounce import Debounce
from keyfob.clicks import GAP_MS, LONG_MS, ClickRecogniser
from keyfob.keyfob import Keyfob

SCAN_MS = 10


def play(*changes_ms: int, until_ms: int = 6_000) -> list[tuple[int, str, int]]:
    """(known at, pattern, happened at) of a key that changes at these moments, first down."""
    clicks, found, down = ClickRecogniser(), [], False
    for now_ms in range(0, until_ms, SCAN_MS):
        pattern = clicks.tick(now_ms)
        if now_ms in changes_ms:
            down = not down
            pattern = clicks.edge(now_ms, down) or pattern
        if pattern:
            found.append((now_ms, *pattern))
    return found


def test_a_single_is_known_when_no_second_push_came() -> None:
    assert play(100, 180) == [(180 + GAP_MS + SCAN_MS, "single", 100)]


def test_a_double_is_known_at_its_second_push() -> None:
    assert play(100, 180, 300, 380) == [(300, "double", 100)]


def test_a_long_is_known_while_the_key_is_still_down() -> None:
    assert play(100, 3_000) == [(100 + LONG_MS, "long", 100)]


@pytest.mark.parametrize(("held_ms", "pattern"), [(LONG_MS - 10, "single"), (LONG_MS, "long")])
def test_the_border_between_single_and_long(held_ms: int, pattern: str) -> None:
    assert [found[1] for found in play(100, 100 + held_ms)] == [pattern]


@pytest.mark.parametrize(
    ("gap_ms", "patterns"), [(GAP_MS, ["double"]), (GAP_MS + SCAN_MS, ["single", "single"])]
)
def test_the_border_between_double_and_two_singles(gap_ms: int, patterns: list[str]) -> None:
    assert [found[1] for found in play(100, 180, 180 + gap_ms, 260 + gap_ms)] == patterns


def test_pushes_that_follow_a_double_belong_to_it() -> None:
    assert [found[1] for found in play(100, 180, 280, 360, 460, 540, 640, 720)] == ["double"]


def test_two_slow_singles_keep_their_own_moments() -> None:
    assert [found[1:] for found in play(100, 180, 1_000, 1_080)] == [("single", 100), ("single", 1_000)]


def test_a_loop_that_stood_still_still_tells_single_double_and_long_apart() -> None:
    clicks = ClickRecogniser()
    assert clicks.edge(100, True) is None
    assert clicks.edge(2_000, False) == ("long", 100)
    assert clicks.edge(5_000, True) is None
    assert clicks.edge(5_080, False) is None
    assert clicks.edge(9_000, True) == ("single", 5_000)
    assert clicks.edge(9_080, False) is None
    assert clicks.tick(9_080 + GAP_MS + 1) == ("single", 9_000)


class PlayedKey:
    """A key with a level for each moment."""

    def __init__(self) -> None:
        self.is_down = False

    def down(self) -> bool:
        """Its level now."""
        return self.is_down


def test_a_second_push_that_bounces_over_the_gap_is_still_a_double() -> None:
    key, found = PlayedKey(), []
    fob = Keyfob(key, Debounce(30))
    second_ms = 180 + GAP_MS - 10  # its first contact is within the gap, its debounced edge is not
    for now_ms in range(0, 2_000, SCAN_MS):
        key.is_down = 100 <= now_ms < 180 or second_ms <= now_ms < second_ms + 80
        found += fob.scan(now_ms)
    assert [(kind, fields["pattern"], at_ms) for kind, fields, at_ms, _ in found] == [
        ("click", "double", 100)
    ]
