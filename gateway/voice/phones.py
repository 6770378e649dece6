"""How much the last seconds are one phrase and nothing else, phone by phone.

A network hears the phones of the last 32 embeddings in steps of 27 ms (connectionist temporal classification:
Graves et al. 2006). The best path that says a phrase, for itself, after a pause or among polite words, is set
against the best path of all (Viterbi 1967): a log ratio, 0 where nothing else fits better. Where noise drowns
the phones, anything fits: so a phrase must lead the anagrams, too, which nobody says. Networks lie above the
heads, phones-<language>.tflite, with a card that spells the phrases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.voice.engine import Floats
from gateway.voice.phrases import read

BLANK = 0
"""The symbol of steps that say nothing new."""
PAUSE = "|"
STEPS = 3
"""Of the network, an embedding: phones come faster than embeddings."""
NEVER = np.float32(-1e9)
ALL = 1_000
"""More phones than any phrase has."""
NARROW = 3
"""Most states have so many ways in at most."""
HANDS = (2, 3, 4, 5)
"""Into so many the phones of a wording are dealt, like cards, for its anagrams."""

Word = tuple[int, ...]
"""Phones, as places in the network's symbols."""


@dataclass(frozen=True)
class Limits:
    """The least log ratios that let a phrase pass: at once or in the next frames; in the last or after."""

    at_once: float
    later: float
    clear: float
    """The least lead over anagrams."""


@dataclass(frozen=True)
class Card:
    """A network, its symbols, polite words before and after, and of each phrase its wordings and limits."""

    network: Path
    symbols: tuple[str, ...]
    before: tuple[Word, ...]
    after: tuple[Word, ...]
    said: Mapping[str, tuple[Word, ...]]
    limits: Mapping[str, Limits]

    @property
    def pause(self) -> int:
        """Its place in the symbols."""
        return self.symbols.index(PAUSE)


def read_card(card: Path) -> Card:
    """What `card` says. Raises CardError."""
    return read(card, lambda table: _card(card.with_suffix(".tflite"), table))


def _card(network: Path, table: Mapping[str, Any]) -> Card:
    symbols = tuple(map(str, table["symbols"]))
    places = {symbol: place for place, symbol in enumerate(symbols)}
    phrases: Mapping[str, Any] = table["phrases"]
    if PAUSE not in places:
        raise ValueError(f"no symbol {PAUSE!r}")
    return Card(
        network,
        symbols,
        _words(table["polite"]["before"], places),
        _words(table["polite"]["after"], places),
        {name: _words(one["said"], places) for name, one in phrases.items()},
        {name: _limits(one) for name, one in phrases.items()},
    )


def _limits(table: Mapping[str, Any]) -> Limits:
    return Limits(*(float(table[name]) for name in ("at_once", "later", "clear")))


def _words(spelt: Iterable[str], places: Mapping[str, int]) -> tuple[Word, ...]:
    return tuple(tuple(places[phone] for phone in word.split()) for word in spelt)


class Grammar:
    """All ways to say one of `phrases`, as states that emit a symbol each; the one after the last is any.

    Of a phrase of more than `whole` phones the first ones may have been said before what is heard. Talk that
    is not polite lies `apart` silent steps from it, at least.
    """

    def __init__(self, card: Card, phrases: Iterable[str], whole: int = ALL, apart: int = 1) -> None:
        net = _States()
        ready = _begin(net, card, apart)
        said = {name: card.said[name] for name in phrases}
        known = {word for wordings in said.values() for word in wordings}
        made = [
            one for wordings in said.values() for one in anagrams(wordings, card.pause) if one not in known
        ]
        ends = {name: _phrase(net, card, words, ready, whole, apart) for name, words in said.items()}
        self._over = {name: np.array(over) for name, (over, _) in ends.items()}
        self._ends = {name: np.array(over + begun) for name, (over, begun) in ends.items()}
        self._nonsense = np.concatenate(_phrase(net, card, made, ready, whole, apart)).astype(int)
        self._emits, self._first = np.array(net.emits), np.array(net.first)
        none = len(net.emits)
        self._narrow = _table([ways if len(ways) <= NARROW else [] for ways in net.ways], none).T
        self._wide = np.array([place for place, ways in enumerate(net.ways) if len(ways) > NARROW])
        self._wide_ways = _table([net.ways[place] for place in self._wide], none)

    def ratios(self, heard: Floats, *, is_over: bool = False) -> tuple[dict[str, Floats], Floats]:
        """The log ratio (…) of each phrase, ≤ 0, and of the best anagram of them all (NEVER without one).

        `heard` (…, steps, symbols) is what the network gives. A polite word may only have begun, unless all
        `is_over`: "super p-" is no "super please" then, but may be "super poor". Of an anagram it always may.
        """
        emitted = heard - heard.max(-1, keepdims=True)
        emitted = np.concatenate([emitted, np.zeros_like(emitted[..., :1])], -1)
        first, *others = np.moveaxis(emitted, -2, 0)
        best = np.full((*first.shape[:-1], len(self._emits) + 1), NEVER)
        best[..., :-1] = np.where(self._first, first.take(self._emits, -1), NEVER)
        moved = np.empty_like(best[..., :-1])
        for step in others:
            self._move(best, moved)
            np.add(moved, step.take(self._emits, -1), out=best[..., :-1])
        every = self._over if is_over else self._ends
        ratios = {name: best[..., ends].max(-1) for name, ends in every.items()}
        return ratios, best[..., self._nonsense].max(-1)

    def _move(self, best: Floats, moved: Floats) -> None:
        """The best way into each state; the last of `best` is none."""
        best.take(self._narrow, -1).max(-2, out=moved)
        moved[..., self._wide] = best.take(self._wide_ways, -1).max(-1)


