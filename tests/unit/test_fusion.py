"""The live end of fusion (spec 3): which ask is still open, and until when its camera is needed."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import pytest

from gateway.config import parse_site
from gateway.events import Click, Press, Spoken
from gateway.fusion import Fused, Fusion, PointEvents

T = 1_760_000_000_000
TIMEOUT, GAP, AFTER, POST, SILENT, LATE = 30_000, 5_000, 3_000, 5_000, 30_000, 60_000
DEVICES = {"t": {"kind": "terminal", "keys": 3}, "f": {"kind": "keyfob"}, "m": {"kind": "microphone"}}
FUSION = ("asks", "contacts", "emotion", "moments", "presses", "ratings", "staff")
MODULES = [f"gateway.fusion.{name}" for name in FUSION]
INDICES = ("", ".cases", ".compare", ".nps", ".reaction", ".shares", ".smile")
MODULES += [f"gateway.indices{name}" for name in INDICES]
WORKING_STATE = {"Asks", "PointEvents", "Answer", "Ratings"}


def fuse(events: PointEvents, now: int | None = None, **tables: Any) -> Fused:
    site: dict[str, Any] = {
        "site": "s",
        "zone": "UTC",
        "region": "other",
        "camera": {"sign_posted": "x"},
        "phrases": {"good": {"role": "rating", "rating": "top"}},
        "points": {"p": {"technology": tables.pop("technology", "button"), "devices": DEVICES}},
    }
    return Fusion(parse_site(site | tables), "p").fuse(events, now)


def happened(*clicks: int, press: int | None = None, double: int | None = None) -> PointEvents:
    """Asks at these ms after T, maybe one `top` key, maybe one double click."""
    events = PointEvents([Click("f", 1, n, T + t, "single") for n, t in enumerate(clicks, start=1)])
    if press is not None:
        events.add(Press("t", 1, 1, T + press, 1))
    if double is not None:
        events.add(Click("f", 1, 99, T + double, "double"))
    return events


@pytest.mark.parametrize(("after_ms", "is_open"), [(0, True), (TIMEOUT, True), (TIMEOUT + 1, False)])
def test_an_ask_is_open_up_to_its_timeout_and_is_no_contact_until_then(after_ms: int, is_open: bool) -> None:
    fused = fuse(happened(0), T + after_ms)
    assert (fused.closes, len(fused.contacts)) == ((T + TIMEOUT, 0) if is_open else (None, 1))


def test_without_a_clock_every_ask_has_reached_its_timeout() -> None:
    fused = fuse(happened(0))
    assert (fused.closes, len(fused.contacts)) == (None, 1)


@pytest.mark.parametrize("what", [{"press": 1000}, {"double": 1000}])
def test_a_rated_or_cancelled_ask_is_a_contact_at_once(what: dict[str, int]) -> None:
    fused = fuse(happened(0, **what), T + 1000)
    assert (fused.closes, len(fused.contacts)) == (None, 1)


def test_a_new_ask_closes_the_open_one_at_that_moment() -> None:
    fused = fuse(happened(0, 5000), T + 6000)
    assert [(contact.asked, contact.outcome) for contact in fused.contacts] == [(T, "silent")]
    assert fused.closes == T + 5000 + TIMEOUT


def test_before_any_ask_nothing_is_open() -> None:
    fused = fuse(happened(), T)
    assert (fused.closes, fused.watch_until, fused.contacts) == (None, None, [])


def test_the_camera_is_needed_for_the_latest_window_that_is_still_possible() -> None:
    assert fuse(happened(0)).watch_until == T + LATE + AFTER
    assert fuse(happened(0, 40_000)).watch_until == T + 40_000 + LATE + AFTER
    assert fuse(happened(0), defaults={"window_silent_s": 90}).watch_until == T + 90_000
    assert fuse(happened(0), defaults={"timeout_button_s": 70}).watch_until == T + 70_000 + AFTER


def test_an_ask_that_is_still_to_come_does_not_move_the_cameras_end() -> None:
    """As after a clock that was set back; without a clock the last ask counts."""
    assert fuse(happened(0, 40_000), T + 39_999).watch_until == T + LATE + AFTER
    assert fuse(happened(0, 40_000), T + 40_000).watch_until == T + 40_000 + LATE + AFTER
    assert fuse(happened(40_000), T).watch_until is None


def test_after_a_key_the_camera_is_needed_until_its_burst_is_complete_and_its_window_over() -> None:
    assert fuse(happened(0, press=2000)).watch_until == T + 2000 + GAP + AFTER
    assert fuse(happened(0, 20_000, press=22_000)).watch_until == T + 22_000 + GAP + AFTER


def test_after_a_spoken_rating_a_key_may_still_come() -> None:
    events = happened(0)
    events.add(Spoken("m", 1, 1, T + 1000, "good", 1.0))
    assert fuse(events, technology="voice").watch_until == T + LATE + AFTER


def test_a_cancelled_ask_needs_no_camera() -> None:
    assert fuse(happened(0, double=1000)).watch_until is None
    assert fuse(happened(0, 20_000, double=21_000)).watch_until is None


def test_a_camera_that_must_be_off_is_never_needed() -> None:
    assert fuse(happened(0, press=2000), camera=None).watch_until is None
    assert fuse(happened(0, press=2000), region="mars").watch_until is None


def test_a_post_press_only_profile_needs_the_camera_after_the_press_alone() -> None:
    assert fuse(happened(0), region="eu").watch_until is None
    assert fuse(happened(0, press=2000), region="eu").watch_until == T + 2000 + GAP + POST


@pytest.mark.parametrize("name", MODULES)
def test_what_fusion_and_indices_hand_out_never_changes(name: str) -> None:
    module = importlib.import_module(name)
    found = [one for one in vars(module).values() if dataclasses.is_dataclass(one) and isinstance(one, type)]
    mutable = {one.__name__ for one in found if not one.__dataclass_params__.frozen}  # type: ignore[attr-defined]
    assert mutable <= WORKING_STATE
