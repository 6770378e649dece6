"""Tests the shipped heads on voices and talk that trained nothing: `python -m models.training.check`.

Speaks every phrase with the RHVoice voices given (not those of speech.py), clean and at 10 dB of noise in a
room, and plays hours of talk: fortunes read by those voices, and any recordings. Results go into the cards.
Use it once, after everything is chosen: what has been tested on may not be tuned on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile  # type: ignore[import-untyped]
from tqdm import tqdm

from gateway.indices.intervals import wilson
from gateway.voice.engine import RATE
from gateway.voice.phrases import HEADS, Phrase, catalogue
from models.evaluate.phrases import Condition, Label, evaluate
from models.training import cards, speech, texts
from models.training.speech import Sound, Voice

SEED = 77
SAYINGS = 32
"""Of each phrase, spread over the voices, at other paces and pitches."""
LEAD_S = 0.5
CONDITIONS = {"clean": Condition(), "noise_10db_reverb": Condition(10.0, reverb=True)}
TALK = ("false_accepts_per_hour", "false_accepts_per_hour_interval", "false_accepts", "hours")
Report = dict[str, dict[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Speak, evaluate, write the cards."""
    options = _options(arguments)
    known = catalogue(options.heads).values()
    phrases = [phrase for phrase in known if phrase.head.parent.name == options.language]
    voices = [Voice("rhvoice", name, options.language) for name in options.voices.split(",")]
    labels = {voice.name: list(_speak(phrases, voice, len(voices), options)) for voice in voices}
    tables: dict[str, Report] = {}
    for name, condition in CONDITIONS.items():
        tables[name] = _recalls(options.work / "said", labels, phrases, condition)
    for place in options.talk:
        language, folder = place.split("=", 1)
        report = evaluate(Path(folder), [], phrases, Condition())["phrases"]
        tables[f"talk_{language}"] = {
            key: {field: found[field] for field in TALK} for key, found in report.items()
        }
    for phrase in phrases:
        found = {name: table[phrase.id] for name, table in tables.items()}
        cards.measured(phrase.head.with_suffix(".toml"), found)
        print(phrase.id, phrase.threshold, found, flush=True)
    return 0


def _recalls(
    place: Path, labels: Mapping[str, Sequence[Label]], phrases: Sequence[Phrase], condition: Condition
) -> Report:
    """Recall of each phrase over all voices, and by voice; all heads of the language compete."""
    reports = {
        voice: evaluate(place / voice, said, phrases, condition)["phrases"] for voice, said in labels.items()
    }
    return {
        phrase.id: _recall({voice: found[phrase.id] for voice, found in reports.items()})
        for phrase in phrases
    }


def _recall(by_voice: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    hits, n = (sum(found[key] for found in by_voice.values()) for key in ("hits", "n"))
    low, high = wilson(hits, n)
    voices = {f"recall_{name}": found["recall"] for name, found in by_voice.items()}
    return {"recall": round(hits / n, 4), "recall_interval": [round(low, 4), round(high, 4)], "n": n} | voices


def _speak(
    phrases: Sequence[Phrase], voice: Voice, voices: int, options: argparse.Namespace
) -> Iterator[Label]:
    """A file and a label for each saying; files that are there already stay."""
    family = texts.family(options.language)
    for phrase in tqdm(phrases, desc=f"{voice.name}: speak", unit="phrase"):
        wordings = family[phrase.id].texts
        rng = np.random.default_rng([SEED, *voice.name.encode(), *phrase.id.encode()])
        for number in range(SAYINGS // voices):
            what = speech.saying(wordings[number % len(wordings)], voice, rng)
            name = f"{phrase.id}-{number}.flac"
            said = speech.say(what, options.work / "speech")
            yield Label(name, LEAD_S, _write(options.work / "said" / voice.name / name, said), phrase.id)


def _write(file: Path, sound: Sound) -> float:
    """A recording with half a second around; when its phrase ends, s."""
    pause = np.zeros(int(LEAD_S * RATE), np.float32)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        loud = 0.4 * sound / max(1e-6, float(np.abs(sound).max()))
        soundfile.write(file, np.concatenate([pause, loud, pause]), RATE)
    return LEAD_S + len(sound) / RATE


def talk(arguments: Sequence[str] | None = None) -> int:
    """Hours of fortunes read by voices that trained nothing, as FLAC files of one text each."""
    options = _options(arguments)
    rng = np.random.default_rng(SEED)
    voices = [Voice("rhvoice", name, options.language) for name in options.voices.split(",")]
    seconds = 0.0
    with tqdm(total=options.hours, unit="h") as bar:
        for number, text in enumerate(texts.fortunes(options.language, 100_000, rng)):
            if seconds > options.hours * 3600:
                break
            said = speech.speak(speech.saying(text, voices[number % len(voices)], rng))
            _write(options.work / f"talk-{options.language}" / f"{number:05}.flac", said)
            seconds += len(said) / RATE
            bar.update(len(said) / RATE / 3600)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.check", description=__doc__)
    parser.add_argument("--language", required=True, choices=["en", "ru"])
    parser.add_argument("--voices", required=True, help="RHVoice voices with commas between")
    parser.add_argument(
        "--talk", action="append", default=[], metavar="LANGUAGE=DIR", help="recordings of other talk"
    )
    parser.add_argument("--make-talk", action="store_true", help="only read fortunes into WORK/talk-LANGUAGE")
    parser.add_argument("--hours", type=float, default=3.0, help="of --make-talk (default: 3)")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is spoken")
    parser.add_argument("--heads", type=Path, default=HEADS, help="folder with <language>/<id>.tflite")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(talk() if "--make-talk" in sys.argv else main())