def _begin(net: _States, card: Card, apart: int) -> list[int]:
    """Silence, anything and a pause, or polite words; the states that a phrase may follow."""
    silence, anything = net.add(BLANK, first=True), net.add(len(card.symbols), first=True)
    after_word = net.add(BLANK, first=True)
    stop = net.add(card.pause, [silence, after_word], first=True)
    parted = net.pause(card.pause, [anything], apart)
    ready = [silence, stop, net.add(BLANK, [stop]), *parted]
    ends, _ = net.words(card.before, ready, whole=0)
    net.ways[after_word] += ends
    return [*ready, after_word]


def anagrams(wordings: Sequence[Word], pause: int) -> list[Word]:
    """The phones of the shortest wording dealt into hands, laid one after the other; and each backwards."""
    word = [phone for phone in min(wordings, key=len) if phone != pause]
    dealt = [tuple(phone for first in range(hands) for phone in word[first::hands]) for hands in HANDS]
    return [made for one in dealt for made in (one, one[::-1])]


def _phrase(
    net: _States, card: Card, wordings: Iterable[Word], ready: Sequence[int], whole: int, apart: int
) -> tuple[list[int], list[int]]:
    """The states in which one is over: nothing follows, polite words do, or anything after a pause.

    And those in which a polite word has begun.
    """
    ends, _ = net.words(wordings, ready, whole)
    tail = net.add(BLANK, ends)
    stop = net.add(card.pause, [tail, *ends])
    rest = net.add(BLANK, [stop])
    polite, within = net.words(card.after, [tail, rest])
    net.ways[tail] += polite
    other = net.add(len(card.symbols), net.pause(card.pause, [*ends, *polite, tail], apart))
    return [*ends, tail, stop, rest, *polite, other], within


class _States:
    """States while they are laid: what each emits, the ways into it, and whether a path may begin there."""

    def __init__(self) -> None:
        self.emits: list[int] = []
        self.ways: list[list[int]] = []
        self.first: list[bool] = []

    def add(self, emits: int, ways: Iterable[int] = (), *, first: bool = False) -> int:
        """A state that may last."""
        place = len(self.emits)
        self.emits.append(emits)
        self.ways.append([*ways, place])
        self.first.append(first)
        return place

    def pause(self, pause: int, ways: Iterable[int], steps: int) -> list[int]:
        """At least so many silent `steps`, one of them the pause; the states in which it may be over."""
        still, stopped, after = [*ways], list[int](), list[int]()
        for _ in range(steps):
            after = [self.add(BLANK, stopped + after)] if stopped else []
            still, stopped = [self.add(BLANK, still)], [self.add(pause, still + stopped)]
        return [*stopped, *after, self.add(BLANK, stopped + after)]

    def words(
        self, words: Iterable[Word], ready: Sequence[int], whole: int = ALL
    ) -> tuple[list[int], list[int]]:
        """`words` as a tree that begins at `ready`: their last states, and all others.

        Paths may begin within a word, too, as long as `whole` phones of it follow; not with a blank where
        none has to: silence before "-you" is no half "thank you".
        """
        phones: dict[Word, int] = {}
        blanks: dict[Word, int] = {}
        for word in words:
            for length in range(1, len(word) + 1):
                known, phone = word[: length - 1], word[length - 1]
                if word[:length] in phones:
                    continue
                first = length <= len(word) - whole
                if known and known not in blanks:
                    blanks[known] = self.add(BLANK, [phones[known]], first=first and whole > 0)
                ways = [blanks[known]] if known else [*ready]
                if known and known[-1] != phone:  # the same phone twice needs a blank between
                    ways.append(phones[known])
                phones[word[:length]] = self.add(phone, ways, first=first)
        ends = [phones[word] for word in dict.fromkeys(words)]
        return ends, [place for place in (*phones.values(), *blanks.values()) if place not in ends]


def _table(ways: Sequence[Sequence[int]], none: int) -> NDArray[np.int32]:
    """Rows of one length; `none` fills them."""
    table = np.full((len(ways), max(map(len, ways), default=1)), none, np.int32)
    for row, found in zip(table, ways, strict=True):
        row[: len(found)] = found
    return table
