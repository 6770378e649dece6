"""What a microphone says of its sound in `health` events, in words for a shop: page, doctor and command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the microphone process needs neither: it only puts its level into words
    from gateway.config import Site
    from gateway.journal import Journal

SILENCE_DB = -100.0
QUIET_DB = -42.0
"""Speech at a till is louder in its loudest frame (RMS of 80 ms, re full scale); not tried in a shop."""
CLIPPED_MAX = 0.0005
"""So large a share of all samples at the rail is heard as rattling."""
REACH_MS = 2 * 3_600_000


@dataclass(frozen=True, slots=True)
class Sound:
    """A microphone's last minute; `heard` is the local time of the last phrase since it was started.

    `undecided` are answers that contradicted each other, `unasked` answers while no ask was open.
    """

    level: str
    do: str
    level_db: float
    clipped: float
    lost_s: float
    restarts: int
    heard: str | None
    undecided: int
    unasked: int


def words(figures: Mapping[str, object]) -> tuple[str, str]:
    """What figures of a `health` event mean, and what to do about it ("": nothing); ("", "") without any."""
    level, clipped = figures.get("level_db"), figures.get("clipped")
    if not isinstance(level, int | float) or not isinstance(clipped, int | float):
        return "", ""
    if level <= SILENCE_DB:
        return "no sound at all", "switch the microphone on, and see that the right sound card is named"
    if clipped > CLIPPED_MAX:
        return "clipping", "turn the microphone's level down (alsamixer), or move it away from the speaker"
    if level < QUIET_DB:
        return "too quiet", "if people spoke: move the microphone nearer, or turn its level up (alsamixer)"
    return "fine", ""


def sound_of(journal: Journal, site: Site, device: str, now_ms: int) -> Sound | None:
    """What the microphone said last, of the last two hours; None when it said nothing of its sound."""
    found = journal.newest_health(device, now_ms - REACH_MS)
    if found is None or not words(found[1])[0]:
        return None
    t, figures = found
    level, do = words(figures)
    ago_s = figures.get("heard_ago_s")
    known = isinstance(ago_s, int | float) and 0 <= ago_s * 1000 <= t
    return Sound(
        level,
        do,
        _number(figures, "level_db"),
        _number(figures, "clipped"),
        _number(figures, "sound_lost_s"),
        int(_number(figures, "sound_restarts")),
        site.local(t - round(float(str(ago_s)) * 1000)).strftime("%H:%M:%S") if known else None,
        int(_number(figures, "undecided")),
        int(_number(figures, "unasked")),
    )


def _number(figures: Mapping[str, Any], name: str) -> float:
    """A figure that a device sent; 0 where it is no number or beyond all measure."""
    value = figures.get(name, 0)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e15 else 0.0
