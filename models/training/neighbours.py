"""Texts that sound like a phrase and are not it, for any phrase: made from all words of its language."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property

from numpy.random import Generator

from models.training import texts
from models.training.carriers import pick
from models.training.texts import Wanted

CLOSE = 0.5
"""Two words are neighbours when this share of the longer one's sounds is other, at most."""
CLOSEST = 24
LONGER = 3
"""A word that goes on for so many sounds after the phrase is another; a plural is the phrase still."""
FEWEST = 8
"""Fewer words that share a beginning are asked to share less of it."""
SOUNDS = {
    "en": (
        *(("ph", "f"), ("gh", ""), ("ck", "k"), ("qu", "kw"), ("wh", "w"), ("kn", "n"), ("wr", "r")),
        *(("tion", "shn"), ("c(?=[eiy])", "s"), ("c(?!h)", "k"), ("x", "ks"), ("ee|ea|ie", "i")),
        *(("oo|ou", "u"), ("ai|ay|ei", "e"), ("y", "i"), ("(?<=..)e$", "")),
    ),
    "ru": (
        *(("[ьъ]", ""), ("ё", "о"), ("[тд]ь?ся", "ца"), ("его$", "ево"), ("ого$", "ово"), ("сч", "щ")),
        *(("э", "е"), ("ы", "и"), ("б$", "п"), ("д$", "т"), ("г$", "к"), ("з$", "с"), ("в$", "ф")),
        *(("ж$", "ш"), ("я", "а"), ("ю", "у")),
    ),
}
"""About how letters are said, in this order: enough to tell which words are alike."""

Change = Callable[["Neighbours", list[str], Generator], str]


@cache
def sound(word: str, language: str) -> str:
    """A word as it is said, roughly; doubled letters once."""
    word = word.lower()
    for letters, said in SOUNDS[language]:
        word = re.sub(letters, said, word)
    return re.sub(r"(.)\1", r"\1", word)


def distance(a: str, b: str) -> int:
    """Letters to change, add or drop to get from one to the other (Levenshtein 1966)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def near(wanted: Wanted, count: int, rng: Generator) -> list[str]:
    """`count` texts close to `wanted`'s, of each kind of change about as many; none says it."""
    made, room = Neighbours(wanted.language), [texts.plain(text).split() for text in wanted.texts]
    out: set[str] = set()
    for turn in range(12 * count):
        words = room[int(rng.integers(len(room)))]
        text = CHANGES[turn % len(CHANGES)](made, words, rng)
        if text.strip() and not says(text, wanted):
            out.add(text)
        if len(out) >= count:
            break
    return sorted(out)


def says(text: str, wanted: Wanted) -> bool:
    """Whether a listener may take `text` for the phrase: one sound is other, or some more follow."""
    said = _said(text, wanted.language)
    for wording in wanted.texts:
        _, found, after = said.partition(_said(wording, wanted.language))
        if found and len(after.split(" ")[0]) < LONGER:
            return True
        if distance(said, _said(wording, wanted.language)) <= 1:
            return True
    return texts.contains(text, wanted.texts)


def _said(text: str, language: str) -> str:
    return " ".join(sound(word, language) for word in texts.plain(text).split())


