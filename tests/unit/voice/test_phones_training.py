"""What the networks of phones learn from, on toy data; the real thing takes hours."""

import gzip
import shutil
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gateway.voice.check import WHOLE
from gateway.voice.engine import RATE
from gateway.voice.networks import WINDOW
from gateway.voice.phones import PAUSE, Limits, read_card
from gateway.voice.phrases import HEADS
from models.training import (
    augment,
    cards,
    clips,
    extra,
    neighbours,
    phones,
    prompts,
    speech,
    texts,
    utterances,
)
from models.training.clips import Bag, Studio
from models.training.speech import Voice
from models.training.spelling import spell

CARDS = sorted(HEADS.glob("phones-*.toml"))


def test_a_text_is_spelt_with_a_pause_for_each_mark_and_none_beside_another() -> None:
    assert shutil.which("espeak-ng"), "not installed: sudo apt install espeak-ng"
    found = spell("| well, everything was super! | ", "en")
    assert [place for place, phone in enumerate(found) if phone == PAUSE] == [0, 4, len(found) - 1]
    assert spell("everything was super", "en") == found[5:-1]
    assert spell("супер", "ru")[-1] == "r"
    assert spell(" - ", "en") == [PAUSE]


def test_lines_hold_every_phrase_and_are_the_same_every_time() -> None:
    made = utterances.lines("en", 800, np.random.default_rng(3))
    assert made == utterances.lines("en", 800, np.random.default_rng(3))
    assert 760 < len(made) <= 800
    for wanted in texts.family("en").values():
        assert any(texts.contains(line, wanted.texts) for line in made), wanted.id
    wordings = [one.texts for one in texts.family("en").values()]
    holding = sum(any(texts.contains(line, each) for each in wordings) for line in made)
    assert len(made) / 4 < holding < len(made) / 2


@pytest.mark.parametrize("language", ["en", "ru"])
def test_no_line_holds_a_near_phrase_that_outcomes_are_measured_with(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = tomllib.loads((HEADS.parent / "evaluate" / "near.toml").read_text("utf-8"))
    listed = [text for kind in near if "fragments" not in kind for text in near[kind][language]]
    monkeypatch.setattr(neighbours, "near", lambda *_: [*listed, "something else"])
    made = utterances.lines(language, 600, np.random.default_rng(4))
    assert any("something else" in line for line in made)
    assert len(made) < 600
    assert not [line for line in made if texts.contains(line, listed)]


def test_lines_that_sound_like_a_phrase_are_alone_or_among_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "near", lambda *_: ["every sing was soup"])
    made = utterances.lines("en", 240, np.random.default_rng(3))
    alike = [line for line in made if "every sing was soup" in line]
    assert len(alike) == 240 // 6
    assert 0 < alike.count("every sing was soup") < len(alike)


def test_streams_tell_where_a_pause_can_be_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utterances, "LINES", 6)
    monkeypatch.setattr(utterances, "JOINED_SHARE", 0.0)
    monkeypatch.setattr(utterances, "APART_S", (0.3, 0.4))
    studio = Studio([Voice("espeak", "en-us+m1", "en")], tmp_path, clips.QUICK, 1)
    bag, again, loud = utterances.bags(studio, "en")
    assert all(said.startswith(f"{PAUSE} ") and said.endswith(f" {PAUSE} {PAUSE}") for said in bag.texts)
    assert len(bag.rows) * 0.08 > 3 * len(bag.texts)
    assert again.texts == utterances.bags(studio, "en")[0].texts == bag.texts
    made = list(phones.examples([bag, again, loud], "en"))
    assert len(made) == len(bag.texts)
    for (first, *others), said in made:
        assert len(others) == 2
        assert first.shape[1] == 96
        assert all(first.shape == other.shape and np.any(first != other) for other in others)
        assert said[0] == said[-1] == PAUSE


