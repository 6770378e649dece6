"""Trains the networks that hear phone by phone what was said: `python -m models.training.phones`.

One network a language, asked when a head has spotted a phrase (gateway/voice/phones.py). It learns from ten
hours of synthetic speech whose words are known (utterances.py) and from the sentences around answers
(surroundings.py); no label of a phrase is needed. Seeded, CPU only: about an hour a language, half of it
speaking. A run that was cut goes on. Needs more packages: models/training/requirements.txt.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gateway.voice.phones import PAUSE, Limits
from models.training import cards, carriers, clips, phrases, speech, surroundings, texts, utterances
from models.training.clips import Bag, Studio
from models.training.spelling import spell
from models.training.texts import Wanted

EPOCHS = 24
RARE = 40
"""A phone that is said less often is left out."""
TURNED = "turned"
BELOW_TOP, ASK = Limits(-11.0, -13.0), Limits(-50.0, -50.0)
TOP = {"en": Limits(-3.0, -4.0), "ru": Limits(-4.0, -5.0)}
OTHER = {"en": Limits(-42.0, -42.0), "ru": Limits(-38.0, -38.0)}
"""What lets a phrase pass; chosen on voices that trained nothing, not those of the figures."""
EXTRA = ("torch", "litert_torch", "ai_edge_quantizer")
HOW = "pip install -r models/training/requirements.txt && pip install -e .   (in a venv of its own)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the networks of the languages given; 2 when something is missing."""
    options = _options(arguments)
    if missing := [name for name in EXTRA if find_spec(name) is None]:
        print(f"{', '.join(missing)} not installed; run: {HOW}", file=sys.stderr)
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
    known = [(rows, [places[phone] for phone in phones if phone in places]) for rows, phones in spoken]
    kept = options.cache / f"phones-{language}.pt"
    net = phones_net.fit(known, len(symbols), EPOCHS, phrases.SEED, kept)
    network = options.out / f"phones-{language}.tflite"
    network.parent.mkdir(parents=True, exist_ok=True)
    phones_net.export(net, network)
    made = cards.Made(phrases.SEED, studio.voices, {})
    cards.write_phones(network.with_suffix(".toml"), symbols, *spelt(language, symbols), made)


def bags(studio: Studio, language: str) -> list[Bag]:
    """All that the network of `language` learns from."""
    talk = clips.some_talk(studio, language)
    found = utterances.bags(studio, language)
    for wanted in texts.family(language).values():
        if wanted.rating:
            own = surroundings.bags(studio, wanted, talk)
            found += [bag for bag in own if bag.kind == TURNED]
    return found


def examples(found: Sequence[Bag], language: str) -> Iterator[tuple[np.ndarray, list[str]]]:
    """Embeddings and phones of each stream or clip."""
    for bag in found:
        for rows, said in zip(np.split(bag.rows, bag.starts[1:]), bag.texts, strict=True):
            text = f"{PAUSE} {said} {PAUSE}" if bag.kind == TURNED else said
            yield rows, spell(text, language)


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
        name: ([*words, *_without_pauses(words)], limits(family[name])) for name, words in said.items()
    }
    return before, after, phrases


def _without_pauses(words: Sequence[str]) -> Spelt:
    """Those that have a pause, in one breath."""
    return [word.replace(f" {PAUSE} ", " ") for word in words if PAUSE in word]


def limits(wanted: Wanted) -> Limits:
    """What lets a phrase pass."""
    if wanted.rating:
        return TOP[wanted.language] if wanted.rating == "top" else BELOW_TOP
    return ASK if wanted.role == "ask" else OTHER[wanted.language]


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
