"""The worked examples of spec 4, and what holds for every count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from gateway.indices.intervals import mean_interval, student_t, wilson
from gateway.indices.nps import Counts, correction, publish


def counts(loyal: int, passive: int, unknown: int, critic: int, silent: int, k: float = 0.5) -> Counts:
    return Counts(loyal, passive, unknown, critic, silent, k * silent, k * k * silent)


@pytest.mark.parametrize(
    ("k", "served", "value", "low", "high"),
    [
        (0.5, None, 26.8, 17.9, 35.1),
        (0.5, 1500, 26.8, 18.9, 34.2),
        (0.2, None, 32.3, 23.9, 40.1),
        (1.0, None, 17.6, 7.7, 27.3),
    ],
)
def test_e1_and_e2(k: float, served: int | None, value: float, low: float, high: float) -> None:
    published = publish(counts(150, 60, 0, 40, 56, k), camera_on=True, served=served)
    assert published.emonps == pytest.approx(value, abs=0.05)
    assert (published.low, published.high) == (pytest.approx(low, abs=0.05), pytest.approx(high, abs=0.05))
    assert published.upper == published.emonps


def test_e3_nothing_is_never_zero() -> None:
    assert Counts() == Counts(0, 0, 0, 0, 0, 0.0, 0.0)
    assert publish(Counts(), camera_on=True).emonps is None


@pytest.mark.parametrize(("k", "value"), [(0.2, -20), (0.5, -50), (1.0, -100)])
def test_e4_no_ratings_at_all(k: float, value: float) -> None:
    published = publish(counts(0, 0, 0, 0, 20, k), camera_on=True)
    assert published.emonps == pytest.approx(value)
    assert published.coverage is None


def test_e5_without_coverage_base_nps_under_its_own_name() -> None:
    published = publish(counts(0, 0, 80, 10, 10), camera_on=True)
    assert (published.published, published.emonps, published.upper) == ("base_nps", None, None)
    assert published.base_nps == pytest.approx(65)


def test_e6_flagged_with_its_band() -> None:
    published = publish(counts(40, 16, 24, 10, 10), camera_on=True)
    assert (published.emonps, published.upper) == (pytest.approx(25.0), pytest.approx(49.0))
    assert published.coverage == pytest.approx(0.70)
    assert published.flagged


def test_e9_few_data() -> None:
    published = publish(counts(25, 0, 0, 0, 0), camera_on=True)
    assert (published.emonps, published.high) == (100, 100)
    assert published.low == pytest.approx(75, abs=0.5)
    assert published.few_data


def test_e11_the_gap_to_base_nps_is_the_message() -> None:
    all_polite = counts(0, 30, 0, 0, 0)
    seen, unseen = publish(all_polite, camera_on=True), publish(all_polite, camera_on=False)
    assert (seen.emonps, unseen.base_nps) == (0, 100)
    assert (seen.low, seen.high) == (pytest.approx(-7.3, abs=0.05), pytest.approx(7.3, abs=0.05))


def test_e15_shops_are_pooled_never_averaged() -> None:
    pooled = publish(counts(124, 188, 0, 8, 0), camera_on=True)
    assert pooled.emonps == pytest.approx(36.25)


@pytest.mark.parametrize(
    ("tops", "coverage", "name", "flagged"),
    [
        ((7, 1, 2), 0.8, "emonps", False),
        ((4, 1, 5), 0.5, "emonps", True),
        ((4, 0, 6), 0.4, "base_nps", False),
        ((159, 0, 41), 0.795, "emonps", True),
        ((99, 0, 101), 0.495, "base_nps", False),
    ],
)
def test_coverage_decides_what_is_published(
    tops: tuple[int, int, int], coverage: float, name: str, flagged: bool
) -> None:
    published = publish(counts(*tops, 0, 0), camera_on=True)
    assert (published.coverage, published.published, published.flagged) == (coverage, name, flagged)


@pytest.mark.parametrize(
    ("n", "few", "none"),
    [(9, False, True), (10, True, False), (29, True, False), (30, False, False), (31, False, False)],
)
def test_small_samples(n: int, few: bool, none: bool) -> None:
    published = publish(counts(n, 0, 0, 0, 0), camera_on=True)
    assert (published.few_data, published.published == "none") == (few, none)


def test_finite_population_only_where_it_matters() -> None:
    assert correction(49, 1000) == correction(50, 1000) == 1.0
    assert correction(51, 1000) < 1.0
    assert correction(10, 9) == correction(10, None) == 1.0
    assert correction(10, 10) == 0.0


few = st.integers(0, 60)


@given(few, few, few, few, few, st.floats(0.2, 1), st.one_of(st.none(), st.integers(0, 400)), st.booleans())
def test_an_interval_contains_its_value_and_stays_on_the_scale(
    loyal: int, passive: int, unknown: int, critic: int, silent: int, k: float, served: int | None, on: bool
) -> None:
    published = publish(counts(loyal, passive, unknown, critic, silent, k), camera_on=on, served=served)
    value = published.base_nps if published.emonps is None else published.emonps
    if value is None or published.low is None or published.high is None:
        assert published.published == "none"
        return
    assert -100 - 1e-9 <= published.low <= value <= published.high <= 100 + 1e-9
    assert (published.emonps is None) != (published.base_nps is None)


def test_wilson_and_t_agree_with_published_tables() -> None:
    assert wilson(8, 10) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert wilson(0, 10) == (0.0, pytest.approx(3.8416 / 13.8416))
    low, high = mean_interval([0.0, 1.0] * 5)
    assert (low, high) == (pytest.approx(0.5 - 0.37703, abs=1e-4), pytest.approx(0.5 + 0.37703, abs=1e-4))


def test_students_t_is_scipys_to_thirteen_digits() -> None:
    for df in [*range(1, 400), 999, 1000, 1001, 1002, 10_000, 300_000]:
        assert student_t(df) == pytest.approx(stdtrit(df, 0.975), rel=1e-13)


@given(st.integers(0, 300), st.integers(1, 300))
def test_wilson_stays_a_share_and_contains_it(hits: int, n: int) -> None:
    low, high = wilson(min(hits, n), n)
    assert 0 <= low <= min(hits, n) / n + 1e-12
    assert min(hits, n) / n - 1e-12 <= high <= 1
