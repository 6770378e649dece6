"""False ratings with the answers armed all the time: other talk, and near phrases such as "not super".

By hand, since it needs hours of talk: `python -m bench.armed --talk DIR --near en=alan,lyubov --heads DIR`.
--talk holds recordings that soundfile reads; near phrases are those of models/evaluate/near.toml, spoken by
RHVoice. Prints JSON: minutes, false ratings by phrase, an exact 95 % interval of ratings in 200 minutes; near
phrases by what they were taken for. The microphone's own spotter decides.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile  # type: ignore[import-untyped]
from tqdm import tqdm

from gateway.voice.ear import Ear
from gateway.voice.engine import FRAME, FRAME_S, RATE, WARM_UP_FRAMES, Samples
from gateway.voice.hear import known
from gateway.voice.phrases import HEADS, Phrase
from gateway.voice.spotter import RATING
from models.evaluate.phrases import poisson
from models.training import speech
from models.training.speech import Voice

NEAR = Path(__file__).parents[1] / "models" / "evaluate" / "near.toml"
WINDOW_MIN = 200
SOUNDS = (".flac", ".wav", ".ogg", ".mp3")
PAUSE = np.zeros(FRAME * 13, np.int16)


def main() -> int:
    """Print what was heard where nothing was said."""
    parser = argparse.ArgumentParser(prog="python -m bench.armed", description=__doc__)
    parser.add_argument("--talk", type=Path, action="append", default=[])
    parser.add_argument("--near", action="append", default=[], metavar="LANGUAGE=VOICE,VOICE")
    parser.add_argument("--heads", type=Path, default=HEADS)
    options = parser.parse_args()
    phrases = list(known(options.heads).values())
    found = {str(folder): talk(folder, phrases) for folder in options.talk}
    spoken = dict(given.split("=", 1) for given in options.near)
    near_found = {language: near(language, voices, phrases) for language, voices in spoken.items()}
    print(json.dumps({"talk": found, "near": near_found}, ensure_ascii=False, indent=1))
    return 0


def talk(folder: Path, phrases: Sequence[Phrase]) -> dict[str, Any]:
    """Ratings in hours of talk: one stream, the recordings one after the other."""
    ear, heard, frames = Ear(phrases), Counter[str](), 0
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SOUNDS)
    for file in tqdm(files, desc=folder.name, unit="file", disable=None):
        for frame in _frames(_sound(file)):
            frames += 1
            heard.update(one.id for one in ear.hear(frame, frames * FRAME_S))
    ratings = {name: n for name, n in heard.items() if ear.phrases[name].role == RATING}
    minutes = frames * FRAME_S / 60
    count, windows = sum(ratings.values()), minutes / WINDOW_MIN
    return {
        "minutes": round(minutes, 1),
        "false_ratings": ratings,
        "per_200_minutes": round(count / max(windows, 1e-9), 2),
        "interval": poisson(count, windows),
        "undecided": ear.figures()["undecided"],
        "other_phrases": {name: n for name, n in heard.items() if name not in ratings},
    }


def near(language: str, voices: str, phrases: Sequence[Phrase]) -> dict[str, Any]:
    """What near phrases were taken for, by rating; each spoken by each voice."""
    texts = tomllib.loads(NEAR.read_text("utf-8"))[language]
    ear, taken, said = Ear(phrases), Counter[str](), 0
    examples: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for text in tqdm(texts, desc=f"near {language}", unit="text", disable=None):
            for voice in voices.split(","):
                sound = _spoken(text, Voice("rhvoice", voice, language), Path(folder))
                ratings = _ratings(ear, sound)
                said += 1
                taken.update(ratings or ["nothing"])
                examples += [f"{voice}: {text}"] * ("top" in ratings)
    return {"texts": len(texts), "said": said, "taken_for": dict(taken), "as_top": examples}


def _ratings(ear: Ear, sound: Samples) -> list[str]:
    ear.reset()
    lead = np.zeros(WARM_UP_FRAMES * FRAME, np.int16)
    frames = list(_frames(np.concatenate([lead, sound, PAUSE])))
    heard = [one for n, frame in enumerate(frames) for one in ear.hear(frame, n * FRAME_S)]
    return [ear.phrases[one.id].rating for one in [*heard, *ear.flush()] if ear.phrases[one.id].rating]


def _spoken(text: str, voice: Voice, cache: Path) -> Samples:
    sound = speech.say(speech.saying(text, voice, np.random.default_rng(len(text))), cache)
    return np.asarray(13_000 * sound / max(1e-6, float(np.abs(sound).max())), np.int16)


def _sound(file: Path) -> Samples:
    sound, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return np.asarray(speech.resample(sound.mean(axis=1), rate, RATE) * 32767, np.int16)


def _frames(sound: Samples) -> Iterator[Samples]:
    """Whole frames; the rest is silence."""
    yield from np.pad(sound, (0, -len(sound) % FRAME)).reshape(-1, FRAME)


if __name__ == "__main__":
    sys.exit(main())
