"""Trains the check of a phrase's surroundings: `python -m models.training.context --data FOLDER`.

One network a language, asked when a phrase has been spotted: the last 32 embeddings in, a score out for each
phrase that ships. Answers and all others are learnt apart and put side by side. It learns windows where a
head is near its threshold: phrases alone or among polite words, against sentences that hold an answer and say
something else (carriers.py), near misses and talk; those of asks and events also hear words without an order.
Data and cache are those of phrases.py, whose heads have to be there. Half an hour a language, most of it
speaking.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gateway.voice.context import Limits
from gateway.voice.phrases import CardError, Phrase, catalogue
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
from models.training.heads import Weights
from models.training.texts import Wanted

BELOW_TOP = {"middle": Limits(0.3, 0.3), "low": Limits(0.4, 0.35)}
LIMITS = {
    "en": {"top": Limits(0.5, 0.3), **BELOW_TOP},
    "ru": {"top": Limits(0.4, 0.2), **BELOW_TOP},
}
"""By language and rating; chosen on voices and sentences that trained nothing, not those of the figures."""
CHECKED = {"cant-find-person", "how-much", "waiting-ages"}
CHECKED |= {"cant-find-person-ru", "no-thank-you-ru", "rate-visit-ru", "special-offer-ru"}
OTHERS = Limits(0.1, 0.1)
"""Of the asks and events that gain by a check; other ones lose more right than wrong ones."""
ANSWER_UNITS, OTHER_UNITS = 96, 64


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
    heard = bags(studios, language, options.data)
    more = surroundings.jumbled(studios[language], language)
    answers, others = split(language)
    known = catalogue(options.heads)
    parts = (
        _learnt(answers, heard, known, ANSWER_UNITS),
        _learnt(others, [*heard, *more], known, OTHER_UNITS),
    )
    network = options.out / f"context-{language}.tflite"
    network.parent.mkdir(parents=True, exist_ok=True)
    heads.write(heads.side_by_side(parts), network, network.stem)
    made = cards.Made(phrases.SEED, studios[language].voices, phrases.hashes(options.data))
    outputs = [one.id for one in (*answers, *others)]
    cards.write_context(network.with_suffix(".toml"), outputs, limits(answers, others), made)


def split(language: str) -> tuple[list[Wanted], list[Wanted]]:
    """The phrases that ship: answers, and all others."""
    every = texts.family(language).values()
    return [one for one in every if one.rating], [one for one in every if not one.rating]


def limits(answers: Sequence[Wanted], others: Sequence[Wanted]) -> dict[str, Limits]:
    """What lets each phrase pass that is checked: all answers, and some others."""
    rated = {one.id: LIMITS[one.language][one.rating] for one in answers}
    return rated | {one.id: OTHERS for one in others if one.id in CHECKED}


def _learnt(
    wanted: Sequence[Wanted], heard: Sequence[Bag], known: Mapping[str, Phrase], units: int
) -> Weights:
    windows = context_learn.windows_of(heard, wanted, known)
    rng = np.random.default_rng([phrases.SEED, *wanted[0].language.encode()])
    return context_learn.train(windows, (units, len(wanted)), rng)


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
