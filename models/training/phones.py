"""Trains the networks that hear phone by phone what was said: `python -m models.training.phones`.

One network a language, asked when a head has spotted a phrase (gateway/voice/phones.py). It learns from
eighteen hours of synthetic speech whose words are known (utterances.py), some four of sentences around
answers (surroundings.py), and telephone prompts where they are installed (prompts.py); no label of a phrase
is needed. Seeded, CPU only: about three hours a language, half of it speaking. A run that was cut goes on.
Needs more packages: models/training/requirements.txt.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from gateway.voice.check import WHOLE
from gateway.voice.phones import PAUSE, Limits
from models.training import (
    cards,
    carriers,
    clips,
    extra,
    phrases,
    prompts,
    speech,
    surroundings,
    texts,
    utterances,
)
from models.training.clips import Bag, Rows, Studio
from models.training.spelling import spell
from models.training.surroundings import TURNED
from models.training.texts import Wanted

EPOCHS = 24
VERSION = 4
"""Part of the name of what is kept between runs: raise it when data or method change."""
RARE = 40
"""A phone that is said less often is left out."""
TOP = -2.0
"""Of praise, whatever its length. All limits were chosen on voices that trained nothing."""
BELOW_TOP = -0.8, -0.95
"""Of other answers, at once and later, for each phone."""
OTHER = -2.0
"""Of asks and events, for each phone that is surely heard."""
CLEAR_ANSWER, CLEAR = 1.5, 1.2
"""Of the lead over anagrams, of answers and of all others, for each phone that is surely heard."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the networks of the languages given; 2 when something is missing."""
    options = _options(arguments)
    if complaint := extra.complaint():
        print(complaint, file=sys.stderr)
        return 2
    try:
        for language in options.languages.split(","):
            _train(language, options)
    except speech.SpeechError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _train(language: str, options: argparse.Namespace) -> None:
    from models.training import phones_net

    studio = phrases.studios(options.cache)[language]
    spoken = list(examples(bags(studio, language), language))
    symbols = symbols_of(phones for _, phones in spoken)
    places = {symbol: place for place, symbol in enumerate(symbols)}
    known = [(heard, [places[phone] for phone in phones if phone in places]) for heard, phones in spoken]
    kept = options.cache / f"phones-{language}-v{VERSION}-{EPOCHS}-{len(known)}.pt"
    net = phones_net.fit(known, len(symbols), EPOCHS, phrases.SEED, kept)
    network = options.out / f"phones-{language}.tflite"
    network.parent.mkdir(parents=True, exist_ok=True)
    phones_net.export(net, network)
    data = phrases.hashes(prompts.places(language))
    made = cards.Made(phrases.SEED, studio.voices, data, "speech and its words")
    before, after, said = spelt(language, symbols)
    cards.write_phones(network.with_suffix(".toml"), symbols, before, after, polite(language), said, made)


def bags(studio: Studio, language: str) -> list[Bag]:
    """All that the network of `language` learns from."""
    talk = clips.some_talk(studio, language)
    found = utterances.bags(studio, language) + prompts.bags(studio, language)
    for wanted in texts.family(language).values():
        if wanted.rating:
            own = surroundings.bags(studio, wanted, talk)
            found += [bag for bag in own if bag.kind == TURNED]
    return found


def examples(found: Sequence[Bag], language: str) -> Iterator[tuple[list[Rows], list[str]]]:
    """Embeddings of each stream or clip and its phones; bags that say the same are the same streams again.

    Sentences within which a near-phrase is said that outcomes are measured with are left out.
    """
    alike: dict[tuple[str, ...], list[Bag]] = {}
    for bag in found:
        alike.setdefault((bag.kind, *bag.texts), []).append(bag)
    for same in alike.values():
        streams = [np.split(bag.rows, bag.starts[1:]) for bag in same]
        for said, *heard in zip(same[0].texts, *streams, strict=True):
            text = f"{PAUSE} {said} {PAUSE}" if same[0].kind == TURNED else said
            if not texts.is_held_out(said, language):
                yield heard, spell(text, language)


def symbols_of(said: Iterable[list[str]]) -> list[str]:
    """The blank, and every phone (and the pause) that is said often enough."""
    counts = Counter(phone for phones in said for phone in phones)
    return ["_", *sorted(phone for phone, count in counts.items() if count >= RARE)]


Spelt = list[str]


def spelt(language: str, symbols: Sequence[str]) -> tuple[Spelt, Spelt, dict[str, tuple[Spelt, Limits]]]:
    """Polite words before and after, and of each phrase its wordings and limits."""
    polite = carriers.table(language)["polite"]
    before, after = [[_word(text, language, symbols) for text in polite[end]] for end in ("before", "after")]
    family = texts.family(language)
    said = {name: [_word(text, language, symbols) for text in one.texts] for name, one in family.items()}
    phrases = {
        name: ([*words, *_without_pauses(words)], limits(family[name], words)) for name, words in said.items()
    }
    return before, after, phrases


def polite(language: str) -> list[str]:
    """Words that may stand beside an answer, each once."""
    table = carriers.table(language)["polite"]
    return list(dict.fromkeys([*table["before"], *table["after"]]))


def _without_pauses(words: Sequence[str]) -> Spelt:
    """Those that have a pause, in one breath."""
    return [word.replace(f" {PAUSE} ", " ") for word in words if PAUSE in word]


def limits(wanted: Wanted, words: Sequence[str]) -> Limits:
    """What lets a phrase pass; `words` are its wordings, phones with spaces between."""
    count = min(len(word.replace(PAUSE, "").split()) for word in words)
    if wanted.rating == "top":
        at_once = later = TOP
    elif wanted.rating:
        at_once, later = (round(each * count, 2) for each in BELOW_TOP)
    else:
        at_once = later = OTHER * min(count, WHOLE)
    clear = CLEAR_ANSWER if wanted.rating else CLEAR
    return Limits(at_once, later, round(clear * min(count, WHOLE), 2))


def _word(text: str, language: str, symbols: Sequence[str]) -> str:
    return " ".join(phone for phone in spell(text, language) if phone in symbols)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.phones", description=__doc__)
    parser.add_argument("--languages", default="en,ru", help="with commas between; default: en,ru")
    parser.add_argument("--cache", type=Path, default=phrases.CACHE, help="what is kept between runs")
    parser.add_argument("--out", type=Path, default=phrases.HEADS, help="networks and cards go here")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
