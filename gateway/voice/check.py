"""The second look at a spotted phrase: what was really said, and whether it was said for itself.

Heads say where to look, and are easily content. What counts is heard phone by phone (phones.py), answers of a
language against each other; praise is looked at in its surroundings, too (context.py). Phrases of a shop's
own are what their heads take them for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

import numpy as np

from gateway.tflite import Model
from gateway.voice.context import WINDOW, Context, above, open_network
from gateway.voice.engine import EMBEDDING, Floats, flat
from gateway.voice.phones import Card, Grammar, read_card
from gateway.voice.phrases import Phrase
from gateway.voice.spotter import RATING

BEGUN = 1 / 3
"""So much of a phrase may have been said before the last embeddings; not of answers, which are short."""
TIE = 1.0
"""Answers of different ratings that fit as well but for this much contradict each other: none counts."""


class Check:
    """Judges `phrases`; `answers` are those that it sets against each other. Raises CardError, ModelError."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._context = Context(phrases)
        self._listeners: dict[str, _Listener] = {}
        cards = {name: card for name, card in above(phrases, "phones", read_card) if name in card.said}
        spelt = [phrase for phrase in phrases if phrase.id in cards]
        self.answers = {phrase.id for phrase in spelt if phrase.role == RATING}
        for card in {card.network: card for card in cards.values()}.values():
            network = open_network(card.network)
            known = [phrase for phrase in spelt if cards[phrase.id].network == card.network]
            rivals = [phrase for phrase in known if phrase.role == RATING]
            for group in [rivals, *([phrase] for phrase in known if phrase.role != RATING)]:
                self._listeners |= dict.fromkeys((one.id for one in group), _Listener(card, network, group))

    def judge(self, phrase: str, at_once: bool, embeddings: Floats) -> str | None:
        """What `phrase`, spotted at the end of `embeddings` (n, 96) or just before, was; None: nothing."""
        last = embeddings[-WINDOW:]
        last = np.concatenate([np.zeros((WINDOW - len(last), EMBEDDING), np.float32), last])
        listener = self._listeners.get(phrase)
        name = listener.heard(last, at_once) if listener else phrase
        return name if name and self._context.allows(name, last) else None


class _Listener:
    """Hears which of some phrases was said."""

    def __init__(self, card: Card, network: Model, phrases: Sequence[Phrase]) -> None:
        self._card, self._network = card, network
        self._ratings = {phrase.id: phrase.rating for phrase in phrases}
        begun = 0.0 if any(self._ratings.values()) else BEGUN
        self._grammar = Grammar(card, self._ratings, begun)

    def heard(self, last: Floats, at_once: bool) -> str | None:
        """The phrase that fits the last embeddings (WINDOW, 96) best, if it fits well enough."""
        phones = flat(self._network.run(last[None])).reshape(-1, len(self._card.symbols))
        ratios = {name: float(ratio) for name, ratio in self._grammar.ratios(phones).items()}
        best = max(ratios, key=ratios.__getitem__)
        limits = self._card.limits[best]
        fits = ratios[best] >= (limits.at_once if at_once else limits.later)
        return best if fits and not self._is_tied(best, ratios) else None

    def _is_tied(self, best: str, ratios: Mapping[str, float]) -> bool:
        others = [ratios[name] for name, rating in self._ratings.items() if rating != self._ratings[best]]
        return max(others, default=-inf) > ratios[best] - TIE
