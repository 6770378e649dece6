"""`emobox models evaluate phrases` on a tiny set whose answer is known: the demo's own recordings."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from demo.sound import SPEECH, phrase_s
from gateway import cli
from gateway.voice import opinion
from gateway.voice.audio import frames_of, read_wav
from gateway.voice.engine import FRAME, FRAME_S, RATE, Engine
from gateway.voice.hear import hear
from gateway.voice.phrases import catalogue
from gateway.voice.spotter import Spotted
from models.evaluate import phrases
from models.evaluate.phrases import Condition, Label, Tally
from models.training.features import Batch, pcm
from tests.unit.voice.deaf import Deaf

LEAD_S = 3.0


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phrases in FLAC and WAV, one said where nothing is labelled, and half a minute of hiss in OGG."""
    folder = tmp_path_factory.mktemp("audio")
    silence = np.zeros(int(LEAD_S * 16_000), np.int16)
    for name, file in (("super", "a/super.flac"), ("rate-visit", "ask.wav"), ("super", "stray.wav")):
        (folder / "a").mkdir(exist_ok=True)
        soundfile.write(
            folder / file, np.concatenate([silence, read_wav(SPEECH / f"{name}.wav"), silence]), 16_000
        )
    hiss = np.random.default_rng(1).normal(0, 0.01, (44_100 * 30, 2))
    soundfile.write(folder / "hiss.ogg", hiss, 44_100)
    return folder


def labels(folder: Path, *rows: str) -> Path:
    file = folder / "labels.csv"
    file.write_text("\n".join(["file,start_s,end_s,phrase", *rows]))
    return file


def run(capsys: pytest.CaptureFixture[str], audio: Path, csv: Path, *more: str) -> dict[str, Any]:
    assert (
        cli.main(
            ["models", "evaluate", "phrases", "--audio", str(audio), "--labels", str(csv), "--json", *more]
        )
        == 0
    )
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["phrases"]
    return found


def test_hits_misses_and_false_accepts_are_counted_per_phrase(
    capsys: pytest.CaptureFixture[str], audio: Path, tmp_path: Path
) -> None:
    end_s = LEAD_S + phrase_s("super")
    rows = [f"super.flac,{LEAD_S},{end_s},super", "ask.wav,,,rate-visit", "ask.wav,0.2,1.0,super"]
    found = run(capsys, audio, labels(tmp_path, *rows))
    assert set(found) == {"super", "rate-visit"}
    ask, top = found["rate-visit"], found["super"]
    assert (ask["recall"], ask["n"], ask["false_accepts"]) == (1.0, 1, 0)
    assert (top["recall"], top["n"], top["false_accepts"]) == (0.5, 2, 1)
    seconds = sum(soundfile.info(file).duration for file in audio.rglob("*.*")) - phrase_s("super") - 0.8
    assert top["hours"] == pytest.approx(seconds / 3600, abs=1e-3)
    assert top["false_accepts_per_hour"] == pytest.approx(1 / (seconds / 3600), rel=0.01)
    low, high = top["recall_interval"]
    assert low < 0.5 < high


def test_a_zip_is_read_as_a_folder_and_without_labels_all_known_phrases_are_judged(
    capsys: pytest.CaptureFixture[str], audio: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "audio.zip", "w") as archive:
        archive.write(audio / "stray.wav", "deep/stray.wav")
    found = run(capsys, tmp_path / "audio.zip", labels(tmp_path), "--language", "en")
    assert found["super"]["false_accepts"] == 1
    assert found["rate-visit"] | {"recall": None, "n": 0, "false_accepts": 0} == found["rate-visit"]


def test_noise_and_rooms_are_the_same_at_every_run_and_are_really_there() -> None:
    sound = read_wav(SPEECH / "super.wav").astype(np.float32) / 32768
    noisy = Condition(10.0, reverb=True).apply(sound, "folder/a.wav")
    np.testing.assert_array_equal(noisy, Condition(10.0, reverb=True).apply(sound, "other/a.wav"))
    assert not np.array_equal(noisy, Condition(10.0, reverb=True).apply(sound, "b.wav"))
    hiss = Condition(10.0).apply(sound, "a.wav") - sound / max(1, np.abs(sound).max())
    loud = sound[np.abs(sound) > 0.01]
    assert 10 * np.log10((loud**2).mean() / (hiss**2).mean()) == pytest.approx(10, abs=0.5)
    np.testing.assert_array_equal(Condition().apply(sound, "a.wav"), sound)


def test_the_command_judges_under_the_condition_asked_for(
    capsys: pytest.CaptureFixture[str], audio: Path, tmp_path: Path
) -> None:
    csv = labels(tmp_path, "ask.wav,3,,rate-visit")
    quietly, noisy = (
        run(capsys, audio, csv, "--phrases", "rate-visit", *more)["rate-visit"]["recall"]
        for more in ((), ("--noise=-20dB", "--reverb"))
    )
    assert (quietly, noisy) == (1.0, 0.0)


