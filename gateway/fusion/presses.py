"""What a press means: ratings by key, and bursts of one terminal (spec 3, Presses)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from gateway.events import Press

RATINGS = {
    2: ("top", "low"),
    3: ("top", "middle", "low"),
    4: ("top", "middle", "low", "low"),
    5: ("top", "middle", "middle", "low", "low"),
}
MASH = 3


def rating_of(press: Press, keys: int) -> str:
    """top, middle or low, by the key and the number of keys of its terminal."""
    return RATINGS[keys][press.key - 1]


@dataclass(frozen=True, slots=True)
class Burst:
    """Presses of one terminal in quick succession, with the terminal's number of keys."""

    presses: tuple[Press, ...]
    keys: int

    @property
    def is_many(self) -> bool:
        """Three presses or more: mash or frustration."""
        return len(self.presses) >= MASH

    @property
    def all_low(self) -> bool:
        """Every press of it says low."""
        return all(rating_of(press, self.keys) == "low" for press in self.presses)

    @property
    def counting(self) -> Press:
        """The press whose time counts: the first of many, else the last."""
        return self.presses[0] if self.is_many else self.presses[-1]


def bursts(presses: Iterable[Press], keys: dict[str, int], gap_ms: int) -> list[Burst]:
    """Bursts of every terminal: presses less than gap_ms apart, each from the one before."""
    by_terminal = sorted(presses, key=lambda press: (press.device, press.t, press.boot, press.seq))
    return [
        Burst(tuple(run), keys[device])
        for device, group in groupby(by_terminal, key=lambda press: press.device)
        for run in _runs(group, gap_ms)
    ]


def _runs(presses: Iterable[Press], gap_ms: int) -> list[list[Press]]:
    runs: list[list[Press]] = []
    for press in presses:
        if runs and press.t - runs[-1][-1].t < gap_ms:
            runs[-1].append(press)
        else:
            runs.append([press])
    return runs
