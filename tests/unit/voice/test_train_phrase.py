"""`emobox models train phrase` from end to end, in a tiny size that makes no good head; and its refusals."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from gateway import cli
from gateway.voice.engine import Head
from gateway.voice.phrases import read_card
from models.training import clips, own, speech

QUICK = [
    "models",
    "train",
    "phrase",
    "--id",
    "cold-drinks",
    "--language",
    "en",
    "--text",
    "cold drinks are over there",
]


@pytest.fixture(scope="module", autouse=True)
def _espeak_only() -> Any:
    """One program that every test machine has."""
    patch = pytest.MonkeyPatch()
    assert shutil.which("espeak-ng"), "not installed: sudo apt install espeak-ng"
    patch.setattr(
        speech,
        "PROGRAMS",
        {"rhvoice": "no-such-program", "flite": "-", "festival": "-", "espeak": "espeak-ng"},
    )
    yield
    patch.undo()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where everything of this file goes."""
    return tmp_path_factory.mktemp("own")


def order(folder: Path) -> list[str]:
    return [*QUICK, "--quick", "--json", "--out", str(folder / "phrases"), "--cache", str(folder / "cache")]


def test_head_card_and_a_plain_verdict_are_made_and_kept_sets_are_used_again(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(order(folder)) == 0
    report = json.loads(capsys.readouterr().out)
    phrase = read_card(Path(report["card"]))
    assert (phrase.id, phrase.text, phrase.role) == ("cold-drinks", "cold drinks are over there", "event")
    assert Head(Path(report["head"])).window == 16
    assert "expect one miss in" in report["verdict"] or "almost none" in report["verdict"]
    assert "rhvoice" in report["advice"]
    assert report["strangers"]["n"] > 0
    made = Path(report["head"]).read_bytes()
    monkeypatch.setattr(clips.augment, "scene", None)  # a second run makes no scene again
    assert cli.main(order(folder)) == 0
    assert Path(json.loads(capsys.readouterr().out)["head"]).read_bytes() == made


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--id", "Bad Id", "--language", "en", "--text", "hello there"], "lower-case letters"),
        (["--id", "x", "--language", "de", "--text", "guten Tag"], "'de' is not known; allowed are en, ru"),
        (["--id", "x", "--language", "en", "--text", "hm"], "too short to be told from other talk"),
        (["--id", "x", "--language", "ru", "--text", "hello there"], "in the letters of 'ru'"),
        (["--id", "x", "--language", "en", "--text", "hello there", "--role", "rating"], "needs a rating"),
        (
            ["--id", "x", "--language", "en", "--text", "hello there", "--recordings", "/no/such"],
            "no recordings",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_in_plain_words(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    more = ["--quick", "--out", str(folder / "x"), "--cache", str(folder / "cache")]
    assert cli.main(["models", "train", "phrase", *arguments, *more]) == 2
    assert said in capsys.readouterr().err


def test_without_any_voice_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech.shutil, "which", lambda _: None)
    assert (
        cli.main(["models", "train", "phrase", "--id", "x", "--language", "ru", "--text", "добрый день"]) == 2
    )
    assert "sudo apt install espeak-ng rhvoice rhvoice-russian" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recall", "syllables", "said"),
    [
        (0.5, 3, "short (3 syllables): expect one miss in 2"),
        (0.9, 6, "good: expect one miss in 10"),
        (0.99, 5, "almost none"),
    ],
)
def test_the_verdict_is_a_sentence_that_a_shop_understands(recall: float, syllables: int, said: str) -> None:
    assert said in own.verdict(recall, syllables)
