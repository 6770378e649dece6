"""Who serves at a point: `click long` signs a keyfob's staff pseudonym on (spec 3, Asks)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from gateway.events import Click


def signed_on(signs: Sequence[Click], t: int, date_of: Callable[[int], str]) -> str | None:
    """The keyfob whose long click holds at t (ms): the latest up to then, of the same business day.

    `signs` are in order; `date_of` gives an instant's business day.
    """
    place = bisect_right(signs, t, key=lambda sign: sign.t) - 1
    if place < 0 or date_of(signs[place].t) != date_of(t):
        return None
    return signs[place].device
