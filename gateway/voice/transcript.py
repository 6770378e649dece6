"""What a recogniser wrote down, held against an answer: whether that is what was said. Pure.

Praise has to stand there word by word, for itself or among polite words; other answers may be misheard a bit.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

SENTENCE = re.compile(r"([^.!?…]+)([.!?…]*)")
WORD = re.compile(r"\w+(?:['’]\w+)*")
ALIKE = 0.7
"""Share of letters: "it was known" is "it was normal" misheard."""
TURNS = {
    *("not", "no", "but", "or", "said", "though", "except", "unless", "until"),
    *("не", "нет", "но", "или", "сказал", "сказала", "хотя", "кроме", "пока"),
}
"""A sentence that begins so takes back the one before."""

Words = tuple[str, ...]


def is_said(heard: str, texts: Iterable[str], polite: Collection[Words] = ()) -> bool:
    """Whether one of `texts` is a sentence of `heard`, or is with `polite` words; no question, not denied."""
    wanted = [words(text) for text in texts]
    sentences = list(_sentences(heard))
    return any(
        not (end.startswith("?") or TURNS.intersection(follower[:1]))
        and any(_is_alone(found, text, polite, is_cut=end in ("...", "…")) for text in wanted)
        for (found, end), (follower, _) in pairwise([*sentences, ((), "")])
    )


def is_alike(heard: str, texts: Iterable[str]) -> bool:
    """Whether some words of `heard` in a row are nearly one of `texts`."""
    found = words(heard)
    return any(
        SequenceMatcher(None, " ".join(text), " ".join(found[at : at + count])).ratio() >= ALIKE
        for text in map(words, texts)
        for count in range(len(text) - 1, len(text) + 2)
        for at in range(max(1, len(found) - count + 1))
    )


def agrees(heard: str, rating: str, ratings: Mapping[str, Sequence[str]], polite: Collection[Words]) -> bool:
    """Whether `heard` confirms an answer of `rating`; `ratings` has the wordings of each.

    Heard nothing at all, it says nothing against it.
    """
    own = ratings[rating]
    if not words(heard) or is_said(heard, own, polite):
        return True
    others = [text for other, texts in ratings.items() if other != rating for text in texts]
    return rating != "top" and is_alike(heard, own) and not is_said(heard, others, polite)


def words(text: str) -> Words:
    """In small letters; ё is е, OK is okay."""
    found = WORD.findall(text.lower().replace("ё", "е").replace("’", "'"))
    return tuple("okay" if word == "ok" else word for word in found)


def _sentences(heard: str) -> Iterator[tuple[Words, str]]:
    """The words of each and how it ends."""
    for text, end in SENTENCE.findall(heard):
        if found := words(text):
            yield found, end


def _is_alone(found: Words, text: Words, polite: Collection[Words], *, is_cut: bool) -> bool:
    """Whether all around `text` in `found` is polite; `is_cut`: the last word may only have begun."""
    places = [at for at in range(len(found) - len(text) + 1) if found[at : at + len(text)] == text]
    return any(
        _is_polite(found[:at], polite) and _is_polite(found[at + len(text) :], polite, is_cut=is_cut)
        for at in places
    )


def _is_polite(found: Words, polite: Collection[Words], *, is_cut: bool = False) -> bool:
    """Whether `found` is made of polite words, one after the other."""
    if not found:
        return True
    if is_cut and any(" ".join(each).startswith(" ".join(found)) for each in polite):
        return True
    return any(
        found[: len(each)] == each and _is_polite(found[len(each) :], polite, is_cut=is_cut)
        for each in polite
    )
