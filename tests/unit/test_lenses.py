"""How a camera is, from its status messages and its process, in a shop's words."""

import json
from collections.abc import Callable

import pytest

from gateway.bus import Message
from gateway.lenses import lens_words
from gateway.presence import Lens, Presence
from gateway.supervisor import ChildState
from gateway.vision import guard

TOPIC = "emobox/v1/shop-1/cam-1/status"


def clock(t_ms: int) -> str:
    return f"{t_ms} ms"


def heard(*statuses: object) -> dict[str, Lens]:
    """What is known after these; each comes a second after the one before."""
    times = iter(range(1000, 10_000, 1000))
    now: Callable[[], int] = lambda: next(times)  # noqa: E731
    presence = Presence("shop-1", now_ms=now)
    for status in statuses:
        presence.receive(Message(TOPIC, json.dumps(status).encode()))
    return presence.lens


def test_every_state_that_a_camera_tells_has_words() -> None:
    for says in (guard.WATCHING, guard.OFF, guard.BLIND):
        assert lens_words(heard({"v": 1, "online": True, "lens": says}), [], clock)["cam-1"]


def test_no_picture_is_said_with_the_time_since_when() -> None:
    blind = {"v": 1, "online": True, "lens": "blind"}
    words = lens_words(heard({"v": 1, "online": True, "lens": "off"}, blind, blind, blind), [], clock)
    assert words["cam-1"] == "no picture since 2000 ms: check the camera's cable and power"


@pytest.mark.parametrize(
    "last", [{"v": 1, "online": False}, {"v": 1, "online": True}, {"v": 1, "online": True, "lens": 7}]
)
def test_a_camera_that_says_nothing_of_its_lens_has_no_words(last: object) -> None:
    assert heard({"v": 1, "online": True, "lens": "off"}, last) == {}


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (ChildState("cam-1", False, 1, 1), "being started again"),
        (ChildState("cam-1", False, 3, -9), "being started again"),
        (ChildState("cam-1", False, 1, 2), "stopped: it needs a person. What to do: emobox doctor"),
        (ChildState("cam-1", False, 1, 0), "stopped: its file is over"),
        (ChildState("cam-1", True, 2, 1), "lens off"),
        (ChildState("cam-1"), "lens off"),
    ],
)
def test_a_process_that_is_down_comes_before_what_it_said(state: ChildState, says: str) -> None:
    assert lens_words({"cam-1": Lens("off", 5)}, [state], clock)["cam-1"] == says
