"""What the check of an answer's surroundings learns from, on toy data; the real thing takes half an hour."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from gateway.voice.engine import RATE
from gateway.voice.networks import WINDOW
from gateway.voice.phrases import HEADS, catalogue
from models.training import (
    augment,
    cards,
    carriers,
    clips,
    context,
    context_learn,
    heads,
    learn,
    surroundings,
    texts,
)
from models.training.carriers import Spoken
from models.training.clips import Bag, Studio
from models.training.heads import Weights
from models.training.speech import Voice

CHECKS = sorted(HEADS.glob("context-*.toml"))
NEAR = tomllib.loads((HEADS.parent / "evaluate" / "near.toml").read_text("utf-8"))
FRAMES = 60


def answers(language: str) -> list[texts.Wanted]:
    return [wanted for wanted in texts.family(language).values() if wanted.rating]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_no_sentence_around_an_answer_is_on_the_list_of_near_phrases(language: str) -> None:
    listed = {texts.plain(line) for kind in NEAR.values() for line in kind[language]}
    for wanted in answers(language):
        made = carriers.turned(wanted, 4000, np.random.default_rng(1))
        assert not listed & {texts.plain(" ".join(spoken.pieces)) for spoken in made}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_of_a_turned_sentence_something_is_left_beside_the_answer(language: str) -> None:
    for wanted in answers(language):
        made = carriers.turned(wanted, 300, np.random.default_rng(2))
        said = [" ".join(spoken.pieces) for spoken in made]
        assert len(said) == len(set(made)) == 300
        assert all(spoken.phrase is None for spoken in made)
        assert not {texts.plain(text) for text in said} & {texts.plain(text) for text in wanted.texts}
        assert sum(texts.contains(text, wanted.texts) for text in said) > 100


def test_low_answers_are_quoted_and_asked_for_but_not_turned_round() -> None:
    low = next(wanted for wanted in answers("en") if wanted.id == "not-super")
    made = carriers.turned(low, 200, np.random.default_rng(3))
    assert all(texts.contains(" ".join(spoken.pieces), low.texts) for spoken in made)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_polite_answer_is_the_piece_that_is_named_and_some_are_bare(language: str) -> None:
    for wanted in answers(language):
        made = carriers.polite(wanted, 100, np.random.default_rng(4))
        assert all(spoken.pieces[spoken.phrase or 0].endswith(wanted.texts) for spoken in made)
        assert sum(spoken.pieces in [(text,) for text in wanted.texts] for spoken in made) >= 20


def test_the_end_of_an_answer_is_known_in_its_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "in_shop", lambda sound, *_: sound)
    monkeypatch.setattr(augment, "MORPHED_SHARE", 0.0)
    monkeypatch.setattr(surroundings, "STRANGER_SHARE", 0.0)
    studio = Studio([Voice("espeak", "en-us+m1", "en")], tmp_path, clips.QUICK, 1)
    pieces = [np.full(RATE, level, np.float32) for level in (0.2, 0.9, 0.4)]
    spoken = Spoken(("well", "everything was super", "bye"), 1)
    for seed in range(8):
        made, end_s = surroundings.scene(pieces, spoken, "en", studio, [], np.random.default_rng(seed))
        assert len(made) == int(surroundings.SECONDS * RATE)
        assert np.flatnonzero(made == np.float32(0.9))[-1] == pytest.approx(end_s * RATE, abs=1)


def bag(kind: str, said: str, ends_s: float, levels: list[float]) -> Bag:
    """One clip of FRAMES embeddings, each of one level."""
    rows = np.repeat(np.array(levels, np.float16)[:, None], 96, 1)
    return Bag(kind, "en", rows, np.zeros(1, np.int64), np.array([ends_s]), [said], ["somebody"])


def spotter() -> tuple[Weights, float]:
    """A head that is hot where its newest embedding is high."""
    w1 = np.zeros((16 * 96, 1), np.float32)
    w1[-96:] = 1 / 96
    zero = np.zeros(1, np.float32)
    return Weights(w1, zero, np.full((1, 1), 20, np.float32), zero - 10), 0.9


def taught(found: Bag) -> list[tuple[int, str, list[float]]]:
    wanted = [one for one in answers("en") if one.id in ("super", "not-super")]
    last, kind, target = context_learn._windows(found, wanted, [spotter()])
    return [(int(n), str(k), [float(x) for x in t]) for n, k, t in zip(last, kind, target, strict=True)]


def test_windows_just_after_an_answer_teach_it_and_hot_ones_of_turned_sentences_teach_none() -> None:
    end_s = 45 * 0.08
    found = taught(bag("super", "everything was super", end_s, [1.0] * FRAMES))
    spoken = [last for last, kind, target in found if kind == "spoken" and target == [1.0, 0.0]]
    assert spoken == [n for n in range(FRAMES) if 0 <= (n + 1) * 0.08 - end_s <= 0.9]
    hot = [0.0] * 40 + [1.0] * 3 + [0.0] * 17
    turned = taught(bag("turned", "he said everything was super", np.nan, hot))
    assert [last for last, kind, _ in turned if kind == "turned"] == list(range(40, 48))
    assert all(target == [0.0, 0.0] for _, _, target in turned)


def test_a_sentence_with_a_not_does_not_teach_that_a_low_answer_was_none() -> None:
    for kind, said in (("turned", "everything was hardly super"), ("near", "all in all it was not super")):
        target = [target for _, _, target in taught(bag(kind, said, np.nan, [1.0] * FRAMES))]
        assert all(np.isnan(low) and top == 0 for top, low in target)
        assert target


def test_a_network_of_several_answers_learns_each_and_nan_teaches_nothing() -> None:
    rng = np.random.default_rng(6)

    def draw() -> heads.Batch:
        y = rng.integers(0, 2, (64, 3)).astype(np.float32)
        x = rng.normal(0, 1, (64, 96)).astype(np.float32)
        x[:, :40] += 3 * y[:, :1]
        x[:, 40:80] += 3 * y[:, 1:2]
        y[:, 2] = np.nan
        return x, y

    found = heads.train(draw, 96, range(1, 201), 200, rng, 0.5, (16, 3))
    x = np.zeros((2, 96), np.float32)
    x[0, :40] = x[1, 40:80] = 3
    first, second = found.scores(x)
    assert first[0] > 0.9 > 0.1 > first[1]
    assert second[1] > 0.9 > 0.1 > second[0]
    assert found.b2[2] == 0


def test_a_check_has_a_network_of_its_own_shape_and_its_bar_is_filled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(context_learn, "STEPS", 3)
    bags = [bag("super", "everything was super", 45 * 0.08, [1.0] * FRAMES)]
    bags += [bag("turned", "he said everything was super", np.nan, [1.0] * FRAMES) for _ in range(3)]
    wanted = [one for one in answers("en") if one.id == "super"]
    windows = context_learn.windows_of(bags, wanted, catalogue())
    check = context_learn.train(windows, (7, 1), np.random.default_rng(1))
    assert (check.w1.shape, check.w2.shape) == ((WINDOW * 96, 7), (7, 1))
    assert [*learn.counted(2, _Bar())] == [1, 2]


class _Bar:
    def update(self) -> None:
        """Nothing to show."""


def test_words_without_an_order_are_those_of_the_language_and_the_same_every_time() -> None:
    lines = texts.jumble("ru", 30, np.random.default_rng(1))
    said = {word for line in lines for word in texts.plain(line).split() if len(word) > 1}
    assert said <= set(texts.vocabulary("ru"))
    assert all(5 <= len(line.split()) <= 12 for line in lines)
    assert (
        lines
        == texts.jumble("ru", 30, np.random.default_rng(1))
        != texts.jumble("ru", 30, np.random.default_rng(2))
    )


@pytest.mark.parametrize("card", CHECKS, ids=[card.stem for card in CHECKS])
def test_the_card_of_a_check_belongs_to_its_network_and_tells_its_data(card: Path) -> None:
    table = tomllib.loads(card.read_text("utf-8"))
    assert table["sha256"] == cards.digest(card.with_suffix(".tflite"))
    language = card.stem.removeprefix("context-")
    family = texts.family(language).values()
    assert table["outputs"] == [wanted.id for wanted in family if wanted.rating]
    assert table["limits"] == {wanted.id: context.PRAISE for wanted in family if wanted.rating == "top"}
    assert table["licence"] == "Apache-2.0"
    assert table["made"]["voices"]
    assert all({"file", "sha256", "use"} <= set(data) for data in table["made"]["data"])
