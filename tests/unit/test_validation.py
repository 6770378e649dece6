"""The corrected smile rate: worked by hand, and what must hold for any cards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.indices.validation import MIN_CARDS, Cards, correct

COUNTS = st.integers(0, 200)


@pytest.mark.parametrize(
    ("cards", "positive", "n", "rate"),
    [
        (Cards(tp=27, fn=3, tn=18, fp=2), 61, 100, (0.61 + 0.9 - 1) / (0.9 + 0.9 - 1)),  # 0.6375
        (Cards(tp=40, fn=10, tn=45, fp=5), 120, 300, (0.4 + 0.9 - 1) / (0.8 + 0.9 - 1)),  # 0.428571…
        (Cards(tp=40, fn=10, tn=45, fp=5), 10, 300, 0.0),  # fewer than its false alarms alone would be
        (Cards(tp=40, fn=10, tn=45, fp=5), 290, 300, 1.0),
    ],
)
def test_the_rate_of_cards_worked_by_hand(cards: Cards, positive: int, n: int, rate: float) -> None:
    found = correct(cards, positive, n)
    assert found is not None
    assert found.rate == pytest.approx(rate, abs=1e-12)


def test_the_interval_worked_by_hand() -> None:
    """50 smiles (40 seen), 50 others (45 left alone), 120 of 300 positive; each step of eq. 7, 16 and 17.

    n' = 303.8416, AP' = 121.9208/303.8416 = 0.401264; Se' = 41/52 = 0.788462, Sp' = 46/52 = 0.884615,
    Youden' = 0.673077; P' = 0.285880/0.673077 = 0.424736;
    Se'(1-Se')/52 = 0.00320753, Sp'(1-Sp')/52 = 0.00196291;
    dP = 7.6832 * (0.00136235 - 0.00112919) = 0.00179141; variance = 0.000790733 + 0.000578645 + 0.000649582
    = 0.00201896; half = 1.96 * 0.0449328 / 0.673077 = 0.130844.
    """
    found = correct(Cards(tp=40, fn=10, tn=45, fp=5), 120, 300)
    assert found is not None
    assert found.low == pytest.approx(0.42653 - 0.13084, abs=2e-4)
    assert found.high == pytest.approx(0.42653 + 0.13084, abs=2e-4)


@pytest.mark.parametrize(
    "cards",
    [
        Cards(tp=25, fn=0, tn=24, fp=0),  # 49
        Cards(tp=50, fn=0, tn=0, fp=0),  # nobody who did not smile
        Cards(tp=0, fn=0, tn=50, fp=0),
        Cards(tp=25, fn=25, tn=25, fp=25),  # a coin
        Cards(tp=10, fn=40, tn=20, fp=30),  # worse than a coin
        Cards(),
    ],
)
def test_no_rate_from_too_few_cards_or_from_a_model_that_only_guesses(cards: Cards) -> None:
    assert correct(cards, 30, 60) is None


def test_no_rate_without_contacts() -> None:
    assert correct(Cards(tp=25, tn=25), 0, 0) is None


@given(positive=COUNTS, more=COUNTS, smiles=st.integers(1, 100))
def test_a_perfect_model_is_left_as_it_is(positive: int, more: int, smiles: int) -> None:
    cards = Cards(tp=smiles, tn=MIN_CARDS)
    found = correct(cards, positive, positive + more)
    if positive + more == 0:
        assert found is None
    else:
        assert found is not None
        assert found.rate == pytest.approx(positive / (positive + more))


@given(tp=COUNTS, fn=COUNTS, tn=COUNTS, fp=COUNTS, positive=COUNTS, more=st.integers(1, 200))
def test_what_is_shown_is_a_share_within_its_interval(
    tp: int, fn: int, tn: int, fp: int, positive: int, more: int
) -> None:
    found = correct(Cards(tp, fn, tn, fp), positive, positive + more)
    if found is not None:
        assert 0 <= found.low <= found.rate <= found.high <= 1


def test_more_cards_make_it_surer() -> None:
    few, many = (correct(Cards(27 * k, 3 * k, 18 * k, 2 * k), 61, 100) for k in (1, 10))
    assert few is not None
    assert many is not None
    assert many.high - many.low < few.high - few.low
