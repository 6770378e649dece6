"""Networks that lie above the heads of a language, <kind>-<language>.tflite with a card; rarely asked."""

from __future__ import annotations

import ctypes
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
_give_back = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)
"""glibc keeps what was freed, 0.7 MB of a closed network; on musl and macOS there is no such function."""


def above(
    phrases: Iterable[Phrase], kind: str, read: Callable[[Path], Found]
) -> Iterator[tuple[Found, list[Phrase]]]:
    """Each card <kind>-<language>.toml that lies above heads, and the phrases of these heads."""
    places: dict[Path, list[Phrase]] = {}
    for phrase in phrases:
        heads = phrase.head.parent
        places.setdefault(heads.parent / f"{kind}-{heads.name}.toml", []).append(phrase)
    yield from ((read(place), known) for place, known in places.items() if place.is_file())


def ask(network: Path, last: Floats) -> Floats:
    """All that a network says of the last embeddings (WINDOW, 96), in one row. Raises ModelError.

    It is opened for that, which takes 0.3 ms: kept open, those of two languages would take 1.5 MiB. What it
    took goes back to the system at once, which takes 0.2 ms.
    """
    model = Model(network, small=True)
    if tuple(model.input_shape) != (1, *last.shape):
        raise ModelError(f"{network}: its input is {model.input_shape}; restore it from the release")
    answer = flat(model.run(last[None]))
    del model
    _give_back(0)
    return answer


def check(network: Path, outputs: int) -> None:
    """Raises ModelError unless it can be asked and answers with `outputs` numbers, once or several times."""
    found = len(ask(network, np.zeros((WINDOW, EMBEDDING), np.float32)))
    if found % outputs:
        raise ModelError(
            f"{network}: {found} outputs are no {outputs}; restore it and its card from the release"
        )