@dataclass(frozen=True)
class Neighbours:
    """The words of a language, and which of them are alike."""

    language: str
    _found: dict[str, list[str]] = field(default_factory=dict, repr=False)

    @cached_property
    def words(self) -> dict[str, str]:
        """Every word and its sounds."""
        return {word: sound(word, self.language) for word in texts.vocabulary(self.language)}

    def any(self, rng: Generator) -> str:
        """A word of the language."""
        return pick(texts.vocabulary(self.language), rng)

    def like(self, word: str) -> list[str]:
        """The words closest to `word`, without those said alike."""
        if word not in self._found:
            self._found[word] = self._closest(sound(word, self.language))
        return self._found[word]

    def _closest(self, own: str) -> list[str]:
        sized = [(other, said) for other, said in self.words.items() if abs(len(said) - len(own)) <= 2]
        alike = [(other, said) for other, said in sized if len(set(own) & set(said)) >= len(set(own)) / 2]
        far = {other: distance(own, said) / max(len(own), len(said), 1) for other, said in alike}
        return sorted((w for w in far if 0 < far[w] <= CLOSE), key=lambda w: (far[w], w))[:CLOSEST]

    def starting(self, word: str) -> list[str]:
        """Words that start as `word` does: two or three sounds."""
        return self._sharing(sound(word, self.language)[:3], str.startswith)

    def ending(self, word: str) -> list[str]:
        """Words that end as `word` does: they rhyme."""
        return self._sharing(sound(word, self.language)[-3:], str.endswith)

    def _sharing(self, part: str, shares: Callable[[str, str], bool]) -> list[str]:
        fewer = part[:-1] if shares is str.startswith else part[1:]
        for piece in (part, fewer):
            found = [word for word, said in self.words.items() if piece and shares(said, piece)]
            if len(found) >= FEWEST:
                return found
        return list(self.words)


def _cut(made: Neighbours, words: list[str], rng: Generator) -> str:
    """A part of the phrase alone, or with another word where the rest was."""
    place = int(rng.integers(1, len(words))) if len(words) > 1 else 0
    kept = words[:place] if rng.random() < 0.5 else words[place:]
    return " ".join(kept) if place and rng.random() < 0.5 else " ".join([made.any(rng), *kept])


def _other_end(made: Neighbours, words: list[str], rng: Generator) -> str:
    """The last word is another that starts alike, or any."""
    last = pick(made.starting(words[-1]), rng) if rng.random() < 0.6 else made.any(rng)
    return " ".join([*words[:-1], last])


def _other_start(made: Neighbours, words: list[str], rng: Generator) -> str:
    """The last words stay: others are before them, or the last one is a rhyme."""
    if len(words) == 1 or rng.random() < 0.4:
        return " ".join([*words[:-1], pick(made.ending(words[-1]), rng)])
    place = int(rng.integers(1, len(words)))
    return " ".join([*(made.any(rng) for _ in words[:place]), *words[place:]])


def _one_like(made: Neighbours, words: list[str], rng: Generator) -> str:
    """One word is a neighbour."""
    place = int(rng.integers(len(words)))
    return " ".join([*words[:place], _neighbour(made, words[place], rng), *words[place + 1 :]])


def _all_like(made: Neighbours, words: list[str], rng: Generator) -> str:
    """Every word is a neighbour, but the short ones."""
    return " ".join(_neighbour(made, word, rng) if len(word) > 2 else word for word in words)


def _neighbour(made: Neighbours, word: str, rng: Generator) -> str:
    found = made.like(word)
    return pick(found, rng) if found else garbled(word, rng)


def _turned(made: Neighbours, words: list[str], rng: Generator) -> str:
    """The words in another order."""
    if len(words) < 2:
        return _one_like(made, words, rng)
    return " ".join(words[int(place)] for place in rng.permutation(len(words)))


def _garbled(made: Neighbours, words: list[str], rng: Generator) -> str:
    """No word at all in place of one of the longer half."""
    longest = sorted(range(len(words)), key=lambda place: -len(words[place]))
    place = longest[int(rng.integers(-(-len(words) // 2)))]
    return " ".join([*words[:place], garbled(words[place], rng), *words[place + 1 :]])


def garbled(word: str, rng: Generator) -> str:
    """Other consonants and vowels in about a third of `word`."""
    kinds = ("aeiou", "bdfgklmnprstvz", "аеиоуы", "бвгдзклмнпрстф")
    letters = list(word)
    known = [place for place, letter in enumerate(letters) if any(letter in kind for kind in kinds)]
    for place in rng.permutation(known)[: max(2, -(-len(letters) // 3))]:
        kind = next(kind for kind in kinds if letters[place] in kind)
        letters[place] = str(rng.choice([other for other in kind if other != letters[place]]))
    return "".join(letters)


CHANGES: tuple[Change, ...] = (
    _other_end, _one_like, _other_start, _all_like, _cut, _one_like, _other_end, _turned, _garbled,
)  # fmt: skip
