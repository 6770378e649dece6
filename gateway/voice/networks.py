"""Networks that lie above the heads of a language, <kind>-<language>.tflite with a card; rarely asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from gateway.tflite import Model, ModelError
from gateway.voice.engine import EMBEDDING, Floats, flat
from gateway.voice.phrases import Phrase

WINDOW = 32
"""Embeddings that each looks at: 3.3 s."""
Found = TypeVar("Found")


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


def ask(network: Path, last: Floats) -> Floats:
    """All that a network says of the last embeddings (WINDOW, 96), in one row. Raises ModelError.

    It is opened for that, which takes 0.3 ms: kept open, those of two languages would take 1.5 MiB.
    """
    model = Model(network, small=True)
    if tuple(model.input_shape) != (1, *last.shape):
        raise ModelError(f"{network}: its input is {model.input_shape}; restore it from the release")
    return flat(model.run(last[None]))


def check(network: Path, outputs: int) -> None:
    """Raises ModelError unless it can be asked and answers with `outputs` numbers, once or several times."""
    found = len(ask(network, np.zeros((WINDOW, EMBEDDING), np.float32)))
    if found % outputs:
        raise ModelError(
            f"{network}: {found} outputs are no {outputs}; restore it and its card from the release"
        )
