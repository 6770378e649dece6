"""The check of an answer's surroundings may veto, knows its phrases only, is asked again when in doubt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.tflite import ModelError
from gateway.voice.context import WINDOW, Card, Context, Limits, cards_of, read_card
from gateway.voice.phrases import CardError, Phrase, catalogue
from models.training import heads
from models.training.heads import Weights

OUTPUTS = ("super", "normal")


def network(path: Path, frames: int = WINDOW) -> None:
    """Its first output is near 1 where the newest embedding is high, its second one where the oldest is."""
    w1 = np.zeros((frames * 96, 2), np.float32)
    w1[-96:, 0] = w1[:96, 1] = 1
    heads.write(
        Weights(w1, np.zeros(2, np.float32), np.eye(2, dtype=np.float32), np.full(2, -5, np.float32)),
        path,
        "context",
    )


def shop(
    folder: Path, limits: str = "super = { at_once = 0.9, later = 0.5 }", frames: int = WINDOW
) -> Phrase:
    """A phrase "super" below `folder` and a check above it."""
    network(folder / "context-en.tflite", frames)
    card = f"outputs = {list(OUTPUTS)}\n[limits]\n{limits}\n"
    (folder / "context-en.toml").write_text(card, "utf-8")
    return Phrase("super", "super", "rating", "top", folder / "en" / "super.tflite", 0.5, 0.2)


def heard(newest: float, oldest: float = 0.0, count: int = WINDOW) -> np.ndarray:
    """Embeddings whose sums at both ends are given."""
    rows = np.zeros((count, 96), np.float32)
    rows[-1], rows[0] = newest / 96, oldest / 96 if count == WINDOW else rows[0]
    return rows


def test_a_high_score_passes_at_once_a_fair_one_later_and_a_low_one_never(tmp_path: Path) -> None:
    context = Context([shop(tmp_path)])
    passes = [[context.allows("super", now, heard(x)) for now in (True, False)] for x in (10, 6, 2)]
    assert passes == [[True, True], [False, True], [False, False]]


def test_the_output_of_the_phrase_itself_decides_and_the_last_32_embeddings_only(tmp_path: Path) -> None:
    known = shop(tmp_path, "normal = { at_once = 0.9, later = 0.5 }\nsuper = { at_once = 0.9, later = 0.5 }")
    context = Context([known, replace(known, id="normal")])
    both = [
        (context.allows(name, True, heard(10, 0)), context.allows(name, True, heard(0, 10)))
        for name in OUTPUTS
    ]
    assert both == [(True, False), (False, True)]
    older = np.concatenate([heard(99, 99), heard(0, 10)])
    assert [context.allows(name, True, older) for name in OUTPUTS] == [False, True]


def test_what_was_not_heard_yet_is_taken_for_nothing(tmp_path: Path) -> None:
    context = Context([shop(tmp_path)])
    assert context.allows("super", True, heard(10, count=9))
    assert not context.allows("super", True, heard(2, count=9))


def test_phrases_that_no_check_knows_are_let_through(tmp_path: Path) -> None:
    known = shop(tmp_path)
    stranger, elsewhere = (
        replace(known, id="offer"),
        replace(known, head=tmp_path / "own" / "en" / "super.tflite"),
    )
    assert Context([known, stranger]).allows("offer", True, heard(0))
    assert not cards_of([elsewhere])
    assert Context([elsewhere]).allows("super", True, heard(0))


@pytest.mark.parametrize(
    "text",
    [
        "outputs = [",
        "[limits]",
        "outputs = ['a']\n[limits]\na = 3",
        "outputs = ['a']\n[limits]\nb = {at_once=1,later=1}",
    ],
)
def test_a_card_that_cannot_be_used_is_named(text: str, tmp_path: Path) -> None:
    card = tmp_path / "context-en.toml"
    card.write_text(text, "utf-8")
    with pytest.raises(CardError, match=r"context-en.toml.*restore it from the release"):
        read_card(card)


def test_a_network_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"context-en\.tflite: its input is"):
        Context([shop(tmp_path, frames=16)])


def test_every_answer_and_every_phrase_with_an_eased_threshold_has_a_check() -> None:
    known = catalogue()
    checked = cards_of(known.values())
    needed = {name for name, phrase in known.items() if phrase.rating or is_eased(phrase)}
    assert needed <= set(checked)
    assert needed > {name for name, phrase in known.items() if phrase.rating}
    cards = {card.network: card for card in checked.values()}
    assert all(isinstance(card, Card) and card.network.is_file() for card in cards.values())
    limits = [limit for card in cards.values() for limit in card.limits.values()]
    assert all(isinstance(one, Limits) and 0 < one.later <= one.at_once < 1 for one in limits)


def is_eased(phrase: Phrase) -> bool:
    return "eased from" in phrase.head.with_suffix(".toml").read_text("utf-8")
