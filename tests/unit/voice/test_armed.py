"""The bench of false ratings counts them, near phrases list by list; hours of talk can be made again."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bench import armed
from demo.sound import SPEECH
from gateway.voice.audio import read_wav
from gateway.voice.phrases import Phrase, catalogue
from models.evaluate import talk
from models.training import speech
from models.training.speech import Voice
from tests.unit.voice.deaf import Deaf

VOICE = Voice("espeak", "en-us+m1", "en")


@pytest.fixture(scope="module")
def english() -> list[Phrase]:
    return [phrase for phrase in catalogue().values() if phrase.head.parent.name == "en"]


def test_talk_is_one_stream_and_every_rating_in_it_is_a_false_one(
    tmp_path: Path, english: list[Phrase]
) -> None:
    silence = np.zeros(40_000, np.int16)
    for number, name in enumerate(("super", "rate-visit", "super")):
        sound = np.concatenate([silence, read_wav(SPEECH / f"{name}.wav"), silence])
        soundfile.write(tmp_path / f"{number}.flac", sound, 16_000)
    (tmp_path / "talk.csv").write_text("file\n")
    found = armed.talk(tmp_path, english)
    assert found["false_ratings"] == {"super": 2}
    assert found["other_phrases"] == {"rate-visit": 1}
    assert found["per_200_minutes"] == pytest.approx(2 * 200 / found["minutes"], rel=0.2)
    assert found["interval"][0] < found["per_200_minutes"] < found["interval"][1]


def test_ratings_that_the_second_opinion_vetoes_are_no_false_ones(
    tmp_path: Path, english: list[Phrase]
) -> None:
    silence = np.zeros(40_000, np.int16)
    for number, name in enumerate(("super", "rate-visit")):
        soundfile.write(
            tmp_path / f"{number}.flac",
            np.concatenate([silence, read_wav(SPEECH / f"{name}.wav"), silence]),
            16_000,
        )
    found = armed.talk(tmp_path, english, Deaf())
    assert (found["false_ratings"], found["other_phrases"], found["vetoed"]) == ({}, {"rate-visit": 1}, 1)
    said = Counter(armed.Judge(english, Deaf()).hear(read_wav(SPEECH / "super.wav")))
    assert said == {"said": 1, "raw": 1, "rivals": 1}


def test_a_saying_counts_as_raw_and_as_top_only_when_it_was_heard_so(english: list[Phrase]) -> None:
    judge = armed.Judge(english)
    said = Counter(judge.hear(read_wav(SPEECH / "super.wav")))
    other = Counter(judge.hear(read_wav(SPEECH / "rate-visit.wav")))
    assert said == {"said": 1, "raw": 1, "rivals": 1, "confirmed": 1}
    assert other == {"said": 1}


def test_talk_that_is_there_stays_and_the_rest_is_read_by_the_voices_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken: list[str] = []

    def speak(text: str, _voice: Voice, rng: np.random.Generator) -> speech.Sound:
        spoken.append(text)
        if text == "bad":
            raise speech.SpeechError("a voice that cannot say this")
        return np.asarray(rng.normal(0, 0.1, 32_000), np.float32)

    monkeypatch.setattr(talk, "_speak", speak)
    other = Voice("espeak", "en-us+f1", "en")
    talk.read(["one", "bad", "two", "three"], [VOICE, other], 4 / 3600, tmp_path)
    talk.read(["one", "bad", "two", "three"], [VOICE, other], 6 / 3600, tmp_path)
    rows = list(csv.DictReader((tmp_path / "talk.csv").open(encoding="utf-8")))
    assert spoken == ["one", "bad", "two", "bad", "three"]
    assert [(row["file"], row["text"]) for row in rows] == [
        ("00000.flac", "one"),
        ("00002.flac", "two"),
        ("00003.flac", "three"),
    ]
    assert all(soundfile.info(tmp_path / row["file"]).samplerate == 16_000 for row in rows)


def test_paragraphs_that_share_a_sentence_with_what_is_left_out_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = tmp_path / "book"
    kept = "The first story is about a river that never reaches the sea and nobody knows why."
    gone = "This line was read in training. The second story is about a small town in the hills."
    book.write_text(f"{kept}\n%\n{gone}\n%\ntoo short\n%\n1234 5678 #### 9876 {'4321 ' * 20}\n")
    monkeypatch.setattr(talk, "_books", lambda _language: iter([book]))
    assert talk.paragraphs("en", ["this line was read in training"]) == [kept]
    monkeypatch.setattr(talk, "_books", lambda _language: iter(()))
    with pytest.raises(speech.SpeechError, match="sudo apt install fortunes"):
        talk.paragraphs("en")
