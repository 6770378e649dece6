"""Trains the check of praise's surroundings: `python -m models.training.context --data FOLDER`.

One network a language, asked when praise has been heard: the last 32 embeddings in, a score out for each
answer. It learns windows where a head is near its threshold: answers alone or among polite words, against
sentences that hold an answer and say something else (carriers.py), near misses, other phrases and talk.
Data and cache are those of phrases.py, whose heads have to be there. Half an hour a language, most of it
speaking.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gateway.voice.phrases import CardError, catalogue
from models.training import (
    cards,
    clips,
    context_learn,
    heads,
    phrases,
    recordings,
    speech,
    surroundings,
    texts,
)
from models.training.clips import Bag, Studio
from models.training.texts import Wanted

PRAISE = 0.2
"""The least score that lets praise pass; chosen on voices and sentences that trained nothing."""
UNITS = 96


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the checks of the languages given."""
    options = _options(arguments)
    try:
        for language in options.languages.split(","):
            _train(language, options)
    except (speech.SpeechError, recordings.RecordingError, CardError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _train(language: str, options: argparse.Namespace) -> None:
    studios = phrases.studios(options.cache)
    answers = [one for one in texts.family(language).values() if one.rating]
    windows = context_learn.windows_of(
        bags(studios, language, options.data), answers, catalogue(options.heads)
    )
    rng = np.random.default_rng([phrases.SEED, *language.encode()])
    network = options.out / f"context-{language}.tflite"
    network.parent.mkdir(parents=True, exist_ok=True)
    heads.write(context_learn.train(windows, (UNITS, len(answers)), rng), network, network.stem)
    made = cards.Made(phrases.SEED, studios[language].voices, phrases.hashes(phrases.places(options.data)))
    limits = {one.id: PRAISE for one in answers if one.rating == "top"}
    cards.write_context(network.with_suffix(".toml"), [one.id for one in answers], limits, made)


def bags(studios: dict[str, Studio], language: str, data: Path | None) -> list[Bag]:
    """All that the check of `language` learns from."""
    studio = studios[language]
    talk = clips.some_talk(studio, language)
    found = [bag for one in texts.family(language).values() for bag in _of_phrase(studio, one, talk)]
    for name, other in studios.items():
        shared = clips.shared(other, name)
        found += shared if name == language else shared[:1]
    return found + phrases.real_speech(studio, data)


def _of_phrase(studio: Studio, wanted: Wanted, talk: Sequence[speech.Sound]) -> list[Bag]:
    own = phrases.for_role(studio, wanted)
    found = [clips.positives(own, wanted, talk), *clips.listed_near(own, wanted, talk)]
    if wanted.rating:
        found += [clips.near(own, wanted, talk), *surroundings.bags(studio, wanted, talk)]
    return found


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.context", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with the archives of real speech")
    parser.add_argument("--languages", default="en,ru", help="with commas between; default: en,ru")
    parser.add_argument("--cache", type=Path, default=phrases.CACHE, help="what is kept between runs")
    parser.add_argument(
        "--heads", type=Path, default=phrases.HEADS, help="folder with <language>/<id>.tflite"
    )
    parser.add_argument("--out", type=Path, default=phrases.HEADS, help="networks and cards go here")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
