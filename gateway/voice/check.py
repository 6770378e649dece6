"""The second look at a spotted phrase: what was really said, and whether it was said for itself.

Heads say where to look, and are easily content. What counts is heard phone by phone (phones.py), answers of a
language against each other; praise is looked at in its surroundings, too (context.py). Phrases of a shop's
own are what their heads take them for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf

import numpy as np

from gateway.voice import networks
from gateway.voice.context import Context
from gateway.voice.engine import EMBEDDING, Floats
from gateway.voice.networks import WINDOW, above
from gateway.voice.phones import Card, Grammar, read_card
from gateway.voice.phrases import Phrase
from gateway.voice.spotter import RATING, Look

WHOLE = 18
"""Phones of an ask or event that the last embeddings surely hold; polite words around them are not known."""
APART = 8
"""Steps of 27 ms: 0.2 s of silence part an answer from what the same or another one says around it."""
TIE = 1.0
"""Answers of different ratings that fit as well but for this much contradict each other: none counts."""


class Check:
    """Judges `phrases`; `heard` are those that it knows the phones of. Raises CardError, ModelError."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._context = Context(phrases)
        self._listeners: dict[str, _Listener] = {}
        for card, known in above(phrases, "phones", read_card):
            networks.check(card.network, len(card.symbols))
            for group in _groups([phrase for phrase in known if phrase.id in card.said]):
                self._listeners |= dict.fromkeys((one.id for one in group), _Listener(card, group))
        self.heard = frozenset(self._listeners)

    def judge(self, phrase: str, look: Look, embeddings: Sequence[Floats]) -> str | None:
        """What `phrase`, spotted at the end of `embeddings` or just before, was; None: nothing.

        Each of `embeddings` (n, 96) is the same sound, those of the heads first: phones are the surer the
        oftener they are heard. What passed before (AGAIN, OVER) is not judged by its surroundings again.
        """
        windows = [_window(rows) for rows in embeddings]
        listener = self._listeners.get(phrase)
        name = listener.heard(windows, look) if listener else phrase
        if name and look in (Look.FIRST, Look.LAST) and not self._context.allows(name, windows[0]):
            return None
        return name


def _window(rows: Floats) -> Floats:
    """The last WINDOW of them; nothing before the first one."""
    last = rows[-WINDOW:]
    return np.concatenate([np.zeros((WINDOW - len(last), EMBEDDING), np.float32), last])


def _groups(phrases: Sequence[Phrase]) -> Iterator[list[Phrase]]:
    """Answers compete, any other phrase is heard by itself."""
    if rivals := [phrase for phrase in phrases if phrase.role == RATING]:
        yield rivals
    yield from ([phrase] for phrase in phrases if phrase.role != RATING)


class _Listener:
    """Hears which of some phrases was said."""

    def __init__(self, card: Card, phrases: Sequence[Phrase]) -> None:
        self._card = card
        self._ratings = {phrase.id: phrase.rating for phrase in phrases}
        if any(self._ratings.values()):
            self._grammar = Grammar(card, self._ratings, apart=APART)
        else:
            self._grammar = Grammar(replace(card, before=(), after=()), self._ratings, WHOLE)

    def heard(self, windows: Sequence[Floats], look: Look) -> str | None:
        """The phrase that fits the last embeddings (WINDOW, 96) best, in the mean, if it fits well enough."""
        answers = [networks.ask(self._card.network, window) for window in windows]
        phones = np.stack(answers).reshape(len(windows), -1, len(self._card.symbols))
        found, anagrams = self._grammar.ratios(phones, is_over=look is Look.OVER)
        ratios = {name: float(ratio.mean()) for name, ratio in found.items()}
        best = max(ratios, key=ratios.__getitem__)
        limits = self._card.limits[best]
        is_likely = ratios[best] >= (limits.at_once if look is Look.FIRST else limits.later)
        is_clear = ratios[best] >= float(anagrams.mean()) + limits.clear
        return best if is_likely and is_clear and not self._is_tied(best, ratios) else None

    def _is_tied(self, best: str, ratios: Mapping[str, float]) -> bool:
        others = [ratios[name] for name, rating in self._ratings.items() if rating != self._ratings[best]]
        return max(others, default=-inf) > ratios[best] - TIE
