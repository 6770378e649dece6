"""The log ratio of a phrase: what may be said around it, checked path by path against a slow oracle."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.voice.check import APART
from gateway.voice.engine import FRAME_S
from gateway.voice.phones import ALL, BLANK, HANDS, NEVER, STEPS, Card, Grammar, Limits, anagrams, read_card
from gateway.voice.phrases import CardError, catalogue

SYMBOLS = ("_", "|", "a", "b", "c", "d")
SURE = 9.0


def word(letters: str) -> tuple[int, ...]:
    return tuple(map(SYMBOLS.index, letters))


def card(said: str = "ab", before: str = "c", after: str = "dc") -> Card:
    """A phrase "x", and one polite word before and after."""
    limits = {"x": Limits(-1, -2, 0)}
    return Card(Path(), SYMBOLS, (word(before),), (word(after),), {"x": (word(said),)}, limits)


def ratio(
    said: str, one: Card | None = None, whole: int = ALL, apart: int = 1, *, is_over: bool = False
) -> float:
    """Of the phrase where each step is surely the given symbol; each step that does not fit costs SURE."""
    heard = np.full((len(said), len(SYMBOLS)), -SURE, np.float32)
    heard[range(len(said)), word(said)] = 0
    return float(Grammar(one or card(), ["x"], whole, apart).ratios(heard, is_over=is_over)[0]["x"])


@pytest.mark.parametrize(
    "said",
    [
        "_ab_",
        "__a_b__",
        "_aabbb",
        "|_ab",
        "_|ab_|_",
        "dbd|_ab_",
        "_c_ab_",
        "_c_|_ab",
        "_c_|c_ab",
        "_ab_dc_",
        "_ab_d",
        "_ab|_dc",
        "_ab_|_bdb",
        "_ab|_ab",
    ],
)
def test_a_phrase_fits_alone_after_a_pause_and_among_polite_words(said: str) -> None:
    assert ratio(said) == 0


@pytest.mark.parametrize(
    "said", ["_d_ab_", "dab", "_ab_c_", "_a_b_b_", "_ba_", "_a__", "_b__", "_aab_a", "____"]
)
def test_it_does_not_fit_within_other_words_or_in_part(said: str) -> None:
    assert ratio(said) <= -SURE


def test_a_pause_is_needed_before_other_talk_goes_on() -> None:
    assert ratio("_ab_bd") <= -SURE
    assert ratio("_ab_|_bd") == 0


@pytest.mark.parametrize("pause", ["|__", "_|_", "__|", "|||", "___|_"])
def test_a_pause_is_as_long_as_wanted_before_and_after_other_talk(pause: str) -> None:
    for said in (f"db{pause}ab_", f"_ab{pause}db"):
        assert ratio(said, apart=3) == 0 > ratio(said.replace(pause, pause[1:]), apart=len(pause))


def test_silence_without_a_pause_does_not_part_it_from_other_talk() -> None:
    assert ratio("db____ab_", apart=3) < 0


def test_among_polite_words_a_short_pause_will_do() -> None:
    assert ratio("_c_|ab|_dc_", apart=5) == 0


def test_half_a_polite_word_will_do_until_all_is_over() -> None:
    assert ratio("_ab_d") == ratio("_ab_dc", is_over=True) == 0 > ratio("_ab_d", is_over=True)


def test_of_a_polite_word_the_first_part_may_have_gone_by_but_silence_is_none() -> None:
    polite = card(before="dc")
    assert ratio("c_ab_", polite) == 0 > ratio("_c_ab_", polite)


def test_the_same_phone_twice_needs_a_blank_between() -> None:
    assert ratio("_a_ab", card("aab")) == 0 > ratio("_aaab", card("aab"))


def test_the_first_part_of_a_long_phrase_may_have_gone_by() -> None:
    long = card("abcdab")
    assert ratio("b_c_d_a_b_", long, whole=4) == 0 > ratio("b_c_d_a_b_", long)
    assert ratio("_d_a_b_", long, whole=4) < 0


def test_wordings_share_what_they_have_in_common_and_each_counts() -> None:
    both = Card(Path(), SYMBOLS, (), (), {"x": (word("ab"), word("acd")), "y": (word("a"),)}, {})
    grammar = Grammar(both, ["x", "y"])
    for said, fits in (("_ab_", "x"), ("_acd_", "x"), ("_a__", "y")):
        heard = np.full((4 + (said == "_acd_"), len(SYMBOLS)), -SURE, np.float32)
        heard[range(len(said)), word(said)] = 0
        assert [name for name, found in grammar.ratios(heard)[0].items() if found == 0] == [fits]


BEFORE = r"(?!a)(_*\|+_*|_+)?(c+_+\|+_*)*(c+_+)?"
SAID, POLITE, SHORT = r"a+_*b+", r"d+_*c+", r"(_+|_*\|+_+)"
AMONG = rf"{SHORT}({POLITE}_+(\|+_+)?)*"
AFTER = rf"(_*(\|+_*)?|{AMONG}({POLITE}(_+(\|+_*)?)?)?)"
"""What sound may be, step by step, without other talk."""


def pattern(apart: int, is_over: bool, other_before: bool, other_after: bool) -> re.Pattern[str]:
    """What lies between other talk, or there is none; the steps of a pause that parts them are counted."""
    parted = r"_*\|+_*"
    before = rf"(?=[_|]{{{apart}}}){parted}(c+_+\|+_*)*(c+_+)?" if other_before else BEFORE
    begun = AFTER if is_over else rf"({AFTER}|{AMONG}d+_*)"
    after = rf"({AMONG}{POLITE})?(?=[_|]{{{apart},}}$){parted}" if other_after else begun
    return re.compile(before + SAID + after)


def oracle(heard: np.ndarray, apart: int, is_over: bool) -> float:
    """The best of all paths, one by one; other talk is any number of steps, then a pause, or the reverse."""
    cost = heard - heard.max(1, keepdims=True)
    steps, best = len(heard), -np.inf
    cuts = list(itertools.combinations(range(steps + 1), 2))
    fits = {(first, last): pattern(apart, is_over, first > 0, last < steps).fullmatch for first, last in cuts}
    for path in itertools.product(range(len(SYMBOLS)), repeat=steps):
        said = "".join(SYMBOLS[place] for place in path)
        costs = cost[range(steps), path]
        for first, last in cuts:
            if fits[first, last](said[first:last]):
                best = max(best, float(costs[first:last].sum()))
    return best


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(3, 5), st.integers(1, 3), st.booleans())
def test_the_ratio_is_that_of_the_best_of_all_paths(seed: int, steps: int, apart: int, is_over: bool) -> None:
    heard = np.random.default_rng(seed).normal(0, 3, (steps, len(SYMBOLS))).astype(np.float32)
    found, _ = Grammar(card(), ["x"], apart=apart).ratios(heard, is_over=is_over)
    assert float(found["x"]) == pytest.approx(oracle(heard, apart, is_over), abs=1e-4)


def test_many_windows_at_once_give_what_each_gives_alone() -> None:
    heard = np.random.default_rng(1).normal(0, 3, (4, 9, len(SYMBOLS))).astype(np.float32)
    grammar = Grammar(card(), ["x"])
    alone = [grammar.ratios(one) for one in heard]
    ratios, nonsense = grammar.ratios(heard)
    np.testing.assert_allclose(ratios["x"], [one["x"] for one, _ in alone])
    np.testing.assert_allclose(nonsense, [one for _, one in alone])


def test_a_phrase_leads_its_anagrams_where_it_is_heard_and_not_where_anything_fits() -> None:
    grammar = Grammar(card("abcd"), ["x"])
    said = np.full((6, len(SYMBOLS)), -SURE, np.float32)
    said[range(6), word("_abcd_")] = 0
    ratios, nonsense = grammar.ratios(said)
    assert ratios["x"] == 0 > nonsense + 2 * SURE - 1e-3
    assert grammar.ratios(np.zeros_like(said)) == ({"x": 0}, 0)


def test_anagrams_are_the_phones_in_other_orders() -> None:
    wordings = [word("abcdabcdd"), word("ab|cdabc")]
    found = anagrams(wordings, SYMBOLS.index("|"))
    assert len(set(found)) == 2 * len(HANDS)
    assert {tuple(sorted(one)) for one in found} == {tuple(sorted(word("abcdabc")))}


def test_an_anagram_that_is_said_is_none_and_without_any_all_lead() -> None:
    both = Card(Path(), SYMBOLS, (), (), {"x": (word("ab"),), "y": (word("ba"),)}, {})
    one, two = (Grammar(both, names).ratios(np.zeros((6, 6), np.float32)) for names in ("x", "xy"))
    assert one == ({"x": 0}, 0)
    ratios, nonsense = two
    assert ratios == {"x": 0, "y": 0}
    assert nonsense < NEVER / 2


def test_the_anagrams_of_all_phrases_count_and_may_have_begun_before_as_well() -> None:
    both = Card(Path(), SYMBOLS, (), (), {"x": (word("ab"),), "y": (word("cdab"),)}, {})

    def nonsense(said: str, names: str, whole: int = ALL) -> float:
        heard = np.full((len(said), len(SYMBOLS)), -SURE, np.float32)
        heard[range(len(said)), word(said)] = 0
        return float(Grammar(both, names, whole).ratios(heard)[1])

    assert nonsense("_cadb_", "xy") == 0 > nonsense("_cadb_", "x")
    assert nonsense("a_d_b_", "y", whole=2) == 0 > nonsense("a_d_b_", "y")


@pytest.mark.parametrize(
    "text",
    [
        "symbols = [",
        "symbols = []",
        "symbols = ['_', 'a']\n[polite]\nbefore = []\nafter = []\n[phrases]",
        "symbols = ['_', '|']\n[polite]\nbefore = ['x']\nafter = []\n[phrases]",
        "symbols = ['_', '|']\n[polite]\nbefore = []\nafter = []\n[phrases.a]\nsaid = ['|']\nat_once = 'x'",
        "symbols = ['_', '|']\npolite = {before = [], after = []}\n"
        "[phrases.a]\nsaid = ['|']\nat_once = -1\nlater = -1",
    ],
)
def test_a_card_that_cannot_be_used_is_named(text: str, tmp_path: Path) -> None:
    place = tmp_path / "phones-en.toml"
    place.write_text(text, "utf-8")
    with pytest.raises(CardError, match=r"phones-en.toml.*restore it from the release"):
        read_card(place)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_phrase_that_ships_is_spelt_with_its_limits(language: str) -> None:
    heads = [phrase for phrase in catalogue().values() if phrase.head.parent.name == language]
    known = read_card(heads[0].head.parent.parent / f"phones-{language}.toml")
    assert set(known.said) == set(known.limits) == {phrase.id for phrase in heads}
    assert all(len(phones) > 4 for said in known.said.values() for phones in said)
    assert all(one.later <= one.at_once < 0 < one.clear for one in known.limits.values())
    assert known.symbols[BLANK] == "_"


def test_talk_after_a_polite_word_lies_apart_as_well() -> None:
    assert ratio("_ab_dc|__bd", apart=3) == 0
    assert ratio("_ab_dc|_bd", apart=3) < 0


def test_answers_lie_a_fifth_of_a_second_apart() -> None:
    assert pytest.approx(0.2, abs=0.02) == APART * FRAME_S / STEPS
