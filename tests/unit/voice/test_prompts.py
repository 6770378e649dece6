"""A real voice as a phrase that was never learnt, on prompts that a synthetic voice says."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gateway.voice.engine import EMBEDDING, FRAME, Floats, Samples
from gateway.voice.phones import BLANK, STEPS, read_card
from models.evaluate import prompts
from models.training import speech
from models.training.features import Batch
from models.training.speech import Voice

TOLD = {
    "a-trained": "Not looked at.",
    "b-trained": "Not looked at either.",
    "c-super": "Everything was super.",
    "d-two": "Thank you. Good bye.",
    "e-tone": "[a tone]",
    "f-number": "Press 1 to go on.",
    "g-long": "Nobody says all of these very many words in a single answer to anybody.",
    "h-other": "Everything was super.",
    "i-untold": "",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine prompts, of which the last three are kept out of training; "h-other" says something else."""
    voice, rng = Voice("espeak", "en-us", "en"), np.random.default_rng(1)
    (tmp_path / "sounds").mkdir()
    for name, text in TOLD.items():
        said = {"h-other": "where are the potatoes"}.get(name, text) or "nothing"
        sound = speech.speak(speech.saying(said, voice, rng))
        soundfile.write(tmp_path / "sounds" / f"{name}.wav", sound, 16_000)
    lines = "".join(f"{name}: {text}\n" for name, text in TOLD.items() if text)
    (tmp_path / "told.txt.gz").write_bytes(gzip.compress(f"; Sounds\n\n{lines}".encode()))
    return tmp_path


def arguments(folder: Path, *more: str) -> list[str]:
    return ["--sounds", str(folder / "sounds"), "--texts", str(folder / "told.txt.gz"), "--json", *more]


def test_what_was_said_passes_and_another_text_does_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prompts, "trained", lambda place: ["a-trained.wav", "b-trained.wav"])
    assert prompts.main(arguments(folder)) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["prompts"], found["passes_as_praise"]["count"]) == (2, 1)
    assert prompts.main(arguments(folder, "--voice", "espeak:en-us")) == 0
    assert json.loads(capsys.readouterr().out)["passes_as_praise"]["count"] == 2


def test_prompts_that_training_may_use_are_not_looked_at(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prompts.main(arguments(folder)) == 0
    assert json.loads(capsys.readouterr().out)["prompts"] == 1  # h-other, of the last third


@pytest.mark.parametrize(
    ("voice", "told"),
    [("parrot", "is no voice; give program:name"), ("rhvoice:parrot", "not installed; run `sudo apt")],
)
def test_a_voice_that_is_not_there_is_not_replaced_by_another(
    voice: str, told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prompts.main(arguments(folder, "--voice", voice)) == 2
    assert told in capsys.readouterr().err


def test_what_to_install_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prompts.main(arguments(tmp_path)) == 2
    assert "sudo apt install asterisk-core-sounds-en-wav" in capsys.readouterr().err


def test_a_ratio_is_the_mean_of_two_hearings(monkeypatch: pytest.MonkeyPatch) -> None:
    card = read_card(prompts.HEADS / "phones-en.toml")
    word = card.said["super"][0]

    class Twice(Batch):
        """Hears zeros, and ones in between."""

        def embed_twice(self, samples: Samples) -> tuple[Floats, Floats]:
            rows = np.zeros((len(samples) // FRAME, EMBEDDING), np.float32)
            return rows, rows + 1

    def ask(_network: Path, rows: Floats) -> Floats:
        """Surely the phrase in zeros, surely silence in ones."""
        heard = np.full((len(rows) * STEPS, len(card.symbols)), -9.0, np.float32)
        heard[:, BLANK] = 0
        if not rows.any():
            for step, phone in enumerate(word):
                heard[20 + 2 * step, [BLANK, phone]] = -9, 0
        return heard.ravel()

    monkeypatch.setattr(prompts.networks, "ask", ask)
    sound = np.ones(8000, np.float32)
    assert prompts.ratio(card, word, Twice(96), sound) == pytest.approx(-9 * len(word) / 2)
