"""The other formulas of spec 4 at their edges: what mutating a constant or a comparison would change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import sqrt

import pytest

from gateway.fusion import Contact
from gateway.fusion.emotion import Emotion
from gateway.indices import Indices, conceal
from gateway.indices.compare import Stratum, differ, is_anomaly, weighted
from gateway.indices.negativity import negativity
from gateway.indices.nps import Counts, publish
from gateway.indices.reaction import AFTER_MS, BEFORE_MS, Reaction, Spike, reaction, spikes
from gateway.indices.sampling import achieved_margin, sample_size, sample_size_nps
from gateway.indices.shares import Direct, direct_against_indirect, effort_score, share
from gateway.indices.smile import Smiles
from tests.unit.test_indexer import LOYAL
from tests.unit.test_indices import counts


def half_width(one: Counts, served: int) -> float:
    found = publish(one, camera_on=True, served=served)
    assert found.low is not None
    assert found.high is not None
    return (found.high - found.low) / 2


def test_one_point_alone_has_its_own_interval() -> None:
    e1 = counts(150, 60, 0, 40, 56)
    assert weighted([Stratum(e1, 1500)]) == (
        pytest.approx(100 * 82 / 306),
        pytest.approx(half_width(e1, 1500)),
    )


def test_half_widths_of_points_add_in_squares_by_their_weights() -> None:
    one, two = counts(150, 60, 0, 40, 56), counts(60, 30, 0, 30, 10)
    value, half = weighted([Stratum(one, 1500), Stratum(two, 500)])
    assert value == pytest.approx(0.75 * 100 * 82 / 306 + 0.25 * 100 * 25 / 130)
    halves = 0.75 * half_width(one, 1500), 0.25 * half_width(two, 500)
    assert half == pytest.approx(sqrt(halves[0] ** 2 + halves[1] ** 2))


def z(a: Counts, b: Counts) -> float:
    """|z| of two EmoNPS, written out: m' and v' of spec 4 with N+3, ¾ and ¾."""
    variance = 0.0
    for one in (a, b):
        n, up, down = one.n + 3, one.loyal + 0.75, one.critic + 0.75
        variance += ((up + down) / n - ((up - down) / n) ** 2) / n
    return abs((a.loyal - a.critic) / a.n - (b.loyal - b.critic) / b.n) / sqrt(variance)


def test_an_arrow_stands_from_1_96_on() -> None:
    seen = set()
    for better in range(20, 80):
        for worse in range(5, better):
            a, b = counts(better, 10, 0, 90 - better, 0), counts(worse, 10, 0, 90 - worse, 0)
            seen.add(differ(a, b))
            assert differ(a, b) == differ(b, a) == (z(a, b) > 1.96)
    assert seen == {True, False}
    assert differ(counts(70, 10, 0, 20, 0), counts(20, 10, 0, 70, 0))
    assert not differ(counts(9000, 0, 0, 1000, 0), counts(9000, 0, 0, 1000, 0))


def test_an_anomaly_is_exact_binomial() -> None:
    assert is_anomaly(3, 3, 0.0999)  # 0.0999³ = 0.000997
    assert not is_anomaly(3, 3, 0.1001)
    assert not is_anomaly(2, 2, 0.0001)


def test_a_reaction_is_the_mean_change_in_points_with_the_paired_t_interval() -> None:
    found = reaction([(0.0, 1.0), (0.0, 0.0), (1.0, 0.0)] * 10)
    assert (found.n, found.delta) == (30, pytest.approx(0.0, abs=1e-12))
    half = 2.0452296421327 * 100 * sqrt(20 / 29) / sqrt(30)  # t(0.975, 29), s² = 20/29
    assert (found.low, found.high) == (pytest.approx(-half), pytest.approx(half))
    assert (BEFORE_MS, AFTER_MS) == (8000, 8000)
    assert reaction([(0.1, 0.2)] * 29) == Reaction(29)
    assert [reaction([(0.1, 0.2)] * n).delta is None for n in (30, 31)] == [False, False]


def level(smile: float, start: int, end: int, step: int = 100) -> Iterator[tuple[int, float]]:
    return ((t, smile) for t in range(start, end, step))


@pytest.mark.parametrize(("smile", "is_one"), [(0.5, True), (0.4999, False), (0.0, False)])
def test_a_spike_leaves_the_median_by_three_tenths(smile: float, is_one: bool) -> None:
    assert bool(list(spikes([*level(0.2, 0, 5000), *level(smile, 5000, 6000)]))) is is_one


@pytest.mark.parametrize(("last", "is_one"), [(5699, False), (5700, True), (5701, True)])
def test_a_spike_lasts_seven_tenths_of_a_second(last: int, is_one: bool) -> None:
    track = [*level(0.2, 0, 5000), (5000, 0.8), (5300, 0.8), (last, 0.8), (last + 50, 0.2)]
    assert [(one.t, one.sign) for one in spikes(track)] == ([(5000, 1)] if is_one else [])


def test_a_track_that_begins_high_has_no_spike_at_its_start() -> None:
    assert list(spikes(level(0.9, 0, 3000))) == []
    assert list(spikes([(0, 0.9), (700, 0.5)])) == list(spikes([(0, 0.1), (700, 0.5)])) == []


def test_a_spike_that_turns_to_the_other_side_starts_afresh() -> None:
    track = [*level(0.5, 0, 5000), *level(0.9, 5000, 5600), *level(0.1, 5600, 6200)]
    assert list(spikes(track)) == []
    (found,) = spikes([*track, *level(0.1, 6200, 6400)])
    assert (found.t, found.sign) == (5600, -1)
    assert found.size == pytest.approx(-0.4)


@pytest.mark.parametrize(("second", "spikes_seen"), [(9999, 1), (10_000, 2), (10_001, 2)])
def test_one_spike_in_five_seconds(second: int, spikes_seen: int) -> None:
    calm = [*level(0.2, 0, 5000), *level(0.8, 5000, 5800), *level(0.2, 5800, 9900)]
    again = [(second, 0.8), (second + 350, 0.8), (second + 700, 0.8)]
    assert len(list(spikes([*calm, *again]))) == spikes_seen


@pytest.mark.parametrize(("t", "size"), [(10_000, 0.4), (10_001, 0.3)])
def test_the_median_is_that_of_the_last_ten_seconds_ends_included(t: int, size: float) -> None:
    """At 10 s the 0.1 of 0 s still counts (median 0.2 of four), 1 ms later it does not (0.3 of three)."""
    track = [(0, 0.1), (5000, 0.3), (5100, 0.3), (5200, 0.1), (t, 0.61), (t + 700, 0.61)]
    (found,) = spikes(track)
    assert found == Spike(t, pytest.approx(size + 0.01))


@pytest.mark.parametrize(
    ("margin", "served", "asks"),
    [(0.05, None, 385), (0.05, 1500, 306), (0.05, 0, 0), (0.05, 1, 1), (0.1, 40, 29)],
)
def test_sample_sizes(margin: float, served: int | None, asks: int) -> None:
    assert sample_size(margin, served) == asks


def test_the_correction_of_cochran_is_exact() -> None:
    endless = 1.96**2 * 0.25 / 0.03**2
    assert sample_size(0.03, 1000) == -(-endless // (1 + (endless - 1) / 1000))
    assert [sample_size(0.5, n) for n in range(1, 6)] == [1, 2, 2, 3, 3]
    assert sample_size_nps(200, 1.0) == 1


def test_the_margin_reached_is_zero_when_everybody_was_asked() -> None:
    assert achieved_margin(100) == pytest.approx(0.098)
    assert achieved_margin(100, 100) == achieved_margin(2, 2) == 0
    assert achieved_margin(100, 90) == 0
    assert achieved_margin(50, 101) == pytest.approx(1.96 * sqrt(0.25 / 50) * sqrt(51 / 100))
    assert achieved_margin(1, 1) == achieved_margin(1, 0) == achieved_margin(1)
    assert achieved_margin(1, 2) == pytest.approx(0.98)


def test_a_share_needs_a_number_to_rest_on() -> None:
    assert share(0, 0) is None
    one = share(1, 1)
    assert one is not None
    assert (one.value, one.high, one.n) == (1, 1, 1)


def test_kappa_by_hand() -> None:
    table = Direct(20, 5, 10, 15)  # Cohen's textbook example: agreed 0.70, by chance 0.50
    assert table.n == 50
    assert table.kappa == pytest.approx(0.4)
    assert Direct(3, 0, 0, 0).kappa is None
    assert Direct(1, 2, 3, 5).kappa == pytest.approx((6 / 11 - (3 * 4 + 8 * 7) / 121) / (1 - 68 / 121))


def test_the_table_has_a_cell_for_each_rating_and_face() -> None:
    def seen(rating: str, positive: bool) -> Contact:
        return replace(LOYAL, rating=rating, emotion=Emotion(3000, 0.5, positive))

    contacts = (
        [seen("top", True)] + [seen("top", False)] * 2 + [seen("middle", True)] * 3 + [seen("low", False)] * 4
    )
    assert direct_against_indirect(contacts) == Direct(1, 2, 3, 4)


def test_effort_and_negativity_by_hand() -> None:
    assert effort_score(1, 0, 0) == 100
    assert effort_score(0, 1, 1) == -50
    assert effort_score(3, 4, 1) == 25
    value, low, high = negativity(1, 8)
    assert (value, low, high) == (0.125, pytest.approx(0.02531781 / 8), pytest.approx(5.57164339 / 8))
    assert negativity(0, 2) == (0, 0, pytest.approx(3.68887945 / 2))
    assert negativity(2, 4, 100)[0] == 50


def of(n: int) -> Indices:
    return Indices(counts(n, 0, 0, 0, 0), publish(counts(n, 0, 0, 0, 0), camera_on=True), Smiles(n, 50.0))


@pytest.mark.parametrize(
    ("sizes", "bare"),
    [
        ({"a": 1, "b": 40}, {"a", "b"}),
        ({"a": 9, "b": 40, "c": 10}, {"a", "c"}),
        ({"a": 10, "b": 40}, set()),
        ({"a": 9}, {"a"}),
        ({"a": 9, "b": 20, "c": 20}, {"a", "b"}),
        ({"a": 0, "b": 12}, set()),
        ({"a": 3, "b": 4, "c": 12}, {"a", "b", "c"}),
        ({"a": 3, "b": 4, "c": 30, "d": 12}, {"a", "b", "d"}),
        ({"a": 4, "b": 6, "c": 12}, {"a", "b"}),
    ],
)
def test_who_is_hidden(sizes: dict[str, int], bare: set[str]) -> None:
    shown = conceal({point: of(n) for point, n in sizes.items()})
    assert {point for point, one in shown.items() if one.smile.smile_index is None} == bare
    assert all(one.counts.n == sizes[point] for point, one in shown.items())


def test_smiles_of_few_known_customers_are_not_to_be_had_from_the_total_either() -> None:
    many = Indices(of(40).counts, of(40).nps, Smiles(12, 50.0))
    few = Indices(of(20).counts, of(20).nps, Smiles(9))
    shown = conceal({"a": many, "b": few})
    assert shown["a"] == Indices(many.counts, many.nps, Smiles(12))
    assert shown["b"] == few
    ten, unseen = (Indices(of(n).counts, of(n).nps, Smiles(known, 50.0)) for n, known in ((40, 10), (5, 0)))
    both = conceal({"a": ten, "b": few, "c": of(30), "d": unseen, "e": of(11)})
    assert [point for point, one in both.items() if one.smile.smile_index is None] == ["a", "b", "d", "e"]
    assert [point for point, one in both.items() if one.nps.emonps is None] == ["d", "e"]
