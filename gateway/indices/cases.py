"""FCR and TTR of cases (spec 4, Others): what became of the complaints that were followed up; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

from gateway.indices.shares import Share, share

TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Case:
    """A complaint: times in ms since 1970, `closed` None while open; `repeated`: they had to come again."""

    opened: int
    closed: int | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Resolution:
    """Time to resolution of the closed cases in ms, 95 % interval of the median; the open ones said apart."""

    n: int
    still_open: int
    median_ms: float | None = None
    low_ms: int | None = None
    high_ms: int | None = None


def first_contact_resolution(cases: Sequence[Case]) -> Share | None:
    """FCR: cases closed without a repeat contact / closed cases, Wilson; None without closed ones.

    The gross definition of the contact-centre trade (SQM Group; ICMI): an open case is not yet either.
    """
    closed = [case for case in cases if case.closed is not None]
    return share(sum(not case.repeated for case in closed), len(closed))


def time_to_resolution(cases: Sequence[Case]) -> Resolution:
    """TTR: median with its order-statistic interval (Conover 1999, 3.2); no limits under 6 closed cases."""
    times = sorted(case.closed - case.opened for case in cases if case.closed is not None)
    n, still_open = len(times), len(cases) - len(times)
    if not n:
        return Resolution(0, still_open)
    rank = _rank(n)
    low, high = (times[rank - 1], times[n - rank]) if rank else (None, None)
    return Resolution(n, still_open, median(times), low, high)


def _rank(n: int) -> int:
    """The highest rank r with P(Binomial(n, ½) < r) ≤ 0.025; 0 when there is none."""
    below, rank = 0, 0
    while True:
        below += comb(n, rank)
        if below > TAIL * 2**n:
            return rank
        rank += 1
