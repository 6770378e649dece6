"""Hours of other talk to measure false accepts on: `python -m models.evaluate.talk --language ru --out DIR`.

Installed voices read paragraphs of Debian's fortunes (`sudo apt install fortunes fortunes-ru`): one FLAC a
paragraph, and talk.csv with voice and text of each. For English these are books that training never reads;
--not drops paragraphs that share a sentence with a text of FILE (Russian has one book for both). Seeded; what
lies there already stays, so a longer run goes on where a shorter one ended.
"""

from __future__ import annotations

import argparse
import csv
import re
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.random import Generator
from tqdm import tqdm

from gateway.voice.engine import RATE
from models.training import speech, texts
from models.training.speech import Sound, Voice

SEED = 20261130
PICO = "pico"
LETTERS = (60, 420)
"""Of a paragraph."""
PAUSE_S = (0.2, 1.5)
"""Silence after it."""
LOUD = (0.05, 0.5)
"""Its highest sample."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Read until there is enough; 2 when nothing can be read."""
    options = _parser().parse_args(arguments)
    try:
        names = [name for name in options.voices.split(",") if name]
        voices = [speech.named(name, options.language, [PICO]) for name in names]
        found = paragraphs(options.language, _lines(options.leave_out))
        read(found, voices or speech.installed(options.language), options.hours, options.out)
    except (speech.SpeechError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def paragraphs(language: str, leave_out: Sequence[str] = ()) -> list[str]:
    """Texts of the fortunes, in an order of chance. Raises SpeechError where none is installed."""
    used = {sentence for text in leave_out for sentence in _sentences(text)}
    found = {text for file in _books(language) for text in _paragraphs(file, language)}
    fresh = sorted(text for text in found if not used & set(_sentences(text)))
    if not fresh:
        raise speech.SpeechError("no fortunes here; run `sudo apt install fortunes fortunes-ru`")
    order = np.random.default_rng(SEED).permutation(len(fresh))
    return [fresh[int(place)] for place in order]


def read(found: Sequence[str], voices: Sequence[Voice], hours: float, out: Path) -> None:
    """`hours` of `found` by `voices` in turn, as files in `out`; what a voice cannot say is left out."""
    out.mkdir(parents=True, exist_ok=True)
    seconds, rows = 0.0, []
    with tqdm(total=round(hours, 2), unit="h", desc=out.name) as bar:
        for number, text in enumerate(found):
            if seconds >= hours * 3600:
                break
            voice, file = voices[number % len(voices)], out / f"{number:05}.flac"
            if file.exists() or _make(file, text, voice, np.random.default_rng([SEED, number])):
                rows.append((file.name, voice.speaker, text))
                seconds += (length := soundfile.info(file).duration)
                bar.update(length / 3600)
    _write_rows(out / "talk.csv", rows)


def _make(file: Path, text: str, voice: Voice, rng: Generator) -> bool:
    """Speak `text` into `file`; whether there is anything to hear."""
    try:
        said = speech.trim(_speak(text, voice, rng))
    except (speech.SpeechError, subprocess.TimeoutExpired, EOFError, wave.Error):  # festival: an empty file
        return False
    if len(said) < RATE:
        return False
    loud = said * (np.exp(rng.uniform(*np.log(LOUD))) / max(1e-6, float(np.abs(said).max())))
    part = file.with_suffix(".part")
    soundfile.write(
        part, np.pad(loud, (0, int(rng.uniform(*PAUSE_S) * RATE))), RATE, format="FLAC", subtype="PCM_16"
    )
    part.replace(file)
    return True


def _speak(text: str, voice: Voice, rng: Generator) -> Sound:
    if voice.program == PICO:
        return _pico(text, voice.name)
    return speech.speak(speech.saying(text, voice, rng))


def _pico(text: str, name: str) -> Sound:
    """SVOX pico, which trains nothing; no pace, no pitch. Raises SpeechError."""
    with tempfile.TemporaryDirectory(prefix="emobox-say-") as folder:
        out = Path(folder) / "out.wav"
        done = subprocess.run(["pico2wave", "-l", name, "-w", out, text], capture_output=True, timeout=120)
        if done.returncode or not out.exists():
            raise speech.SpeechError(f"pico {name} failed: {done.stderr.decode(errors='replace')[-200:]}")
        return speech.read_sound(out.read_bytes())


def _books(language: str) -> Iterator[Path]:
    """Files of fortunes: for English those that training does not read."""
    places = texts.FORTUNE_FOLDER.iterdir() if texts.FORTUNE_FOLDER.is_dir() else iter(())
    if language == "ru":
        places = (texts.FORTUNE_FOLDER / name for name in texts.FORTUNES["ru"])
    for place in sorted(places):
        if language == "ru" or (place.is_file() and place.name not in texts.FORTUNES[language]):
            files = sorted(place.rglob("*")) if place.is_dir() else [place]
            yield from (
                file for file in files if file.is_file() and not file.suffix.startswith((".dat", ".u8"))
            )


def _paragraphs(file: Path, language: str) -> Iterator[str]:
    alphabet = texts.ALPHABETS[language]
    for fortune in re.split(r"\n%\n", file.read_text("utf-8", errors="ignore")):
        text = " ".join(re.sub(rf"[^{alphabet},.!?' -]", " ", fortune).split())
        letters = len(re.findall(rf"[{alphabet}]", text))
        if LETTERS[0] <= len(text) <= LETTERS[1] and letters > 0.75 * len(text):
            yield text


def _sentences(text: str) -> list[str]:
    """Its sentences of three words and more, as plain words."""
    plain = (texts.plain(part) for part in re.split(r"(?<=[.!?])\s+", text))
    return [part for part in plain if len(part.split()) > 2]


def _lines(file: Path | None) -> list[str]:
    return file.read_text("utf-8").splitlines() if file else []


def _write_rows(file: Path, rows: Sequence[tuple[str, str, str]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([("file", "voice", "text"), *rows])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate.talk", description=__doc__)
    parser.add_argument("--language", required=True, choices=sorted(texts.FORTUNES))
    parser.add_argument(
        "--voices",
        default="",
        metavar="PROGRAM:VOICE,…",
        help="rhvoice:anna, flite:rms, espeak:en-gb+f2, pico:en-GB; default: all free ones",
    )
    parser.add_argument("--hours", type=float, default=3.4, help="default: 3.4, a little over 200 minutes")
    parser.add_argument(
        "--not", dest="leave_out", type=Path, metavar="FILE", help="texts to leave out, a line each"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the recordings")
    return parser


if __name__ == "__main__":
    sys.exit(main())
