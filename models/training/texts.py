"""What is said: the texts of a language, and talk without end made of its words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.random import Generator

FOLDER = Path(__file__).parent
FORTUNES = {"en": ("fortunes", "literature", "people", "wisdom", "science", "work", "food"), "ru": ("ru",)}
FORTUNE_FOLDER = Path("/usr/share/games/fortunes")
ALPHABETS = {"en": "a-zA-Z", "ru": "а-яА-ЯёЁ"}
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
    return any(plain(wording) in plain(text) for wording in wordings)


def salad(language: str, count: int, rng: Generator) -> list[str]:
    """`count` lines of 4 to 9 random words."""
    words = " ".join([*table(language)["words"]["texts"], *table(language)["talk"]["texts"]]).split()
    words = sorted({word.strip(",.") for word in words})
    return [" ".join(rng.choice(words, int(rng.integers(4, 10)))) for _ in range(count)]


def fortunes(language: str, count: int, rng: Generator) -> list[str]:
    """Up to `count` pieces of the Debian packages fortunes and fortunes-ru, where they are installed."""
    found = sorted({piece for file in _fortune_files(language) for piece in _pieces(file, language)})
    if not found:
        return []
    return [found[int(i)] for i in rng.choice(len(found), min(count, len(found)), replace=False)]


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


def near(wanted: Wanted, count: int, rng: Generator) -> list[str]:
    """Texts close to `wanted`'s: parts of it, a word changed, letters changed; none contains it."""
    vocabulary = sorted({word for line in salad(wanted.language, 120, rng) for word in line.split()})
    out: set[str] = set()
    for _ in range(8 * count):
        words = wanted.texts[int(rng.integers(len(wanted.texts)))].replace(",", "").split()
        text = _changed(words, vocabulary, rng) if rng.random() < 0.6 else _garbled(words, rng)
        if plain(text).strip() and not contains(text, wanted.texts):
            out.add(text)
        if len(out) >= count:
            break
    return sorted(out)


def _changed(words: list[str], vocabulary: Sequence[str], rng: Generator) -> str:
    """Some words gone from one end, or half of them others."""
    if len(words) > 1 and rng.random() < 0.5:
        cut = int(rng.integers(1, len(words)))
        return " ".join(words[:cut] if rng.random() < 0.5 else words[cut:])
    swaps = max(1, len(words) // 2)
    out = list(words)
    for place in rng.choice(len(words), swaps, replace=False):
        out[int(place)] = str(rng.choice(vocabulary))
    return " ".join(out)


def _garbled(words: list[str], rng: Generator) -> str:
    """Other consonants and vowels in the longest word: sounds like it, is not it."""
    longest = max(range(len(words)), key=lambda place: len(words[place]))
    letters = list(words[longest])
    kinds = ("aeiou", "bdfgklmnprstvz", "аеиоуы", "бвгдзклмнпрстф")
    known = [place for place, letter in enumerate(letters) if any(letter.lower() in k for k in kinds)]
    for place in rng.permutation(known)[: max(2, -(-len(letters) // 3))]:
        kind = next(k for k in kinds if letters[place].lower() in k)
        letters[place] = str(rng.choice([k for k in kind if k != letters[place].lower()]))
    return " ".join([*words[:longest], "".join(letters), *words[longest + 1 :]])
