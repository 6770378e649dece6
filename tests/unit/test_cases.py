"""FCR, TTR of cases (spec 4): held as formulas; the list of cases itself comes with the Feedback Manager."""

from __future__ import annotations

import pytest

from gateway.indices.cases import Case, Resolution, first_contact_resolution, time_to_resolution


def closed(*times: int, repeated: int = 0) -> list[Case]:
    return [Case(1000, 1000 + t, n < repeated) for n, t in enumerate(times)]


def test_fcr_is_the_share_of_closed_cases_without_a_repeat_contact() -> None:
    cases = [*closed(*range(10), repeated=3), Case(1000), Case(1000, repeated=True)]
    fcr = first_contact_resolution(cases)
    assert fcr is not None
    assert (fcr.value, fcr.n) == (0.7, 10)
    assert (fcr.low, fcr.high) == pytest.approx((0.3968, 0.8922), abs=1e-4)  # Wilson, 7 of 10
    assert first_contact_resolution([Case(1000)]) is None
    alone = first_contact_resolution([Case(1000, 2000)])
    assert alone is not None
    assert alone.value == 1


@pytest.mark.parametrize(
    ("n", "low", "high"),
    [(5, None, None), (6, 0, 5), (8, 0, 7), (9, 1, 7), (11, 1, 9), (12, 2, 9), (25, 7, 17), (100, 39, 60)],
)
def test_ttr_is_a_median_with_the_interval_of_order_statistics(
    n: int, low: int | None, high: int | None
) -> None:
    """Ranks as in published tables (Conover 1999, A3: n = 100 → the 40th and the 61st)."""
    found = time_to_resolution(closed(*reversed(range(n))))
    assert found == Resolution(n, 0, (n - 1) / 2, low, high)


def test_open_cases_are_said_apart_and_a_case_closed_at_once_counts() -> None:
    assert time_to_resolution([Case(1000), *closed(0, 500)]) == Resolution(2, 1, 250)
    assert time_to_resolution([Case(1000)]) == Resolution(0, 1)