@pytest.mark.parametrize("seed", range(8))
def test_in_a_loud_shop_the_noise_comes_near_the_voice(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augment, "reverberate", lambda sound, *_: sound)
    monkeypatch.setattr(augment, "hiss", lambda length, rng: rng.normal(0, 1, length))
    monkeypatch.setattr(augment, "_noise", lambda length, _, rng: rng.normal(0, 1, length))
    voice = 0.3 * np.sin(np.arange(2 * RATE)) * (np.arange(2 * RATE) >= RATE)
    made, again = (augment.in_loud_shop(voice, [], np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(made, again)
    noise, both = (float(np.square(part).mean()) for part in np.split(made, 2))
    assert 3.8 < 10 * np.log10((both - noise) / noise) < 14.2
    assert np.abs(made).max() <= 10 ** (-1 / 20)


def test_a_clip_with_one_sentence_has_a_pause_at_both_ends() -> None:
    rows = np.zeros((20, 96), np.float16)
    bag = Bag("turned", "en", rows, np.array([0, 10]), np.full(2, np.nan), ["he said no", "no"], ["", ""])
    first, second = phones.examples([bag], "en")
    assert first[1] == [PAUSE, *spell("he said no", "en"), PAUSE]
    assert [[len(rows) for rows in heard] for heard, _ in (first, second)] == [[10], [10]]


def test_a_sentence_that_holds_a_near_phrase_teaches_nothing() -> None:
    near = texts.held_out("en")[0].strip()
    rows = np.zeros((20, 96), np.float16)
    said = [f"well {near} they said", "no"]
    bag = Bag("turned", "en", rows, np.array([0, 10]), np.full(2, np.nan), said, ["", ""])
    assert len(list(phones.examples([bag], "en"))) == 1


def test_prompts_teach_their_words_but_for_those_that_are_kept_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ["Please wait.", "Thank you. Good bye.", "Press 1.", "Goodbye.", "Kept out.", "Kept out as well."]
    voice, rng = Voice("espeak", "en-us", "en"), np.random.default_rng(1)
    for number, text in enumerate(told):
        soundfile.write(tmp_path / f"{number}.wav", speech.speak(speech.saying(text, voice, rng)), 16_000)
    lines = "".join(f"{number}: {text}\n" for number, text in enumerate(told))
    (tmp_path / "en.txt.gz").write_bytes(gzip.compress(lines.encode()))
    monkeypatch.setattr(prompts, "PROMPTS", {tmp_path: ("en", "free")})
    monkeypatch.setattr(prompts, "TEXTS", str(tmp_path / "{0}.txt.gz"))
    studio = Studio([], tmp_path / "kept", clips.QUICK, 1)
    found = prompts.bags(studio, "en")
    assert [bag.kind for bag in found] == ["prompts"] * 2 + ["prompts, bent"] * 2
    assert {tuple(bag.texts) for bag in found} == {tuple(f"| {told[n]} |" for n in (0, 1, 3))}
    made = list(phones.examples(found, "en"))
    assert [len(heard) for heard, _ in made] == [2] * 6
    assert made[0][1] == [PAUSE, *spell("please wait", "en"), PAUSE]
    assert list(prompts.places("en")) == [tmp_path]
    (tmp_path / "en.txt.gz").unlink()
    assert prompts.bags(studio, "en") == []
    assert prompts.places("en") == {}


def test_rare_phones_are_left_out_and_the_blank_comes_first() -> None:
    assert phones.symbols_of([["a", "b"] * phones.RARE, ["c"]]) == ["_", "a", "b"]


def test_a_wording_with_a_pause_counts_in_one_breath_as_well() -> None:
    symbols = sorted({PAUSE, *spell("оцените, пожалуйста, ваш визит", "ru")})
    said, limits = phones.spelt("ru", symbols)[2]["rate-visit-ru"]
    assert [word.count(PAUSE) for word in said] == [2, 0]
    assert said[0].replace(f" {PAUSE}", "") == said[1]
    count = len(said[1].split())
    assert count > WHOLE
    assert limits == Limits(-36.0, -36.0, 21.6)


@pytest.mark.parametrize(
    ("name", "count", "at_once", "later"), [("super", 4, -2.0, -2.0), ("normal", 10, -8.0, -9.5)]
)
def test_praise_has_one_limit_and_other_answers_one_for_each_phone(
    name: str, count: int, at_once: float, later: float
) -> None:
    words = [" ".join("a" * count), " ".join("a" * (count + 3))]
    made = phones.limits(texts.family("en")[name], words)
    assert made == Limits(at_once, later, 1.5 * count)


@pytest.mark.parametrize("card", CARDS, ids=[card.stem for card in CARDS])
def test_the_card_belongs_to_its_network_and_tells_its_data_and_figures(card: Path) -> None:
    table, language = tomllib.loads(card.read_text("utf-8")), card.stem.removeprefix("phones-")
    assert table["sha256"] == cards.digest(card.with_suffix(".tflite"))
    assert table["licence"] == "Apache-2.0"
    assert table["made"]["voices"]
    assert {"near", "talk"} <= set(table["measured"])
    known = read_card(card)
    before, after, said = phones.spelt(language, known.symbols)
    assert Counter(before) == Counter(table["polite"]["before"])
    assert Counter(after) == Counter(table["polite"]["after"])
    assert phones.polite(language) == table["polite"]["texts"]
    assert {name: words for name, (words, _) in said.items()} == {
        name: one["said"] for name, one in table["phrases"].items()
    }
    assert {name: limits for name, (_, limits) in said.items()} == known.limits
    assert f"(1, {WINDOW}, " in table["output"]


def test_what_training_needs_and_lacks_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    if not extra.complaint():
        pytest.skip("the packages of models/training/requirements.txt are here")
    assert phones.main(["--languages", "en"]) == 2
    assert "pip install -r models/training/requirements.txt" in capsys.readouterr().err
