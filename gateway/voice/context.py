"""The check of praise's surroundings: it may veto, no more.

"He said everything was super" holds the phrase from its first phone to its last. One network a language looks
at the last 32 embeddings (3.3 s) and gives each answer that it knows a score: how much it is said for itself.
It lies above the heads, context-<language>.tflite with its card; phrases without a limit there pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.voice import networks
from gateway.voice.engine import Floats
from gateway.voice.networks import above
from gateway.voice.phrases import CardError, Phrase, read


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
        for network, outputs in {card.network: len(card.outputs) for card in self._cards.values()}.items():
            networks.check(network, outputs)

    def allows(self, phrase: str, last: Floats) -> bool:
        """Whether a phrase may count that was said at the end of the `last` embeddings (WINDOW, 96)."""
        card = self._cards.get(phrase)
        if card is None:
            return True
        scores = networks.ask(card.network, last)
        return float(scores[card.outputs.index(phrase)]) >= card.limits[phrase]


def cards_of(phrases: Iterable[Phrase]) -> dict[str, Card]:
    """The card of the check of each phrase that one limits, by id. Raises CardError."""
    return {
        phrase.id: card
        for card, known in above(phrases, "context", read_card)
        for phrase in known
        if phrase.id in card.limits
    }


def read_card(card: Path) -> Card:
    """What `card` says. Raises CardError."""
    return read(card, lambda table: _card(card, table))


def _card(card: Path, table: Mapping[str, Any]) -> Card:
    limits = {str(name): float(least) for name, least in table["limits"].items()}
    outputs = tuple(map(str, table["outputs"]))
    if unknown := sorted(set(limits) - set(outputs)):
        raise CardError(f"{card}: no output for {', '.join(unknown)}; restore it from the release")
    return Card(card.with_suffix(".tflite"), outputs, limits)
