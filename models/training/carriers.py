"""What an answer is said within: sentences that hold it and say something else, or polite words."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from numpy.random import Generator

from models.training import texts
from models.training.texts import Wanted

Thing = TypeVar("Thing")
LOW = "low"
WORD_OF_ITS_OWN = ("super", "супер")
"""Begins other words, too: "super dirty"."""


@dataclass(frozen=True)
class Spoken:
    """Pieces by one voice, short pauses between them; `phrase` is the place of the answer, if any."""

    pieces: tuple[str, ...]
    phrase: int | None


@cache
def table(language: str) -> dict[str, Any]:
    """context_<language>.toml."""
    return tomllib.loads((texts.FOLDER / f"context_{language}.toml").read_text("utf-8"))


def turned(wanted: Wanted, count: int, rng: Generator) -> list[Spoken]:
    """`count` sentences around an answer that are none: told, asked, denied, conditional, gone on with."""
    lists = table(wanted.language)["turned"]
    kinds = KINDS[:3] if wanted.rating == LOW else KINDS
    out: dict[Spoken, None] = {}
    for turn in range(8 * count):
        out[kinds[turn % len(kinds)](lists, pick(wanted.texts, rng), rng)] = None
        if len(out) >= count:
            break
    return list(out)


def polite(wanted: Wanted, count: int, rng: Generator) -> list[Spoken]:
    """`count` times an answer alone, or with a polite word before it, after it or both."""
    return list(_polite(wanted, count, rng))


def _polite(wanted: Wanted, count: int, rng: Generator) -> Iterator[Spoken]:
    lists = table(wanted.language)["polite"]
    for turn in range(count):
        words = pick(wanted.texts, rng)
        before, after = turn % 5 in (1, 3, 4), turn % 5 in (2, 3)
        if before and rng.random() < 0.6:
            pieces, place = [f"{pick(lists['before'], rng)}, {words}"], 0
        else:
            pieces, place = [*([pick(lists["before"], rng)] if before else []), words], int(before)
        yield Spoken((*pieces, *([pick(lists["after"], rng)] if after else [])), place)


Lists = Mapping[str, Sequence[str]]
Kind = Callable[[Lists, str, Generator], Spoken]


def _before(lists: Lists, words: str, rng: Generator) -> Spoken:
    return _joined([pick(lists["before"], rng), words], rng)


def _told(lists: Lists, words: str, rng: Generator) -> Spoken:
    return _joined([f"{pick(lists['tellers'], rng)} {pick(lists['tells'], rng)}", words], rng)


def _after(lists: Lists, words: str, rng: Generator) -> Spoken:
    before = [pick(lists["before"], rng)] if rng.random() < 0.25 else []
    return _joined([*before, words, pick(lists["after"], rng)], rng)


def _inner(lists: Lists, words: str, rng: Generator) -> Spoken:
    first, _, last = words.rpartition(" ")
    return Spoken((f"{first} {pick(lists['inner'], rng)} {last}".strip(),), None)


def _subject(lists: Lists, words: str, rng: Generator) -> Spoken:
    return Spoken((f"{pick(lists['subjects'], rng)} {words.split()[-1]}",), None)


def _goes_on(lists: Lists, words: str, rng: Generator) -> Spoken:
    if words.endswith(WORD_OF_ITS_OWN):
        gap = "" if rng.random() < 0.4 else " "
        return Spoken((f"{words}{gap}{pick(lists['goes_on'], rng)}",), None)
    return _inner(lists, words, rng)


def _joined(pieces: Sequence[str], rng: Generator) -> Spoken:
    """In one breath mostly; else piece by piece."""
    return Spoken((" ".join(pieces),) if rng.random() < 0.7 else tuple(pieces), None)


def pick(things: Sequence[Thing], rng: Generator) -> Thing:
    """One of them."""
    return things[int(rng.integers(len(things)))]


KINDS: tuple[Kind, ...] = (_before, _told, _after, _inner, _subject, _goes_on)
