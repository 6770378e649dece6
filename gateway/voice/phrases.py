"""The phrases this box can hear: heads in models/tflite/<language>/, each with its card."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import models

HEADS = Path(models.__file__).parent / "tflite"


Read = TypeVar("Read")


class CardError(Exception):
    """A head's card cannot be used; the text names the file and the key."""


@dataclass(frozen=True)
class Phrase:
    """One phrase: its head and how to read the head's scores."""

    id: str
    text: str
    role: str
    rating: str
    head: Path
    threshold: float
    lag_s: float
    """From the end of the phrase's last word to the middle of the scores over the threshold, s (median)."""
    texts: tuple[str, ...] = ()
    """All wordings that count; none: `text` alone."""


def catalogue(folder: Path = HEADS) -> dict[str, Phrase]:
    """Every phrase by id, from the cards under `folder`. Raises CardError."""
    return {phrase.id: phrase for phrase in map(read_card, sorted(folder.glob("*/*.toml")))}


def choose(wanted: Iterable[str], known: dict[str, Phrase]) -> tuple[list[Phrase], list[str]]:
    """The phrases with a head among `wanted`, and the ids that have none."""
    names = list(wanted)
    return [known[name] for name in names if name in known], [name for name in names if name not in known]


def read_card(card: Path) -> Phrase:
    """The phrase that `card` describes. Raises CardError."""
    return read(card, lambda table: _phrase(card, table))


def _phrase(card: Path, table: Mapping[str, Any]) -> Phrase:
    hear = table["hear"]
    return Phrase(
        id=card.stem,
        text=table["texts"][0],
        role=table["role"],
        rating=table.get("rating", ""),
        head=card.with_suffix(".tflite"),
        threshold=float(hear["threshold"]),
        lag_s=float(hear["lag_s"]),
        texts=tuple(map(str, table["texts"])),
    )


def read(card: Path, made: Callable[[Mapping[str, Any]], Read]) -> Read:
    """What `made` makes of a card's table; whatever goes wrong there is a CardError that names it."""
    try:
        return made(tomllib.loads(card.read_text("utf-8")))
    except (OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise CardError(
            f"{card}: unusable ({type(error).__name__}: {error}); restore it from the release"
        ) from error
