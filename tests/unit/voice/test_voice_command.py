"""`emobox voice`: a file or a microphone, always or armed; plain errors, one JSON object a phrase."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from demo.sound import SPEECH, make_timeline, phrase_s
from gateway.cli import main
from tests.unit.voice.openwakeword.make import head

ITEMS = [(1.0, "super"), (3.0, "rate-visit"), (6.0, "normal")]


def said(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a printed text, one a line."""
    return [json.loads(line) for line in text.splitlines()]


def voice(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of `emobox voice`."""
    status = main(["voice", *words])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def raw(wav: Path) -> bytes:
    return wav.read_bytes()[44:]


def run(words: Sequence[str], sound: bytes) -> subprocess.CompletedProcess[bytes]:
    """The real command with sound on its standard input."""
    command = [sys.executable, "-m", "gateway.cli", "voice", *words]
    return subprocess.run(command, input=sound, capture_output=True, timeout=60, check=False)


def test_prints_each_phrase_with_the_end_of_its_last_word_and_its_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wav = make_timeline(tmp_path / "a.wav", ITEMS, 8.0)
    status, out, _ = voice(capsys, str(wav), "--json")
    phrases = json.loads(out)["phrases"]
    assert (status, [one["id"] for one in phrases]) == (0, [name for _, name in ITEMS])
    ends = [start_s + phrase_s(name) for start_s, name in ITEMS]
    assert [one["end_s"] for one in phrases] == pytest.approx(ends, abs=0.3)
    assert all(0.5 < one["score"] <= 1 for one in phrases)


def test_armed_an_answer_counts_only_within_the_time_out_of_an_ask(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wav = make_timeline(tmp_path / "a.wav", ITEMS, 8.0)
    _, out, _ = voice(capsys, str(wav), "--json", "--armed")
    assert [one["id"] for one in json.loads(out)["phrases"]] == ["rate-visit", "normal"]
    _, out, _ = voice(capsys, str(wav), "--json", "--armed", "--timeout", "1.5")
    assert [one["id"] for one in json.loads(out)["phrases"]] == ["rate-visit"]


def test_hears_a_microphone_phrase_by_phrase(tmp_path: Path) -> None:
    done = run(["--microphone", "-", "--json"], raw(make_timeline(tmp_path / "a.wav", [(3.0, "super")], 6.0)))
    (phrase,) = said(done.stdout.decode())
    assert (done.returncode, phrase["id"]) == (0, "super")
    assert phrase["time"][:2] == "20"


def test_a_card_that_is_not_there_is_said_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arecord = tmp_path / "arecord"
    arecord.write_text("#!/bin/sh\nexit 1\n")
    arecord.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    status, _, err = voice(capsys, "--microphone", "plughw:CARD=None")
    assert (status, "gives no sound; `arecord -L`" in err) == (2, True)


@pytest.mark.parametrize("words", [(), ("a.wav", "--microphone", "default")])
def test_exactly_one_source_is_needed(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = voice(capsys, *words)
    assert (status, "give a WAV file, or --microphone" in err) == (2, True)


def test_a_folder_of_heads_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = voice(capsys, "x.wav", "--heads", str(tmp_path / "nope"))
    assert (status, out, "nope: there is no such folder" in err) == (2, "", True)


def test_a_missing_file_is_named_and_no_traceback_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = voice(capsys, "/no/such.wav", "--json")
    assert (status, err.splitlines()[-1]) == (
        2,
        "/no/such.wav: cannot be read (No such file or directory); give the path of a WAV file",
    )


def test_a_head_from_elsewhere_is_heard_once_a_card_lies_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "heads" / "en"
    folder.mkdir(parents=True)
    shutil.copy(head(8), folder / "hello.tflite")
    card = 'texts = ["hello"]\nrole = "greeting"\n[hear]\nthreshold = 0.5\nlag_s = 0.2\n'
    (folder / "hello.toml").write_text(card)
    _, out, _ = voice(capsys, str(SPEECH / "super.wav"), "--json", "--heads", str(folder.parent))
    assert json.loads(out)["highest"]["hello"] > 0.9
