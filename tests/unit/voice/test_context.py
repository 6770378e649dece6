"""The check of praise's surroundings may veto, and knows its phrases only."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.tflite import ModelError
from gateway.voice.context import Card, Context, cards_of, read_card
from gateway.voice.networks import WINDOW
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


def shop(folder: Path, limits: str = "super = 0.5", frames: int = WINDOW) -> Phrase:
    """A phrase "super" below `folder` and a check above it."""
    network(folder / "context-en.tflite", frames)
    card = f"outputs = {list(OUTPUTS)}\n[limits]\n{limits}\n"
    (folder / "context-en.toml").write_text(card, "utf-8")
    return Phrase("super", "super", "rating", "top", folder / "en" / "super.tflite", 0.5, 0.2)


def heard(newest: float, oldest: float = 0.0) -> np.ndarray:
    """The last embeddings; their sums at both ends are given."""
    rows = np.zeros((WINDOW, 96), np.float32)
    rows[-1], rows[0] = newest / 96, oldest / 96
    return rows


def test_a_high_score_passes_and_a_low_one_does_not(tmp_path: Path) -> None:
    context = Context([shop(tmp_path)])
    assert [context.allows("super", heard(x)) for x in (10, 6, 4, 0)] == [True, True, False, False]


def test_the_output_of_the_phrase_itself_decides(tmp_path: Path) -> None:
    known = shop(tmp_path, "normal = 0.5\nsuper = 0.5")
    context = Context([known, replace(known, id="normal")])
    both = [(context.allows(name, heard(10, 0)), context.allows(name, heard(0, 10))) for name in OUTPUTS]
    assert both == [(True, False), (False, True)]


def test_phrases_that_no_check_knows_are_let_through(tmp_path: Path) -> None:
    known = shop(tmp_path)
    stranger, elsewhere = (
        replace(known, id="offer"),
        replace(known, head=tmp_path / "own" / "en" / "super.tflite"),
    )
    assert Context([known, stranger]).allows("offer", heard(0))
    assert not cards_of([elsewhere])
    assert Context([elsewhere]).allows("super", heard(0))


@pytest.mark.parametrize(
    "text",
    [
        "outputs = [",
        "[limits]",
        "outputs = ['a']\n[limits]\na = {}",
        "outputs = ['a']\n[limits]\nb = 1",
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


def test_all_praise_has_a_check_and_nothing_else() -> None:
    known = catalogue()
    checked = cards_of(known.values())
    assert set(checked) == {name for name, phrase in known.items() if phrase.rating == "top"}
    assert all(isinstance(card, Card) and card.network.is_file() for card in checked.values())
    assert all(0 < card.limits[name] < 1 for name, card in checked.items())
