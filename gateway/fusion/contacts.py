"""From a point's events to its contacts (spec 3): pure, without clock, input or output."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from gateway.config import Site
from gateway.events import Click, Event, Press, Prompt, Reading, Spoken
from gateway.fusion.asks import AskLimits, Asks, open_asks
from gateway.fusion.emotion import UNSEEN, Emotion, EmotionLimits, Window, read_emotion
from gateway.fusion.ratings import Answer, PointRules, Ratings, SpokenRating, rate
from gateway.fusion.staff import signed_on
from gateway.privacy import profile

SETTLE_MS = 2000
POST_VALID_MIN_MS = 1500
SCORES = {"loyal": 1.0, "passive": 0.0, "unknown": 0.0, "critic": -1.0}

EmotionReader = Callable[[Sequence[Reading], Window, EmotionLimits], Emotion]


@dataclass(frozen=True, slots=True)
class Contact:
    """One ask and what came of it: the unit of every index (spec 1); times in ms since 1970.

    `staff` is the pseudonym of who was signed on, only with consent.
    """

    point: str
    asked: int
    asked_by: str
    outcome: str
    rating: str | None
    via: str
    rated: int | None
    emotion: Emotion
    score: float | None
    k: float
    flags: tuple[str, ...]
    staff: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it is in the indices: not cancelled, not closed."""
        return self.score is not None

    @property
    def answer_s(self) -> float | None:
        """Seconds from the ask to the rating."""
        return None if self.rated is None else (self.rated - self.asked) / 1000


