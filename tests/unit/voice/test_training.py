"""How heads are made, on toy data; the real thing takes minutes and is run by hand."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from gateway.voice.engine import FRAME, Features, Head
from gateway.voice.phrases import HEADS, catalogue
from models.training import calibrate, cards, heads, learn, neighbours, speech, texts
from models.training.clips import SCENE_FRAMES, Bag
from models.training.features import Batch

INPUTS = 16 * 96
CARDS = sorted(HEADS.glob("*/*.toml"))


def toy(seed: int) -> heads.Weights:
    """A head that learns whether the first numbers of a window are high."""
    rng = np.random.default_rng(seed)

    def draw() -> heads.Batch:
        y = rng.integers(0, 2, 64).astype(np.float32)
        x = rng.normal(0, 1, (64, INPUTS)).astype(np.float32)
        x[:, :40] += 2 * y[:, None]
        return x, y

    return heads.train(draw, INPUTS, range(1, 61), 60, rng)


def test_a_written_head_gives_the_scores_of_the_weights_it_was_written_from(tmp_path: Path) -> None:
    weights = heads.merged([toy(1), toy(4)])
    heads.write(weights, tmp_path / "toy.tflite", "toy")
    windows = np.random.default_rng(2).normal(0, 1, (20, 16, 96)).astype(np.float32)
    written = [Head(tmp_path / "toy.tflite").score(window) for window in windows]
    assert written == pytest.approx(list(weights.score(windows.reshape(20, -1))), abs=0.02)
    assert (tmp_path / "toy.tflite").stat().st_size < 110_000  # a third of a float32 head's


def test_a_head_that_was_written_can_be_read_again(tmp_path: Path) -> None:
    weights = heads.merged([toy(1), toy(4)])
    heads.write(weights, tmp_path / "toy.tflite", "toy")
    found = heads.read(tmp_path / "toy.tflite")
    step = heads.rounded(weights.w1)[1]
    assert float(np.abs(found.w1 - weights.w1).max()) <= step / 2 + 1e-6
    np.testing.assert_array_equal(found.b1, weights.b1)
    np.testing.assert_array_equal(found.w2, weights.w2)
    np.testing.assert_array_equal(found.b2, weights.b2)


def test_training_learns_and_the_same_seed_gives_the_same_weights() -> None:
    high = np.zeros((1, INPUTS), np.float32)
    high[:, :40] = 2
    assert toy(3).score(high)[0] > 0.9
    assert toy(3).score(-high)[0] < 0.1
    np.testing.assert_array_equal(toy(3).w1, toy(3).w1)


def test_a_merged_head_takes_the_mean_of_its_members_logits() -> None:
    members, x = [toy(1), toy(2)], np.random.default_rng(5).normal(0, 1, (9, INPUTS)).astype(np.float32)
    odds = [np.log(member.score(x) / (1 - member.score(x))) for member in members]
    merged = heads.merged(members).score(x)
    assert np.log(merged / (1 - merged)) == pytest.approx(np.mean(odds, 0), abs=1e-3)


def test_whole_recordings_give_the_embeddings_of_the_streaming_engine_to_the_last_bit() -> None:
    rng = np.random.default_rng(6)
    sound = rng.normal(0, 1, FRAME * 21 + 300) * np.repeat([0, 9000, 2, 300], FRAME * 6)[: FRAME * 21 + 300]
    samples = np.clip(sound, -32768, 32767).astype(np.int16)
    features = Features()
    streamed = [features.push(frame) for frame in samples[: FRAME * 21].reshape(-1, FRAME)]
    np.testing.assert_array_equal(Batch(8).embed(samples), np.stack(streamed))
    assert len(Batch(8).embed(samples[: FRAME - 1])) == 0


def test_embeddings_between_those_of_the_frames_are_the_same_however_often_they_are_asked_for() -> None:
    samples = np.random.default_rng(7).normal(0, 3000, FRAME * 21).astype(np.int16)
    at_frames, between = Batch(8).embed_twice(samples)
    np.testing.assert_array_equal(at_frames, Batch(8).embed(samples))
    assert np.abs(between[12:] - at_frames[12:]).max() > 1
    features = Features(history=5)
    for start in range(2):  # after a reset, too
        for count, frame in enumerate(samples.reshape(-1, FRAME), 1):
            features.push(frame)
            if count in (3 + start, 5, 6, 9, 9 + 7 * start, 21):
                expected, found = between[:count][-5:], features.between()
                assert found.shape == (5, 96)
                np.testing.assert_array_equal(found[-len(expected) :], expected)
        features.reset()


def test_weights_for_scaled_inputs_are_turned_into_weights_for_inputs_as_they_are() -> None:
    rng = np.random.default_rng(8)
    mean, deviation = rng.normal(0, 5, 96).astype(np.float32), rng.uniform(1, 9, 96).astype(np.float32)
    x = rng.normal(0, 1, (5, 16, 96)).astype(np.float32)
    given = heads.unscaled(toy(1), mean, deviation).score((x * deviation + mean).reshape(5, -1))
    assert given == pytest.approx(toy(1).score(x.reshape(5, -1)), abs=1e-4)


def bag(kind: str, count: int, ends_s: float, said: str, level: float) -> Bag:
    """Scenes of one level each."""
    rows = np.full((count * SCENE_FRAMES, 96), level, np.float16)
    starts = np.arange(count) * SCENE_FRAMES
    return Bag(kind, "en", rows, starts, np.full(count, ends_s), [said] * count, ["somebody"] * count)


def test_a_text_that_contains_the_phrase_is_never_its_negative() -> None:
    bags = [
        bag("super", 2, 3.0, "everything was super", 1),
        bag("near", 2, np.nan, "Oh, everything was super!", 0),
    ]
    windows = learn.windows_of("super", ["everything was super"], bags)
    assert len(windows.of("near")) == 0
    assert len(windows.of("positive")) == 2 * 5  # 0 to 0.36 s after the end, a window each 80 ms
    assert not set(windows.clip[windows.of("positive")]) - {0, 1}


def test_a_firing_is_a_run_of_two_frames_and_the_next_second_belongs_to_it() -> None:
    scores = np.zeros(60, np.float32)
    scores[[5, 10, 11, 20, 21, 22, 50, 51]] = 0.9
    clip = np.zeros(60, np.int64)
    assert calibrate.events(scores, clip, 0.5) == 2
    clip[51:] = 1
    assert calibrate.events(scores, clip, 0.5) == 1
    assert list(calibrate.best_by_clip(scores, clip)) == [pytest.approx(0.9), 0]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_near_misses_never_contain_the_phrase_they_are_near_to(language: str) -> None:
    rng = np.random.default_rng(7)
    for wanted in list(texts.family(language).values())[:3]:
        found = neighbours.near(wanted, 40, rng)
        assert len(found) == 40
        assert not [text for text in found if texts.contains(text, wanted.texts)]


@pytest.mark.parametrize(
    ("text", "alike"),
    [
        ("two computers", True),  # a plural, or one sound less, is the phrase to a listener
        ("a minicomputer", True),
        ("competer", True),
        ("compute", False),
        ("computerised", False),
        ("commuters", False),
        ("counter", False),
    ],
)
def test_what_a_listener_would_take_for_the_phrase_is_no_near_miss(text: str, alike: bool) -> None:
    wanted = texts.Wanted("computer", "en", "event", "", ("computer",))
    assert neighbours.says(text, wanted) == alike


def test_neighbours_are_words_that_sound_alike_and_of_every_kind_some_are_made() -> None:
    made = neighbours.Neighbours("en")
    assert {"mister", "minor"} & set(made.like("mirror"))
    assert "mirror" not in made.like("mirror")
    assert {neighbours.sound("phone", "en"), neighbours.sound("сегодня", "ru")} == {"fon", "сегодна"}
    wanted = texts.Wanted("smart-mirror", "en", "event", "", ("smart mirror",))
    found = neighbours.near(wanted, 90, np.random.default_rng(3))
    starts = [text for text in found if text.startswith("smart ")]
    ends = [text for text in found if text.endswith(" mirror")]
    assert min(len(starts), len(ends)) > 10
    assert "mirror smart" in found
    assert len([t for t in found if "smart" not in t and "mirror" not in t]) > 5
    assert found == neighbours.near(wanted, 90, np.random.default_rng(3))


def test_scraps_are_some_words_long_and_the_phrases_that_ship_are_among_them() -> None:
    found = texts.scraps("ru", 30, np.random.default_rng(4))
    cut = [text for number, text in enumerate(found) if number % 3 < 2]
    assert all(1 <= len(text.split()) <= 6 for text in cut)
    phrases = {text.replace(",", "") for wanted in texts.family("ru").values() for text in wanted.texts}
    assert set(found[2::3]) <= phrases


def test_no_voice_is_used_whose_licence_forbids_derived_works() -> None:
    allowed = {"bdl", "clb", "slt", "aleksandr", "aleksandr-hq", "anna", "elena", "irina"}
    assert {name for voices in speech.RHVOICES.values() for name in voices} == allowed


def test_every_phrase_has_a_head_and_every_head_a_phrase() -> None:
    known = {**texts.family("en"), **texts.family("ru")}
    assert set(catalogue()) == set(known)


@pytest.mark.parametrize("card", CARDS, ids=[card.stem for card in CARDS])
def test_a_card_belongs_to_its_head_and_tells_its_texts_data_and_figures(card: Path) -> None:
    table = tomllib.loads(card.read_text("utf-8"))
    wanted = texts.family(card.parent.name)[card.stem]
    assert table["sha256"] == cards.digest(card.with_suffix(".tflite"))
    assert (table["texts"], table["role"], table["rating"]) == (
        list(wanted.texts),
        wanted.role,
        wanted.rating,
    )
    assert table["licence"] == "Apache-2.0"
    assert table["made"]["voices"]
    assert all({"file", "sha256", "use"} <= set(data) for data in table["made"]["data"])
    for condition in ("clean", "noise_10db_reverb"):
        found = table["measured"][condition]
        assert found["n"] >= (30 if table["role"] in ("ask", "rating") else 10)
        assert found["recall_interval"][0] <= found["recall"] <= found["recall_interval"][1]
    for language in {card.parent.name, "en"}:
        found = table["measured"][f"talk_{language}"]
        assert found["hours"] > 0.5
        assert found["false_accepts_per_hour_interval"][0] <= found["false_accepts_per_hour"]
