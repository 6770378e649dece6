"""Records of what a customer's face did in the window of a contact: `smile`, `spike`, `reaction` (spec 5)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from gateway.config import Site
from gateway.events import Reading, Spoken
from gateway.fusion import Contact, PointEvents
from gateway.fusion.emotion import EmotionLimits, Held, Window, held_of_customer
from gateway.fusion.moments import Change, Mean, changes, leaps, means
from gateway.indices.reaction import BEFORE_MS, Spike
from gateway.records import Record, Value

EMOTION = ("smile", "spike", "reaction")
ASKED, EVERYBODY = "asked", "all"
COUNTING_ROLES = ("ask", "rating")

Seen = tuple[Contact, Window, int, int]


class MomentMemory:
    """Remembers the records of a contact as long as nothing further falls into its window."""

    def __init__(self, site: Site, point: str, limits: EmotionLimits) -> None:
        self._site, self._point, self._limits = site, point, limits
        self._made: dict[int, tuple[Seen, list[Record]]] = {}

    def records(self, contact: Contact, window: Window | None, events: PointEvents) -> list[Record]:
        """Of a contact that counts and whose emotion is known; none of any other."""
        if window is None or not contact.counts or not contact.emotion.known:
            return []
        readings, spoken = _within(events.readings, window), [s for s in events.spoken if _is_in(s, window)]
        seen = (contact, window, len(readings), len(spoken))
        kept = self._made.get(contact.asked)
        if kept is None or kept[0] != seen:
            held = held_of_customer(readings, window, self._limits)
            made = list(self._make(contact.asked, window, held, spoken))
            kept = self._made[contact.asked] = (seen, made)
        return kept[1]

    def forget(self) -> None:
        """Start afresh."""
        self._made.clear()

    def _make(
        self, asked: int, window: Window, held: Sequence[Held], spoken: Sequence[Spoken]
    ) -> Iterator[Record]:
        site, point, name = self._site, self._point, f"{self._point}/{asked}"
        for mean in means([held], window.start):
            yield smile_record(mean, site, point, ASKED, name)
        for spike in leaps(held):
            yield spike_record(spike, _said_before(spike, spoken), site, point, name)
        events = [one for one in spoken if self._is_event(one)]
        for change in changes(held, events, self._limits):
            yield reaction_record(change, site, point, name)

    def _is_event(self, spoken: Spoken) -> bool:
        phrase = self._site.phrases.get(spoken.phrase)
        return phrase is not None and phrase.role not in COUNTING_ROLES


def _within(readings: Sequence[Reading], window: Window) -> Sequence[Reading]:
    start = bisect_left(readings, window.start, key=lambda reading: reading.t)
    return readings[start : bisect_right(readings, window.end, key=lambda reading: reading.t)]


def _is_in(spoken: Spoken, window: Window) -> bool:
    return window.start <= spoken.t <= window.end


def _said_before(spike: Spike, spoken: Sequence[Spoken]) -> str:
    """The phrase that was last spotted in the 8 s before, or nothing."""
    near = [one for one in spoken if spike.t - BEFORE_MS <= one.t <= spike.t]
    return max(near, key=lambda one: one.order()).phrase if near else ""


def smile_record(mean: Mean, site: Site, point: str, scope: str, name: str) -> Record:
    """Measurement `smile`: up to 10 s of it, from `start` on; smile 0…1."""
    tags = {"site": site.site, "point": point, "scope": scope}
    fields: dict[str, Value] = {"smile": mean.smile, "faces": mean.faces, "valid_s": mean.valid_ms / 1000}
    return Record(f"smile/{scope}/{name}/{mean.start}", "smile", mean.start, tags, fields)


def spike_record(spike: Spike, phrase: str, site: Site, point: str, name: str) -> Record:
    """Measurement `spike`: size is a signed share, sign +1 towards a smile."""
    tags = {"site": site.site, "point": point, **({"phrase": phrase} if phrase else {})}
    fields: dict[str, Value] = {"sign": spike.sign, "size": spike.size}
    return Record(f"spike/{name}/{spike.t}", "spike", spike.t, tags, fields)


def reaction_record(change: Change, site: Site, point: str, name: str) -> Record:
    """Measurement `reaction`: delta in percentage points (ΔSI is its mean), before and after as shares."""
    spoken = change.spoken
    tags = {"site": site.site, "point": point, "phrase": spoken.phrase}
    fields: dict[str, Value] = {"delta": change.delta, "before": change.before, "after": change.after}
    key = f"reaction/{name}/{spoken.device}/{spoken.boot}/{spoken.seq}"
    return Record(key, "reaction", spoken.t, tags, fields)
