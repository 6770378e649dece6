"""The check of a spotted phrase's surroundings: it may veto, no more.

A head hears 2 s; a quote, a question or a "not" is said before that, or right after it. One network a
language, asked only when a phrase has been spotted, looks at the last 32 embeddings (3.3 s) and gives each
phrase that it knows a score. A high one lets the phrase pass; else it is asked again in the frames after it.
It lies above the heads, context-<language>.tflite with its card; phrases that it does not know pass.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gateway.tflite import Model, ModelError
from gateway.voice.engine import EMBEDDING, Floats, flat
from gateway.voice.phrases import CardError, Phrase

WINDOW = 32


@dataclass(frozen=True)
class Limits:
    """The least scores that let a phrase pass: at once or in the next frames, and in the last of them."""

    at_once: float
    later: float


@dataclass(frozen=True)
class Card:
    """A check: its network, the order of its outputs, and what lets each phrase pass, by id."""

    network: Path
    outputs: tuple[str, ...]
    limits: Mapping[str, Limits]


class Context:
    """Asks the checks that lie above the heads of `phrases`. Raises CardError, ModelError."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._cards = cards_of(phrases)
        networks = {card.network for card in self._cards.values()}
        self._networks = {network: _open(network) for network in sorted(networks)}

    def allows(self, phrase: str, at_once: bool, embeddings: Floats) -> bool:
        """Whether a phrase may count that was spotted at the end of `embeddings` (n, 96) or just before."""
        card = self._cards.get(phrase)
        if card is None:
            return True
        limits = card.limits[phrase]
        return self._score(card, phrase, embeddings) >= (limits.at_once if at_once else limits.later)

    def _score(self, card: Card, phrase: str, embeddings: Floats) -> float:
        """0…1: how much it sounds like this phrase, said for itself."""
        last = embeddings[-WINDOW:]
        whole = np.concatenate([np.zeros((WINDOW - len(last), EMBEDDING), np.float32), last])
        return float(flat(self._networks[card.network].run(whole[None]))[card.outputs.index(phrase)])


def cards_of(phrases: Iterable[Phrase]) -> dict[str, Card]:
    """The card of the check of each phrase that one knows, by id; read once. Raises CardError."""
    places = {phrase.id: _place(phrase.head.parent) for phrase in phrases}
    known = {place: read_card(place) for place in set(places.values()) if place.is_file()}
    return {
        name: known[place] for name, place in places.items() if place in known and name in known[place].limits
    }


def _place(heads: Path) -> Path:
    return heads.parent / f"context-{heads.name}.toml"


def read_card(card: Path) -> Card:
    """What `card` says. Raises CardError."""
    try:
        table = tomllib.loads(card.read_text("utf-8"))
        limits = {str(name): _limits(found) for name, found in table["limits"].items()}
        outputs = tuple(map(str, table["outputs"]))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CardError(
            f"{card}: unusable ({type(error).__name__}: {error}); restore it from the release"
        ) from error
    if unknown := sorted(set(limits) - set(outputs)):
        raise CardError(f"{card}: no output for {', '.join(unknown)}; restore it from the release")
    return Card(card.with_suffix(".tflite"), outputs, limits)


def _limits(table: Mapping[str, Any]) -> Limits:
    return Limits(float(table["at_once"]), float(table["later"]))


def _open(network: Path) -> Model:
    model = Model(network, small=True)
    if tuple(model.input_shape) != (1, WINDOW, EMBEDDING):
        raise ModelError(f"{network}: its input is {model.input_shape}; restore it from the release")
    return model
