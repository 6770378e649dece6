"""The check of praise's surroundings: it may veto, no more.

"He said everything was super" holds the phrase from its first phone to its last. One network a language looks
at the last 32 embeddings (3.3 s) and gives each answer that it knows a score: how much it is said for itself.
It lies above the heads, context-<language>.tflite with its card; phrases without a limit there pass.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gateway.tflite import Model, ModelError
from gateway.voice.engine import EMBEDDING, Floats, flat
from gateway.voice.phrases import CardError, Phrase

WINDOW = 32
Found = TypeVar("Found")


@dataclass(frozen=True)
class Card:
    """A check: its network, the order of its outputs, and the least score that lets a phrase pass, by id."""

    network: Path
    outputs: tuple[str, ...]
    limits: Mapping[str, float]


class Context:
    """Asks the checks that lie above the heads of `phrases`. Raises CardError, ModelError."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._cards = cards_of(phrases)
        networks = {card.network for card in self._cards.values()}
        self._networks = {network: open_network(network) for network in sorted(networks)}

    def allows(self, phrase: str, last: Floats) -> bool:
        """Whether a phrase may count that was said at the end of the `last` embeddings (WINDOW, 96)."""
        card = self._cards.get(phrase)
        if card is None:
            return True
        scores = flat(self._networks[card.network].run(last[None]))
        return float(scores[card.outputs.index(phrase)]) >= card.limits[phrase]


def cards_of(phrases: Iterable[Phrase]) -> dict[str, Card]:
    """The card of the check of each phrase that one limits, by id. Raises CardError."""
    return {name: card for name, card in above(phrases, "context", read_card) if name in card.limits}


def above(phrases: Iterable[Phrase], kind: str, read: Callable[[Path], Found]) -> Iterator[tuple[str, Found]]:
    """The card <kind>-<language>.toml above the heads of each phrase, where there is one; read once each."""
    cards: dict[Path, Found] = {}
    for phrase in phrases:
        heads = phrase.head.parent
        place = heads.parent / f"{kind}-{heads.name}.toml"
        if place not in cards and place.is_file():
            cards[place] = read(place)
        if place in cards:
            yield phrase.id, cards[place]


def read_card(card: Path) -> Card:
    """What `card` says. Raises CardError."""
    try:
        table = tomllib.loads(card.read_text("utf-8"))
        limits = {str(name): float(least) for name, least in table["limits"].items()}
        outputs = tuple(map(str, table["outputs"]))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CardError(
            f"{card}: unusable ({type(error).__name__}: {error}); restore it from the release"
        ) from error
    if unknown := sorted(set(limits) - set(outputs)):
        raise CardError(f"{card}: no output for {', '.join(unknown)}; restore it from the release")
    return Card(card.with_suffix(".tflite"), outputs, limits)


def open_network(network: Path) -> Model:
    """The network of a check, without XNNPACK. Raises ModelError."""
    model = Model(network, small=True)
    if tuple(model.input_shape) != (1, WINDOW, EMBEDDING):
        raise ModelError(f"{network}: its input is {model.input_shape}; restore it from the release")
    return model
