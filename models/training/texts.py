"""What is said: the texts of a language, and talk without end made of its words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

FOLDER = Path(__file__).parent
FORTUNES = {"en": ("fortunes", "literature", "people", "wisdom", "science", "work", "food"), "ru": ("ru",)}
FORTUNE_FOLDER = Path("/usr/share/games/fortunes")
ALPHABETS = {"en": "a-zA-Z", "ru": "а-яА-ЯёЁ"}
NEAR = FOLDER.parent / "evaluate" / "near.toml"
PIECE = (40, 220)
"""Letters of a piece of a fortune: one or two sentences."""


@dataclass(frozen=True)
class Wanted:
    """A phrase to train: what it is for, and all wordings that shall count."""

    id: str
    language: str
    role: str
    rating: str
    texts: tuple[str, ...]
    near: tuple[str, ...] = field(default=(), repr=False)
    """Near misses of its own, said by many voices."""


def table(language: str) -> dict[str, Any]:
    """texts_<language>.toml."""
    return tomllib.loads((FOLDER / f"texts_{language}.toml").read_text("utf-8"))


def family(language: str) -> dict[str, Wanted]:
    """The phrases that ship, by id."""
    return {
        name: Wanted(
            name,
            language,
            phrase["role"],
            phrase["rating"],
            tuple(phrase["texts"]),
            tuple(phrase.get("near", ())),
        )
        for name, phrase in table(language)["phrases"].items()
    }


def plain(text: str) -> str:
    """Lower case, words only, single spaces around each: to look for one text within another."""
    words = re.findall(r"[^\W_]+", text.lower().replace("ё", "е"))
    return f" {' '.join(words)} "


def contains(text: str, wordings: Sequence[str]) -> bool:
    """One of `wordings` is said within `text`."""
    said = plain(text)
    return any(plain(wording) in said for wording in wordings)


def is_held_out(text: str, language: str) -> bool:
    """A near-phrase that outcomes are measured with is said within `text`."""
    said = plain(text)
    return any(near in said for near in held_out(language))


@cache
def held_out(language: str) -> tuple[str, ...]:
    """These near-phrases, but for parts of phrases; as `plain` writes them."""
    kinds = tomllib.loads(NEAR.read_text("utf-8"))
    lists = [lines[language] for kind, lines in kinds.items() if "fragments" not in kind]
    return tuple(plain(line) for lines in lists for line in lines)


def salad(language: str, count: int, rng: Generator) -> list[str]:
    """`count` lines of 4 to 9 random words."""
    words = " ".join([*table(language)["words"]["texts"], *table(language)["talk"]["texts"]]).split()
    words = sorted({word.strip(",.") for word in words})
    return _rows(np.array(words), count, (4, 10), rng)


def fortunes(language: str, count: int, rng: Generator) -> list[str]:
    """Up to `count` pieces of the Debian packages fortunes and fortunes-ru, where they are installed."""
    found = sorted({piece for file in _fortune_files(language) for piece in _pieces(file, language)})
    if not found:
        return []
    return [found[int(i)] for i in rng.choice(len(found), min(count, len(found)), replace=False)]


def jumble(language: str, count: int, rng: Generator) -> list[str]:
    """`count` lines of 5 to 12 words of the fortunes, common ones more often, in an order of chance."""
    pieces = [piece for file in _fortune_files(language) for piece in _pieces(file, language)]
    words = np.array(sorted(" ".join(pieces or table(language)["talk"]["texts"]).replace(",", "").split()))
    return _rows(words, count, (5, 13), rng)


def _rows(words: NDArray[np.str_], count: int, lengths: tuple[int, int], rng: Generator) -> list[str]:
    return [" ".join(rng.choice(words, int(rng.integers(*lengths)))) for _ in range(count)]


def scraps(language: str, count: int, rng: Generator) -> list[str]:
    """`count` times two to six words: out of what is told, at random, and a third the phrases that ship."""
    told = [*fortunes(language, count, rng), *table(language)["talk"]["texts"]]
    random = salad(language, count, rng)
    phrases = [text for wanted in family(language).values() for text in wanted.texts]
    kinds = (told, random, phrases)
    return [_scrap(str(rng.choice(kinds[number % 3])), number % 3 < 2, rng) for number in range(count)]


def _scrap(text: str, is_cut: bool, rng: Generator) -> str:
    """`text`, or two to six words in a row out of it."""
    words = text.replace(",", "").split()
    first = int(rng.integers(max(1, len(words) - 3)))
    return " ".join(words[first : first + int(rng.integers(2, 7))] if is_cut else words)


def _fortune_files(language: str) -> Iterator[Path]:
    for name in FORTUNES[language]:
        place = FORTUNE_FOLDER / name
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        yield from (file for file in files if file.is_file() and not file.suffix)


def _pieces(file: Path, language: str) -> Iterator[str]:
    text = file.read_text("utf-8", errors="ignore")
    for sentence in re.split(r"\n%\n|(?<=[.!?])\s+", text):
        piece = " ".join(re.sub(rf"[^{ALPHABETS[language]},.' -]", " ", sentence).split())
        letters = len(re.findall(rf"[{ALPHABETS[language]}]", piece))
        if PIECE[0] <= len(piece) <= PIECE[1] and letters > 0.75 * len(piece):
            yield piece


@cache
def vocabulary(language: str) -> tuple[str, ...]:
    """All words of the texts and of the fortunes, as `plain` writes them, in order."""
    kinds = table(language)
    said = [*kinds["words"]["texts"], *kinds["talk"]["texts"], *kinds["near"]["texts"]]
    said += [piece for file in _fortune_files(language) for piece in _pieces(file, language)]
    return tuple(sorted({word for text in said for word in plain(text).split() if len(word) > 1}))
