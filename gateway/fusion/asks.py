"""What opens an ask: keyfob clicks and spotted ask phrases (spec 3, Asks)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.events import Click, Spoken

CLICK_MERGE_MS = 1500
PROMPT_MS = 60_000


@dataclass(frozen=True, slots=True)
class AskLimits:
    """Limits in ms: a double click cancels, a phrase joins an ask this young."""

    cancel_ms: int
    phrase_merge_ms: int


@dataclass(frozen=True, slots=True)
class Ask:
    """One customer was asked at t (ms since 1970)."""

    t: int
    asked_by: str


@dataclass(frozen=True, slots=True)
class Double:
    """A double click, and the ask that was newest then (its place among the asks, or None)."""

    click: Click
    target: int | None


@dataclass
class Asks:
    """All asks of a point in order of time, with the double clicks that may cancel them."""

    asks: list[Ask] = field(default_factory=list)
    doubles: list[Double] = field(default_factory=list)

    def newest(self, t: int) -> int | None:
        """Place of the newest ask at t, or None."""
        place = bisect_right(self.asks, t, key=lambda ask: ask.t) - 1
        return place if place >= 0 else None

    def next_t(self, place: int) -> int | None:
        """When the ask after this one was opened, or None."""
        return self.asks[place + 1].t if place + 1 < len(self.asks) else None


def open_asks(
    clicks: Iterable[Click], phrases: Iterable[Spoken], limits: AskLimits, prompts: Sequence[int] = ()
) -> Asks:
    """Walk clicks and ask phrases of a point in order; clicks come first within a millisecond.

    `prompts`: when a light said "ask the next customer", in ms, in order; a replay knows none.
    """
    walk = _Walk(limits, prompts)
    events: list[Click | Spoken] = [*merge_clicks(clicks), *phrases]
    for event in sorted(events, key=lambda event: event.order(rank=isinstance(event, Spoken))):
        walk.take(event)
    return walk.found


def merge_clicks(clicks: Iterable[Click]) -> Iterator[Click]:
    """Clicks, less the singles that follow a single of the same keyfob by less than 1.5 s."""
    last: dict[str, int] = {}
    for click in sorted(clicks, key=Click.order):
        if click.pattern == "single":
            before = last.get(click.device)
            last[click.device] = click.t
            if before is not None and click.t - before < CLICK_MERGE_MS:
                continue
        yield click


class _Walk:
    """State of the walk: the asks so far, and whether the newest still takes a keyfob's click."""

    def __init__(self, limits: AskLimits, prompts: Sequence[int]) -> None:
        self.found = Asks()
        self._limits, self._prompts = limits, prompts
        self._prompts_past = 0
        self._takes_click = False

    def take(self, event: Click | Spoken) -> None:
        if isinstance(event, Spoken):
            self._phrase(event.t)
        elif event.pattern == "single":
            self._single(event.t)
        elif event.pattern == "double":
            self._double(event)

    def _phrase(self, t: int) -> None:
        if not self._is_young(t):
            self._open(t, "phrase")
            self._takes_click = True

    def _single(self, t: int) -> None:
        joins = self._takes_click and self._is_young(t)
        asked_by = "prompt" if self._follows_prompt(t) else "keyfob"
        self._takes_click = False
        if not joins:
            self._open(t, asked_by)

    def _follows_prompt(self, t: int) -> bool:
        """Whether this single click is the first after the newest prompt, within 60 s."""
        before = self._prompts_past
        self._prompts_past = past = bisect_left(self._prompts, t)
        return past > before and t - self._prompts[past - 1] <= PROMPT_MS

    def _double(self, click: Click) -> None:
        place = self.found.newest(click.t)
        in_time = place is not None and click.t - self.found.asks[place].t <= self._limits.cancel_ms
        self.found.doubles.append(Double(click, place if in_time else None))

    def _is_young(self, t: int) -> bool:
        asks = self.found.asks
        return bool(asks) and t - asks[-1].t <= self._limits.phrase_merge_ms

    def _open(self, t: int, asked_by: str) -> None:
        """Of two asks in one millisecond the second opens 1 ms later."""
        asks = self.found.asks
        asks.append(Ask(max(t, asks[-1].t + 1) if asks else t, asked_by))