@dataclass(slots=True)
class PointEvents:
    """Trusted events of a point, none of a device in test mode; readings are in order of t.

    `signs` are the long clicks, `prompts` the times (ms, in order) of the hub's prompts.
    """

    clicks: list[Click] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    spoken: list[Spoken] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    signs: list[Click] = field(default_factory=list)
    prompts: list[int] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Put an event where it belongs."""
        if isinstance(event, Reading):
            self.readings.append(event)
        elif isinstance(event, Press):
            self.presses.append(event)
        elif isinstance(event, Click):
            (self.signs if event.pattern == "long" else self.clicks).append(event)
        elif isinstance(event, Spoken):
            self.spoken.append(event)
        elif isinstance(event, Prompt):
            insort(self.prompts, event.t)


@dataclass(frozen=True, slots=True)
class Fused:
    """What the events of a point say: its contacts, every press's state, the marks `regular`.

    `closes` is when the ask that is still open times out, `watch_until` when its camera is no longer needed;
    `windows` are those of the contacts (None: nothing was looked at).
    """

    contacts: list[Contact]
    states: dict[tuple[str, int, int], str]
    regular: int
    closes: int | None
    watch_until: int | None
    windows: list[Window | None]


class Fusion:
    """The rules of one point of a site."""

    def __init__(self, site: Site, point: str, reader: EmotionReader = read_emotion) -> None:
        limits = site.defaults
        self._site, self._point, self._reader = site, point, reader
        self._privacy = profile(site)
        self._staff = {one.keyfob: name if one.consent.strip() else None for name, one in site.staff.items()}
        self._ask_limits = AskLimits(limits.ms("cancel_s"), limits.ms("phrase_merge_s"))
        self._rules = PointRules(
            site.timeout_ms(point),
            limits.ms("burst_gap_s"),
            {name: device.keys or 0 for name, device in site.devices.items()},
            site.is_open,
        )
        post = self._privacy.post_press_only
        self.emotion_limits = EmotionLimits(
            limits.face_px_min,
            limits.face_yaw_max,
            limits.smile_on,
            limits.smile_off,
            POST_VALID_MIN_MS if post else limits.ms("valid_min_s"),
            limits.ms("positive_run_s"),
        )

    def fuse(self, events: PointEvents, now: int | None = None) -> Fused:
        """Contacts of the point; without `now` every ask has reached its time-out."""
        spoken = self._with_role(events.spoken, "ask")
        asks = open_asks(events.clicks, spoken, self._ask_limits, events.prompts)
        ratings = rate(asks, events.presses, self._spoken_ratings(events.spoken), self._rules)
        signs = sorted((sign for sign in events.signs if sign.device in self._staff), key=Click.order)
        contact = partial(self._contact, asks, ratings, events.readings, signs)
        pending = self._pending(asks, ratings.answers, now)
        places = [place for place in range(len(asks.asks)) if place != pending]
        closes = None if pending is None else asks.asks[pending].t + self._rules.timeout_ms
        window = partial(self._window, asks, ratings.answers, ratings.times())
        windows = [window(place) for place in places]
        contacts = [contact(place, look) for place, look in zip(places, windows, strict=True)]
        watch_until = self._watch_until(asks, ratings.answers, now)
        return Fused(contacts, ratings.states, ratings.regular, closes, watch_until, windows)

    def _with_role(self, spoken: Sequence[Spoken], role: str) -> list[Spoken]:
        phrases = self._site.phrases
        return [s for s in spoken if s.phrase in phrases and phrases[s.phrase].role == role]

    def _spoken_ratings(self, spoken: Sequence[Spoken]) -> list[SpokenRating]:
        if self._site.points[self._point].technology != "voice":
            return []
        ratings = self._with_role(spoken, "rating")
        return [SpokenRating(s, self._site.phrases[s.phrase].rating or "") for s in ratings]

    def _pending(self, asks: Asks, answers: list[Answer], now: int | None) -> int | None:
        """Place of the ask that is still open at `now`; only the newest can be."""
        place = None if now is None else asks.newest(now)
        if now is None or place is None or answers[place].cancelled or answers[place].rating:
            return None
        return place if now <= asks.asks[place].t + self._rules.timeout_ms else None

    def _watch_until(self, asks: Asks, answers: list[Answer], now: int | None) -> int | None:
        """End of the latest window that is still possible for the newest ask (spec 3, Camera on)."""
        place = len(answers) - 1 if now is None else asks.newest(now)
        if place is None or place < 0 or answers[place].cancelled or not self._privacy.camera_on:
            return None
        answer, ms, gap_ms = answers[place], self._site.defaults.ms, self._rules.burst_gap_ms
        if self._privacy.post_press_only:
            return None if answer.t is None else answer.t + gap_ms + ms("window_post_s")
        if answer.t is not None and answer.via == "key":
            return answer.t + gap_ms + ms("window_after_s")
        last = max(self._rules.reach_ms + ms("window_after_s"), ms("window_silent_s"))
        return asks.asks[place].t + last

    def _contact(
        self,
        asks: Asks,
        ratings: Ratings,
        readings: list[Reading],
        signs: list[Click],
        place: int,
        window: Window | None,
    ) -> Contact:
        ask, answer = asks.asks[place], ratings.answers[place]
        closed = not self._site.is_open(ask.t)
        emotion = UNSEEN if window is None else self._emotion(readings, window)
        outcome = _outcome(answer, emotion)
        k = self._site.k_at(self._point, ask.t)
        score = None if closed or answer.cancelled else SCORES.get(outcome, -k)
        return Contact(
            self._point,
            ask.t,
            ask.asked_by,
            outcome,
            answer.rating,
            answer.via,
            answer.t,
            emotion,
            score,
            k,
            (*answer.flags, *["ambiguous"] * emotion.ambiguous, *["closed"] * closed),
            self._staff_at(signs, ask.t) if signs else None,
        )

    def _staff_at(self, signs: list[Click], t: int) -> str | None:
        """Pseudonym of who serves at t; None without consent, or when nobody signed on that day."""
        keyfob = signed_on(signs, t, self._site.local_date)
        return None if keyfob is None else self._staff[keyfob]

    def _emotion(self, readings: list[Reading], window: Window) -> Emotion:
        start = bisect_left(readings, window.start, key=lambda reading: reading.t)
        end = bisect_right(readings, window.end, key=lambda reading: reading.t)
        return self._reader(readings[start:end], window, self.emotion_limits)

    def _window(self, asks: Asks, answers: list[Answer], times: list[int], place: int) -> Window | None:
        """W of spec 3, or None when nothing may be looked at or nothing is left of it."""
        asked, rated, next_ask = asks.asks[place].t, answers[place].t, asks.next_t(place)
        span = self._span(asked, rated)
        if span is None or answers[place].cancelled or not self._privacy.camera_on:
            return None
        before = bisect_left(times, asked if rated is None else rated) - 1
        start = max(span[0], times[before] + SETTLE_MS) if before >= 0 else span[0]
        end = span[1] if next_ask is None else min(span[1], next_ask)
        return Window(start, end, rated) if start <= end else None

    def _span(self, asked: int, rated: int | None) -> tuple[int, int] | None:
        limits = self._site.defaults
        if self._privacy.post_press_only:
            return None if rated is None else (rated, rated + limits.ms("window_post_s"))
        if rated is None:
            return asked, asked + limits.ms("window_silent_s")
        return max(asked, rated - limits.ms("window_before_s")), rated + limits.ms("window_after_s")


def _outcome(answer: Answer, emotion: Emotion) -> str:
    if answer.cancelled:
        return "cancelled"
    if answer.rating is None:
        return "silent"
    if answer.rating != "top":
        return "critic"
    if not emotion.known:
        return "unknown"
    return "loyal" if emotion.positive else "passive"
