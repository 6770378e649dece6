"""Trains the phrase heads that ship: `python -m models.training.phrases --data FOLDER [--only ID,…]`.

FOLDER holds librispeech_train.zip and commonvoice_other_languages.zip; Debian's asterisk prompts are used
too where they are installed. Of all real speech the last third in name order is kept out, for tests. Seeded,
CPU only; about two minutes a head. What was made before is not made again (--cache); nothing of it is needed
at run time. The figures of a card come from check.py, on voices that had no part in this.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.training import calibrate, cards, clips, heads, learn, recordings, speech, texts
from models.training.calibrate import Calibrated
from models.training.clips import Bag, Size, Studio
from models.training.heads import Weights
from models.training.texts import Wanted

SEED = 20261122
HEADS = Path(__file__).parents[1] / "tflite"
CACHE = Path.home() / ".cache" / "emobox" / "phrases"
ARCHIVES = {
    "librispeech_train.zip": ("en", "read English, LibriSpeech, CC BY 4.0"),
    "commonvoice_other_languages.zip": ("other", "Common Voice cs, pl, de, tt, CC0"),
}
PROMPTS = {
    Path("/usr/share/asterisk/sounds/en"): ("en", "Debian asterisk-core-sounds-en-wav 1.6.1, CC BY-SA 3.0"),
    Path("/usr/share/asterisk/sounds/ru"): ("ru", "Debian asterisk-core-sounds-ru-wav 1.6.1, CC BY-SA 3.0"),
}
TRAINED_SHARE = 2 / 3
"""Of the recordings in name order; Russian prompts: half."""
SHORTEST_S = 0.2
EACH = replace(clips.FULL, rhvoice=54, flite=48, espeak=90, own_near=60, scraps=0, scenes=5, noise=1.0)
PRAISE_NEAR = 160
SHIPPED_MOST, PRAISE_MOST = (0.7, 0.06), (0.7, 0.02)
"""False accepts per hour of single members, and share of near misses that pass."""
EASED_ANSWER, EASED = 0.3, 0.4
"""Of a phrase's threshold: what passes too much is heard phone by phone (phones.py)."""
FAMILY = {"en": EACH, "ru": replace(EACH, near=2, negated=6)}
"""Less than for a single phrase of a shop: the other phrases are near misses, too."""


@dataclass(frozen=True)
class Made:
    """A head and what is known of it before any test."""

    wanted: Wanted
    head: Weights
    calibrated: Calibrated
    hours: Mapping[str, float]


def make(
    wanted: Wanted,
    bags: Sequence[Bag],
    size: Size,
    most: tuple[float, float] = calibrate.MOST,
    seed: int = SEED,
) -> Made:
    """Train and calibrate on finished bags; progress on stderr. `most`: see calibrate.calibrate."""
    windows = learn.windows_of(wanted.id, wanted.texts, bags)
    rng = np.random.default_rng([SEED, *wanted.id.encode()])
    head, members = learn.train_head(wanted.id, windows, size, rng)
    hours: dict[str, float] = {}
    for bag in bags:
        hours[bag.kind] = hours.get(bag.kind, 0.0) + bag.hours
    return Made(wanted, head, calibrate.calibrate(head, members, windows, most), hours)


def save(made: Made, studio: Studio, out: Path, data: Mapping[str, tuple[str, str]]) -> Path:
    """Head and card under `out`/<language>; returns the card's path."""
    card = out / made.wanted.language / f"{made.wanted.id}.toml"
    card.parent.mkdir(parents=True, exist_ok=True)
    heads.write(made.head, card.with_suffix(".tflite"), made.wanted.id)
    cards.write(card, made.wanted, made.calibrated, made.hours, cards.Made(studio.seed, studio.voices, data))
    return card


