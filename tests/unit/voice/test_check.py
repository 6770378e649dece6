"""The second look decides what a spotted phrase was: another answer, nothing, or what its head heard."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.tflite import ModelError
from gateway.voice.check import APART, Check
from gateway.voice.networks import WINDOW
from gateway.voice.phrases import CardError, Phrase
from gateway.voice.spotter import Look
from models.training import heads
from models.training.heads import Weights

SYMBOLS = ("_", "|", "a", "b", "c")
STEPS = 3 * WINDOW
CARD = """
symbols = ["_", "|", "a", "b", "c"]
[polite]
before = []
after = []
[phrases.super]
said = ["a b"]
at_once = -0.5
later = -1.5
clear = 0.0
[phrases.bad]
said = ["a c"]
at_once = -0.5
later = -1.5
clear = 0.0
[phrases.ask]
said = ["b c"]
at_once = -0.5
later = -1.5
clear = 0.0
"""


def network(path: Path, said: str, otherwise: str = "") -> None:
    """Hears `said` at its end, whatever is played; `otherwise` where the last embedding begins with 1.

    A step of a capital letter is half as sure, at "." anything is as likely.
    """
    w1, zero = np.zeros((WINDOW * 96, 1), np.float32), np.zeros(1, np.float32)
    w1[-96] = 1
    usual = logits(said)
    heads.write(Weights(w1, zero, logits(otherwise or said) - usual, usual[0]), path, "phones")


def logits(said: str) -> np.ndarray:
    """(1, outputs)"""
    steps = "_" * (STEPS - len(said)) + said
    made = np.full((STEPS, len(SYMBOLS)), -30, np.float32)
    for step, letter in zip(made, steps, strict=True):
        step[[SYMBOLS.index(letter.lower())] if letter != "." else slice(None)] = (
            0 if letter.isupper() else 30
        )
    return made.reshape(1, -1)


def phrases(folder: Path, said: str) -> list[Phrase]:
    """Praise, its opposite and an ask, and above them a network that hears `said`."""
    network(folder / "phones-en.tflite", said)
    (folder / "phones-en.toml").write_text(CARD, "utf-8")
    top = Phrase("super", "super", "rating", "top", folder / "en" / "super.tflite", 0.5, 0.2)
    ask = replace(top, id="ask", role="ask", rating="")
    return [top, replace(top, id="bad", rating="low"), ask]


def judged(known: list[Phrase], name: str, look: Look = Look.FIRST) -> str | None:
    return Check(known).judge(name, look, [np.zeros((40, 96), np.float32)])


@pytest.mark.parametrize(
    ("said", "spotted", "was"),
    [
        ("_ab_", "super", "super"),
        ("_ac_", "super", "bad"),
        ("_bc_", "super", None),
        ("_bc_", "ask", "ask"),
        ("_ac_", "ask", None),
        ("_cab_", "super", None),
    ],
)
def test_what_was_said_decides_and_not_the_head(
    said: str, spotted: str, was: str | None, tmp_path: Path
) -> None:
    assert judged(phrases(tmp_path, said), spotted) == was


def test_it_knows_the_phones_of_those_that_its_card_spells(tmp_path: Path) -> None:
    known = phrases(tmp_path, "_ab_")
    assert Check([*known, replace(known[0], id="mirror")]).heard == {"super", "bad", "ask"}


def test_a_weaker_one_passes_only_when_it_is_asked_last_and_then_again(tmp_path: Path) -> None:
    known = phrases(tmp_path, "_abc_")  # one step does not fit the ask: it may have begun before
    assert [judged(known, "ask", look) for look in Look] == [None, "ask", "ask", "ask"]


@pytest.mark.parametrize(
    ("said", "clear", "was"),
    [("_.._", 0, "ask"), ("_.._", 0.1, None), ("_bc_", 1.9, "ask"), ("_bc_", 2.1, None)],
)
@pytest.mark.parametrize("look", Look)
def test_where_anything_fits_a_phrase_does_not_lead_its_anagrams_and_is_nothing(
    said: str, clear: float, was: str | None, look: Look, tmp_path: Path
) -> None:
    known = phrases(tmp_path, said)
    card = tmp_path / "phones-en.toml"
    card.write_text(card.read_text("utf-8").replace("clear = 0.0", f"clear = {clear}"), "utf-8")
    assert judged(known, "ask", look) == was


@pytest.mark.parametrize(("steps", "was"), [(APART, "super"), (APART - 1, None)])
def test_an_answer_lies_apart_from_other_talk_but_an_ask_need_not(
    steps: int, was: str | None, tmp_path: Path
) -> None:
    pause = "|" + "_" * (steps - 1)
    for said in (f"cc{pause}ab_", f"_ab{pause}cc"):
        assert judged(phrases(tmp_path, said), "super") == was
    assert judged(phrases(tmp_path, "aa|bc_"), "ask") == "ask"


def test_answers_that_fit_alike_are_a_tie_and_count_as_nothing(tmp_path: Path) -> None:
    known = phrases(tmp_path, "_aB_")  # neither b nor c for sure
    assert judged(known, "super", Look.LAST) is None
    assert judged(known[:1], "super", Look.LAST) == "super"


def test_the_same_sound_may_be_heard_several_times_and_the_mean_counts(tmp_path: Path) -> None:
    known = phrases(tmp_path, "_ab_")
    network(tmp_path / "phones-en.tflite", "_ab_", otherwise="_aa_")
    alone, usual = Check(known[:1]), np.zeros((WINDOW, 96), np.float32)
    other = usual.copy()
    other[-1, 0] = 1
    for heard, was in (([usual], "super"), ([usual, other], "super"), ([other, usual, other], None)):
        assert alone.judge("super", Look.FIRST, heard) == was
    network(tmp_path / "phones-en.tflite", "_ab_", otherwise="_ac_")
    assert Check(known).judge("super", Look.FIRST, [usual]) == "super"
    assert Check(known).judge("super", Look.FIRST, [usual, other]) is None  # "bad" as much: a tie
    network(tmp_path / "phones-en.tflite", "_bc_", otherwise="_.._")
    for clear, was in ((0.9, "ask"), (1.1, None)):  # the anagram fits by −2 and 0
        card = tmp_path / "phones-en.toml"
        card.write_text(CARD.replace("clear = 0.0", f"clear = {clear}"), "utf-8")
        assert Check(known).judge("ask", Look.FIRST, [usual, other]) == was


def test_half_a_polite_word_lets_it_wait_and_no_more(tmp_path: Path) -> None:
    known = phrases(tmp_path, "_ab_c")
    (tmp_path / "phones-en.toml").write_text(CARD.replace("after = []", 'after = ["c b"]'), "utf-8")
    assert judged(known, "super", Look.AGAIN) == "super"
    assert judged(known, "super", Look.OVER) is None
    network(tmp_path / "phones-en.tflite", "_ab_cb")
    assert judged(known, "super", Look.OVER) == "super"


def test_its_surroundings_are_those_that_the_heads_heard(tmp_path: Path) -> None:
    check = context(phrases(tmp_path, "_ab_"), tmp_path, otherwise=-9.0)
    usual, other = np.zeros((2, WINDOW, 96), np.float32)
    other[-1, 0] = 1
    assert check.judge("super", Look.FIRST, [usual, other]) == "super"
    assert check.judge("super", Look.FIRST, [other, usual]) is None


def context(known: list[Phrase], folder: Path, usual: float = 2.0, otherwise: float = 0.0) -> Check:
    """A check with surroundings: what they make of praise, and of that whose last embedding begins with 1."""
    w1, zero = np.zeros((WINDOW * 96, 1), np.float32), np.zeros(1, np.float32)
    w1[-96] = 1
    around = Weights(w1, zero, np.full((1, 1), otherwise, np.float32), np.full(1, usual, np.float32))
    heads.write(around, folder / "context-en.tflite", "context")
    (folder / "context-en.toml").write_text('outputs = ["super"]\n[limits]\nsuper = 0.3\n', "utf-8")
    return Check(known)


def test_praise_is_vetoed_by_what_is_said_around_it(tmp_path: Path) -> None:
    known = phrases(tmp_path, "_ab_")
    for logit, was in ((2.0, "super"), (-2.0, None)):
        context(known, tmp_path, usual=logit)
        assert judged(known, "super") == judged(known, "bad") == was  # what "bad" was taken for is praise
        assert judged(known, "super", Look.LAST) == was
        assert judged(known, "super", Look.AGAIN) == judged(known, "super", Look.OVER) == "super"


def test_of_a_long_ask_the_first_phones_may_have_gone_by(tmp_path: Path) -> None:
    known = phrases(tmp_path, "c" + "bc" * 9 + "_")
    card = tmp_path / "phones-en.toml"
    card.write_text(card.read_text("utf-8").replace('"b c"', f'"{" ".join("bc" * 11)}"'), "utf-8")
    assert judged(known, "ask") == "ask"


def test_little_sound_is_filled_up_with_nothing(tmp_path: Path) -> None:
    check = Check(phrases(tmp_path, "_ab_"))
    assert check.judge("super", Look.FIRST, [np.zeros((5, 96), np.float32)]) == "super"


def test_a_phrase_of_the_shops_own_is_what_its_head_takes_it_for(tmp_path: Path) -> None:
    known = phrases(tmp_path, "_bc_")
    own = replace(known[0], id="mirror")
    elsewhere = replace(known[0], head=tmp_path / "own" / "en" / "super.tflite")
    assert judged([*known, own], "mirror") == "mirror"
    assert judged([elsewhere], "super") == "super"


def test_a_network_of_another_card_is_refused(tmp_path: Path) -> None:
    known = phrases(tmp_path, "_ab_")
    card = tmp_path / "phones-en.toml"
    card.write_text(card.read_text("utf-8").replace('"c"]', '"c", "d", "e"]'), "utf-8")
    with pytest.raises(ModelError, match="outputs are no 7; restore it and its card from the release"):
        Check(known)


def test_a_card_that_cannot_be_used_says_what_to_do(tmp_path: Path) -> None:
    known = phrases(tmp_path, "_ab_")
    (tmp_path / "phones-en.toml").write_text("symbols = 3", "utf-8")
    with pytest.raises(CardError, match="restore it from the release"):
        Check(known)
