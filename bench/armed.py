"""False ratings with the answers armed all the time: other talk, and near phrases such as "not super".

By hand, since it needs hours of talk: `python -m bench.armed --talk DIR --near en=alan,lyubov --heads DIR`.
--talk holds recordings that soundfile reads (`python -m models.evaluate.talk` makes some); near phrases are
those of models/evaluate/near.toml, spoken by RHVoice. Prints JSON: minutes, false ratings by phrase, an exact
95 % interval of ratings in 200 minutes; of the near phrases, list by list, in how many sayings a head of top
fired (raw), top was counted (rivals), and whoever gives the second opinion agreed (confirmed; --confirm).
The microphone's own spotter decides.
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

from gateway.voice import opinion
from gateway.voice.confirm import Confirmer, Recogniser
from gateway.voice.ear import Ear
from gateway.voice.engine import FRAME, FRAME_S, RATE, WARM_UP_FRAMES, Samples
from gateway.voice.hear import known
from gateway.voice.phrases import HEADS, Phrase
from gateway.voice.spotter import RATING, Spotted
from models.evaluate.phrases import poisson
from models.training import speech
from models.training.speech import Voice

NEAR = Path(__file__).parents[1] / "models" / "evaluate" / "near.toml"
WINDOW_MIN = 200
SOUNDS = (".flac", ".wav", ".ogg", ".mp3")
LEAD, PAUSE = np.zeros(FRAME * WARM_UP_FRAMES, np.int16), np.zeros(FRAME * 13, np.int16)


def main() -> int:
    """Print what was heard where nothing was said."""
    parser = argparse.ArgumentParser(prog="python -m bench.armed", description=__doc__)
    parser.add_argument("--talk", type=Path, action="append", default=[])
    parser.add_argument("--near", action="append", default=[], metavar="LANGUAGE=VOICE,VOICE")
    parser.add_argument("--heads", type=Path, default=HEADS)
    parser.add_argument("--confirm", choices=opinion.CHOICES, default=opinion.NONE)
    options = parser.parse_args()
    phrases = list(known(options.heads).values())
    who = options.confirm
    found = {str(folder): talk(folder, phrases, opinion.recogniser(who, phrases)) for folder in options.talk}
    spoken = dict(given.split("=", 1) for given in options.near)
    with opinion.asked(who, phrases) as ears:
        near_found = {language: near(language, voices, phrases, ears) for language, voices in spoken.items()}
    print(json.dumps({"talk": found, "near": near_found}, ensure_ascii=False, indent=1))
    return 0


def talk(folder: Path, phrases: Sequence[Phrase], recogniser: Recogniser | None = None) -> dict[str, Any]:
    """Ratings in hours of talk: one stream, the recordings one after the other."""
    ear, heard, frames = Ear(phrases), Counter[str](), 0
    confirmer = Confirmer(recogniser, lambda one: heard.update([one.id])) if recogniser else None
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SOUNDS)
    for file in tqdm(files, desc=folder.name, unit="file", disable=None):
        for frame in _frames(_sound(file)):
            frames += 1
            if confirmer:
                confirmer.push((frames - 1) * FRAME, frame, frames * FRAME_S)
            for one in ear.hear(frame, frames * FRAME_S):
                if confirmer and ear.phrases[one.id].role == RATING:
                    confirmer.hold(one, ear.phrases[one.id])
                else:
                    heard[one.id] += 1
    if confirmer:
        confirmer.close()
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
        "vetoed": confirmer.vetoed if confirmer else 0,
    }


def near(
    language: str, voices: str, phrases: Sequence[Phrase], recogniser: Recogniser | None = None
) -> dict[str, Any]:
    """Near phrases that were taken for top, list by list; each voice says each of them."""
    own = [phrase for phrase in phrases if phrase.head.parent.name == language]
    judge, out = Judge(own, recogniser), {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, lists in tomllib.loads(NEAR.read_text("utf-8")).items():
            found: Counter[str] = Counter()
            for text in tqdm(lists[language], desc=f"{kind} {language}", unit="text", disable=None):
                for voice in voices.split(","):
                    found.update(judge.hear(_spoken(text, Voice("rhvoice", voice, language), Path(folder))))
            out[kind] = {name: found[name] for name in ("said", "raw", "rivals", "confirmed")}
    return out


class Judge:
    """What one saying would have counted as."""

    def __init__(self, phrases: Sequence[Phrase], recogniser: Recogniser | None = None) -> None:
        self._ear, self._recogniser = Ear(phrases), recogniser
        self._tops = [phrase for phrase in phrases if phrase.rating == "top"]

    def hear(self, sound: Samples) -> Iterator[str]:
        """ "said", and "raw", "rivals", "confirmed" as far as it was taken for top."""
        self._ear.reset()
        frames = list(_frames(np.concatenate([LEAD, sound, PAUSE])))
        heard: list[Spotted] = []
        raw = False
        for number, frame in enumerate(frames, 1):
            heard += self._ear.hear(frame, number * FRAME_S)
            raw |= any(self._ear.scores.get(top.id, 0.0) >= top.threshold for top in self._tops)
        heard += self._ear.flush()
        yield "said"
        yield from ["raw"] * raw
        tops = [one for one in heard if self._ear.phrases[one.id].rating == "top"]
        if tops:
            yield "rivals"
        if opinion.confirmed(
            tops, list(self._ear.phrases.values()), np.concatenate(frames), 0.0, self._recogniser
        )[0]:
            yield "confirmed"


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