def main(arguments: Sequence[str] | None = None) -> int:
    """Train every head that has no card of this recipe yet."""
    options = _options(arguments)
    try:
        made, todo = studios(options.cache), _todo(options.only)
        for wanted in todo:
            studio = for_role(made[wanted.language], wanted)
            clips.positives(studio, wanted, clips.some_talk(studio, wanted.language))
        for wanted in todo:
            _train(wanted, made, options)
    except (speech.SpeechError, recordings.RecordingError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def studios(cache: Path) -> dict[str, Studio]:
    """Where the sets of each language are made. Raises SpeechError."""
    return {name: Studio(speech.installed(name), cache, size, SEED) for name, size in FAMILY.items()}


def _todo(only: str) -> list[Wanted]:
    every = {**texts.family("en"), **texts.family("ru")}
    return [every[name] for name in (only.split(",") if only else every)]


def _train(wanted: Wanted, studios: Mapping[str, Studio], options: argparse.Namespace) -> None:
    studio = for_role(studios[wanted.language], wanted)
    talk = clips.some_talk(studio, wanted.language)
    bags = [clips.positives(studio, wanted, talk), clips.near(studio, wanted, talk)]
    bags += clips.listed_near(studio, wanted, talk)
    for language, other in studios.items():
        shared = clips.shared(other, language)
        bags += shared if language == wanted.language else shared[:1]
    bags += _others(wanted, studios) + real_speech(studio, options.data)
    most = PRAISE_MOST if wanted.rating == "top" else SHIPPED_MOST
    made = make(wanted, bags, studio.size, most)
    save(replace(made, calibrated=eased(made)), studio, options.out, hashes(places(options.data)))


def eased(made: Made) -> Calibrated:
    """The threshold that a shipped head gets."""
    share = EASED_ANSWER if made.wanted.rating else EASED
    return replace(made.calibrated, threshold=round(made.calibrated.threshold * share, 3))


def for_role(studio: Studio, wanted: Wanted) -> Studio:
    """Asks and ratings get the full size, events half of it; praise, the dearest mistake, most neighbours."""
    size = FAMILY[wanted.language]
    if wanted.rating == "top":
        size = replace(size, own_near=PRAISE_NEAR)
    if wanted.role not in ("ask", "rating"):
        size = replace(size, rhvoice=30, flite=24, espeak=60, own_near=30)
    return replace(studio, size=size)


def _others(wanted: Wanted, studios: Mapping[str, Studio]) -> list[Bag]:
    """The other phrases of both languages as far as they are made."""
    family = [other for language in studios for other in texts.family(language).values()]
    others = [other for other in family if other.id != wanted.id]
    found = [clips.made_before(for_role(studios[other.language], other), other) for other in others]
    return [bag for bag in found if bag]


def real_speech(studio: Studio, data: Path | None) -> list[Bag]:
    """Real people: what is installed, and the archives in `data`."""
    found = places(data)

    def build(rng: np.random.Generator) -> Iterator[Bag]:
        for place, (language, _) in found.items():
            sounds = [s for _, s in recordings.read(place, trained(place)) if len(s) > SHORTEST_S * 16_000]
            yield clips.streams("real", language, sounds, studio, rng)

    same = replace(studio, voices=())
    return clips.kept(same, "real", sorted(map(str, found)), build) if found else []


def trained(place: Path) -> list[str]:
    """The recordings of `place` that training may use."""
    names = recordings.names(place)
    share = 1 / 2 if place.name == "ru" else TRAINED_SHARE
    return names[: int(len(names) * share)]


def places(data: Path | None) -> dict[Path, tuple[str, str]]:
    """Language and terms of the real speech that is there: archives in `data`, and what is installed."""
    found = {data / name: about for name, about in ARCHIVES.items()} if data else {}
    return found | {place: about for place, about in PROMPTS.items() if place.is_dir()}


def hashes(found: Mapping[Path, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """sha256 and terms of the recordings that were used; a folder's is over its files in name order."""
    out = {}
    for place, (_, terms) in found.items():
        digest = hashlib.sha256()
        for file in [place] if place.is_file() else [place / name for name in trained(place)]:
            digest.update(file.read_bytes())
        out[place.name if place.is_file() else str(place)] = (digest.hexdigest(), terms)
    return out


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.phrases", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with the archives of real speech")
    parser.add_argument("--only", default="", help="ids, with commas between; default: all")
    parser.add_argument("--cache", type=Path, default=CACHE, help="what is kept between runs")
    parser.add_argument("--out", type=Path, default=HEADS, help="heads and cards go to OUT/<language>")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
