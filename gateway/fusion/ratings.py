"""Which rating answers which ask: doubles, bursts and spoken ratings walked in order (spec 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.events import Order, Press, Spoken
from gateway.fusion.asks import Asks, Double
from gateway.fusion.presses import Burst, bursts, rating_of

LATE_MS = 60_000


@dataclass(frozen=True, slots=True)
class SpokenRating:
    """A phrase of role rating, and what it says."""

    spoken: Spoken
    rating: str


@dataclass(frozen=True, slots=True)
class PointRules:
    """What the walk needs to know of a point: its time-out, its terminals' keys, when the shop is open."""

    timeout_ms: int
    burst_gap_ms: int
    keys: dict[str, int]
    is_open: Callable[[int], bool]

    @property
    def reach_ms(self) -> int:
        """How long after an ask a press may still answer it, late ones included."""
        return max(self.timeout_ms, LATE_MS)


@dataclass(slots=True)
class Answer:
    """What became of one ask."""

    rating: str | None = None
    t: int | None = None
    via: str = "none"
    flags: tuple[str, ...] = ()
    cancelled: bool = False


@dataclass(slots=True)
class Ratings:
    """Answers by place of their ask, press states, marks, and every rating's time for the windows."""

    answers: list[Answer]
    states: dict[tuple[str, int, int], str] = field(default_factory=dict)
    regular: int = 0
    spontaneous: list[int] = field(default_factory=list)

    def times(self) -> list[int]:
        """When a rating was given at the point, spontaneous ones too, in order."""
        given = [answer.t for answer in self.answers if answer.t is not None]
        return sorted(given + self.spontaneous)


def rate(asks: Asks, presses: Sequence[Press], spoken: Sequence[SpokenRating], rules: PointRules) -> Ratings:
    """Answer the asks of a point with trusted presses and spoken ratings of devices not in test mode."""
    given_up: set[int] = set()
    while True:
        ratings = _Walk(asks, presses, spoken, rules, given_up).walk()
        cancelled = {place for place, answer in enumerate(ratings.answers) if answer.cancelled}
        if cancelled <= given_up or not _outside(presses, rules):
            return ratings
        given_up |= cancelled


def _outside(presses: Sequence[Press], rules: PointRules) -> bool:
    return any(not rules.is_open(press.t) for press in presses)


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing that happens, at its place in the order of spec 3."""

    order: Order
    act: Callable[[], None]


class _Walk:
    """One pass; presses outside opening hours that lean on an ask in `given_up` take no part."""

    def __init__(
        self,
        asks: Asks,
        presses: Sequence[Press],
        spoken: Sequence[SpokenRating],
        rules: PointRules,
        given_up: set[int],
    ) -> None:
        self._asks = asks
        self._presses = presses
        self._spoken = spoken
        self._rules = rules
        self._given_up = given_up
        self._found = Ratings([Answer() for _ in asks.asks])

    def walk(self) -> Ratings:
        steps = [*self._double_steps(), *self._burst_steps(), *self._spoken_steps()]
        for step in sorted(steps, key=lambda step: step.order):
            step.act()
        return self._found

    def _double_steps(self) -> Iterable[_Step]:
        for double in self._asks.doubles:
            yield _Step(double.click.order(rank=0), partial(self._double, double))

    def _burst_steps(self) -> Iterable[_Step]:
        taking_part = [press for press in self._presses if self._takes_part(press)]
        for press in self._presses:
            self._set_state((press,), "closed")
        for burst in bursts(taking_part, self._rules.keys, self._rules.burst_gap_ms):
            yield _Step(burst.counting.order(rank=2), partial(self._burst, burst))

    def _spoken_steps(self) -> Iterable[_Step]:
        for rating in self._spoken:
            yield _Step(rating.spoken.order(rank=3), partial(self._speak, rating))

    def _takes_part(self, event: Press | Spoken) -> bool:
        """In opening hours always; outside only in reach of a newest ask that counts."""
        if self._rules.is_open(event.t):
            return True
        place = self._asks.newest(event.t)
        if place is None or place in self._given_up:
            return False
        asked = self._asks.asks[place].t
        return self._rules.is_open(asked) and event.t - asked <= self._rules.reach_ms

    def _double(self, double: Double) -> None:
        answer = None if double.target is None else self._found.answers[double.target]
        if answer is None or answer.cancelled or answer.rating is not None:
            self._found.regular += 1
        else:
            answer.cancelled = True

    def _burst(self, burst: Burst) -> None:
        if burst.is_many:
            self._burst_of_many(burst)
        elif self._answer_by_key(burst.counting, burst.keys):
            self._set_state(burst.presses, "asked")
        else:
            self._set_spontaneous(burst.presses)

    def _burst_of_many(self, burst: Burst) -> None:
        """All low while an ask is open: frustration, one low at the first press; else mash."""
        first = burst.counting
        place = self._open_ask(first.t)
        frustrated = burst.all_low and place is not None and self._found.answers[place].via != "key"
        if frustrated and place is not None:
            self._give(place, "low", first.t, "key", "frustration")
        self._set_state(burst.presses, "asked" if frustrated else "mash")

    def _answer_by_key(self, press: Press, keys: int) -> bool:
        """Rate the newest ask in time, or late when nothing else did; False: it answers nothing."""
        place, rating = self._asks.newest(press.t), rating_of(press, keys)
        if place is None or self._found.answers[place].cancelled:
            return False
        answer, after_ms = self._found.answers[place], press.t - self._asks.asks[place].t
        if after_ms <= self._rules.timeout_ms and answer.via != "key":
            self._give(place, rating, press.t, "key")
            return True
        if self._rules.timeout_ms < after_ms <= LATE_MS and answer.rating is None:
            self._give(place, rating, press.t, "key", "late")
            return True
        return False

    def _speak(self, spoken: SpokenRating) -> None:
        """A virtual press without burst rules: the first of an ask counts, others of it are ignored."""
        t = spoken.spoken.t
        if not self._takes_part(spoken.spoken):
            return
        place = self._open_ask(t)
        if place is not None and self._found.answers[place].rating is None:
            self._give(place, spoken.rating, t, "voice")
        elif place is None and self._rules.is_open(t):
            self._found.spontaneous.append(t)

    def _open_ask(self, t: int) -> int | None:
        """The newest ask, if it is in time and not cancelled; it may be rated already."""
        place = self._asks.newest(t)
        if place is None or self._found.answers[place].cancelled:
            return None
        return place if t - self._asks.asks[place].t <= self._rules.timeout_ms else None

    def _give(self, place: int, rating: str, t: int, via: str, *flags: str) -> None:
        self._found.answers[place] = Answer(rating, t, via, flags)

    def _set_spontaneous(self, presses: tuple[Press, ...]) -> None:
        within = [press for press in presses if self._rules.is_open(press.t)]
        self._set_state(presses, "closed")
        self._set_state(within, "spontaneous")
        if within:
            self._found.spontaneous.append(within[-1].t)

    def _set_state(self, presses: Iterable[Press], state: str) -> None:
        for press in presses:
            self._found.states[press.device, press.boot, press.seq] = state
