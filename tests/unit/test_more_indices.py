"""Spec 4, Others: each formula against a figure worked out elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.fusion.emotion import Emotion
from gateway.indices import Indices, conceal
from gateway.indices.compare import Stratum, differ, is_anomaly, weighted
from gateway.indices.negativity import negativity
from gateway.indices.nps import Counts, publish
from gateway.indices.reaction import Spike, reaction, spikes
from gateway.indices.sampling import achieved_margin, sample_size, sample_size_nps
from gateway.indices.shares import (
    csat,
    direct_against_indirect,
    effort_score,
    emotion_confirmed,
    response_rate,
)
from gateway.indices.smile import Smiles
from tests.unit.test_indexer import LOYAL
from tests.unit.test_indices import counts


def test_1500_a_month_and_5_points_are_306_asks() -> None:
    assert sample_size(0.05, 1500) == 306
    assert sample_size(0.05) == 385
    assert sample_size(0.05, 3) == 3
    assert achieved_margin(306, 1500) == pytest.approx(0.05, abs=2e-4)


def test_a_site_with_a_wide_score_must_ask_more() -> None:
    assert sample_size_nps(10, 0.25) == 97
    assert sample_size_nps(10, 0.70) == 269
    assert sample_size_nps(10, 0.70, 1500) < 269


def test_shares_of_the_worked_example() -> None:
    e1 = counts(150, 60, 0, 40, 56)
    response, confirmed, tops = response_rate(e1), emotion_confirmed(e1), csat(e1)
    assert response is not None
    assert confirmed is not None
    assert tops is not None
    assert (response.value, response.n) == (250 / 306, 306)
    assert (confirmed.value, confirmed.n) == (150 / 210, 210)
    assert (tops.value, tops.n) == (210 / 250, 250)
    assert response.low < response.value < response.high
    assert response_rate(Counts()) is None


def test_effort_is_low_minus_high() -> None:
    assert effort_score(6, 2, 2) == 40
    assert effort_score(0, 0, 0) is None


def test_direct_against_indirect_leaves_out_what_was_not_seen_or_not_rated() -> None:
    passive = replace(LOYAL, outcome="passive", emotion=Emotion(3000, 0.0, False))
    critic = replace(passive, outcome="critic", rating="low")
    unseen, silent = replace(LOYAL, emotion=Emotion()), replace(LOYAL, rating=None, outcome="silent")
    closed = replace(LOYAL, score=None)
    table = direct_against_indirect([LOYAL] * 20 + [passive] * 5 + [critic] * 15 + [unseen, silent, closed])
    assert (table.top_smile, table.top_none, table.other_smile, table.other_none) == (20, 5, 0, 15)
    assert table.kappa == pytest.approx(0.75)
    assert direct_against_indirect([]).kappa is None


def test_negativity_has_exact_poisson_limits() -> None:
    assert negativity(0, 100, per=100) == (0, 0, pytest.approx(3.689, abs=1e-3))
    assert negativity(10, 200, per=100) == (
        5,
        pytest.approx(4.795 / 2, abs=1e-3),
        pytest.approx(18.390 / 2, abs=1e-3),
    )


def test_points_weigh_by_customers_served_not_by_asks() -> None:
    happy, sad = counts(80, 10, 0, 10, 0), counts(2, 3, 0, 15, 0)
    value, half = weighted([Stratum(happy, 1000), Stratum(sad, 1000)])
    assert value == pytest.approx((70 - 65) / 2)
    assert half > 0
    assert weighted([Stratum(happy, 1000), Stratum(sad, 20)])[1] < half


def test_no_arrow_without_a_clear_difference() -> None:
    assert differ(counts(80, 10, 0, 10, 0), counts(40, 10, 0, 50, 0))
    assert not differ(counts(8, 1, 0, 3, 0), counts(6, 1, 0, 5, 0))


@pytest.mark.parametrize(
    ("critics", "n", "usual", "is_one"),
    [(2, 2, 0.01, False), (3, 5, 0.04, True), (3, 30, 0.1, False), (8, 20, 0.1, True), (7, 20, 0.1, False)],
)
def test_an_anomaly_needs_three_critics_and_p_under_a_thousandth(
    critics: int, n: int, usual: float, is_one: bool
) -> None:
    assert is_anomaly(critics, n, usual) is is_one


def test_a_reaction_needs_thirty_events() -> None:
    pairs = [(0.2, 0.5), (0.3, 0.5)] * 15
    assert reaction(pairs[:29]).delta is None
    found = reaction(pairs)
    assert found.delta == pytest.approx(25.0)
    assert found.low == pytest.approx(25 - 1.899, abs=1e-3)


def test_a_spike_lasts_and_rests() -> None:
    calm = [(t, 0.1) for t in range(0, 10_000, 100)]
    short = [(t, 0.9) for t in range(10_000, 10_700, 100)]
    rest = [(t, 0.1) for t in range(10_700, 15_000, 100)]
    long = [(t, 0.5) for t in range(15_000, 18_000, 100)]
    again = [(t, 0.1) for t in range(18_000, 18_500, 100)]
    assert list(spikes([*calm, *short, *rest])) == []
    (found,) = spikes([*calm, *short, *rest, *long, *again])
    assert found == Spike(15_000, pytest.approx(0.4))
    assert found.sign == 1
    happy = [(t, 0.9) for t in range(0, 5_000, 100)]
    (found,) = spikes([*happy, *((t, 0.2) for t in range(5_000, 7_000, 100))])
    assert (found.t, found.sign) == (5_000, -1)


def test_a_hidden_point_takes_a_second_one_along() -> None:
    def of(n: int) -> Indices:
        return Indices(counts(n, 0, 0, 0, 0), publish(counts(n, 0, 0, 0, 0), camera_on=True), Smiles(n, 50.0))

    shown = conceal({"a": of(5), "b": of(40), "c": of(12)})
    assert {point: one.nps.emonps for point, one in shown.items()} == {"a": None, "b": 100.0, "c": None}
    assert shown["c"].smile == Smiles(12)
    assert shown["c"].counts.n == 12
    both = {"a": of(5), "b": of(6), "c": of(12)}
    assert conceal(both)["c"] == both["c"]
    idle = {"a": of(0), "b": of(40)}
    assert conceal(idle) == idle
