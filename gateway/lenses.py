"""How the cameras are, in a shop's words, for the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from gateway.presence import Lens
from gateway.supervisor import CANNOT, ChildState

WORDS = {"watching": "watching: an ask is open", "off": "lens off"}
RESTARTING = "being started again"
NEEDS_PERSON = "stopped: it needs a person. What to do: emobox doctor"


def lens_words(
    said: Mapping[str, Lens], children: Iterable[ChildState], clock: Callable[[int], str]
) -> dict[str, str]:
    """By device; `clock` shows an instant (ms) as a local time. That a process here is down comes first."""
    words = {name: _said(lens, clock) for name, lens in said.items()}
    return words | {state.name: _down(state) for state in children if state.starts and not state.running}


def _said(lens: Lens, clock: Callable[[int], str]) -> str:
    if lens.says == "blind":
        return f"no picture since {clock(lens.since)}: check the camera's cable and power"
    return WORDS[lens.says]


def _down(state: ChildState) -> str:
    if state.exit_status == 0:
        return "stopped: its file is over"
    return NEEDS_PERSON if state.exit_status == CANNOT else RESTARTING