def test_noise_begins_before_the_recording_and_times_count_from_its_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sound = read_wav(SPEECH / "super.wav").astype(np.float32) / 32768
    ears = phrases.Ears([one for one in catalogue().values() if one.id == "super"])
    (quietly,) = ears.hear(sound)
    (noisy,) = ears.hear(sound, Condition(60.0), "a.wav")
    assert noisy.end_s == pytest.approx(quietly.end_s, abs=FRAME_S / 2)
    assert quietly.end_s == pytest.approx(phrase_s("super"), abs=0.3)
    heard = []
    monkeypatch.setattr(phrases, "pcm", lambda made: heard.append(made) or pcm(made))
    ears.hear(sound, Condition(10.0), "a.wav")
    before = heard[0][: phrases.NOISE_FRAMES * FRAME]
    assert len(before) == 4 * RATE
    assert before.reshape(-1, FRAME).std(1).min() > 0


def test_a_recording_is_heard_as_the_shop_hears_it_up_to_its_last_word() -> None:
    judged = [one for one in catalogue().values() if one.id in ("super", "rate-visit")]
    ears = phrases.Ears(judged)
    for name in ("super", "rate-visit"):
        samples = read_wav(SPEECH / f"{name}.wav")
        said = samples[: round((phrase_s(name) + FRAME_S) * RATE)]
        shop, _ = hear(said, judged)
        evaluated = ears.hear(said.astype(np.float32) / 32768)
        assert [one.id for one in evaluated] == [one.id for one in shop] == [name]
        assert evaluated[0].end_s == pytest.approx(shop[0].end_s, abs=FRAME_S / 2)


def test_a_firing_counts_from_shortly_before_the_label_to_shortly_after_and_is_then_no_false_accept() -> None:
    tallies = {"x": Tally()}
    label = Label("a.wav", 2.0, 3.0, "x")
    phrases._count(
        tallies, [label], [Spotted("x", 0.9, 1.75), Spotted("x", 0.9, 3.45), Spotted("x", 0.9, 3.55)], 10
    )
    assert (tallies["x"].n, tallies["x"].hits, tallies["x"].false_accepts) == (1, 1, 1)
    assert tallies["x"].hours == pytest.approx(9 / 3600)


def test_intervals_of_rates_are_exact() -> None:
    assert phrases.poisson(0, 3.0) == [0.0, pytest.approx(3.689 / 3, abs=1e-3)]
    assert phrases.poisson(2, 4.0) == [
        pytest.approx(0.2422 / 4, abs=1e-3),
        pytest.approx(7.2247 / 4, abs=1e-3),
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["stray.wav,0,1,no-such"], "no head for no-such; known are"),
        (["nowhere.wav,0,1,super"], "is not among the recordings"),
        (["stray.wav,2,1,super"], "line 2: start_s must lie before end_s"),
        (["stray.wav,soon,1,super"], "line 2: start_s and end_s are seconds"),
    ],
)
def test_labels_that_cannot_be_used_are_refused_in_plain_words(
    rows: list[str], said: str, capsys: pytest.CaptureFixture[str], audio: Path, tmp_path: Path
) -> None:
    file = labels(tmp_path, *rows)
    assert cli.main(["models", "evaluate", "phrases", "--audio", str(audio), "--labels", str(file)]) == 2
    assert said in capsys.readouterr().err


def test_what_is_played_is_heard_twice_as_by_the_engine() -> None:
    samples = np.resize(read_wav(SPEECH / "super.wav"), 60 * FRAME)
    engine = Engine({}, history=32)
    played = phrases.Played(*Batch(96).embed_twice(samples), {}, 0)
    for frame in frames_of(samples):
        engine.push(frame)
        played.push(frame)
    np.testing.assert_allclose(played.embeddings[-32:], engine.embeddings[-32:], atol=1e-4)
    np.testing.assert_allclose(played.between()[-32:], engine.between()[-32:], atol=1e-4)


def test_an_answer_that_is_vetoed_is_no_hit_and_no_false_accept(tmp_path: Path) -> None:
    (tmp_path / "said.wav").write_bytes((SPEECH / "super.wav").read_bytes())
    label, judged = phrases.Label("said.wav", 0.0, float("inf"), "super"), [catalogue()["super"]]
    for recogniser, hits in ((None, 1), (Deaf(), 0)):
        found = phrases.evaluate(tmp_path, [label], judged, Condition(), recogniser)
        assert (found["confirmed"], found["phrases"]["super"]["hits"]) == (recogniser is not None, hits)
        unasked = phrases.evaluate(tmp_path, [], judged, Condition(), recogniser)["phrases"]["super"]
        assert unasked["false_accepts"] == hits


def test_the_second_opinion_hears_the_recording_under_its_condition_from_before_its_start() -> None:
    ears, sound = Deaf(), read_wav(SPEECH / "super.wav").astype(np.float32) / 32768
    heard = phrases.Ears([catalogue()["super"]], ears)
    heard.hear(sound)
    heard.hear(sound, Condition(20.0), "a.wav")
    quietly, noisy = (each[: RATE // 2].astype(float).std() for each in ears.heard)
    assert len(ears.heard[0]) == 3 * RATE
    assert quietly == 0
    assert noisy > 10


def test_the_command_asks_whom_it_is_told_to(
    capsys: pytest.CaptureFixture[str], audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(opinion, "recogniser", lambda name, _phrases: asked.append(name))
    csv = labels(tmp_path, "ask.wav,3,,rate-visit")
    for more in ((), ("--confirm", "none")):
        run(capsys, audio, csv, "--phrases", "rate-visit", *more)
    assert asked == ["auto", "none"]
