"""Rows of a benchmark: ours and a named peer's, run by run, so that a noisy machine disturbs both alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

HEAD = ("what", "unit", "ours", "peer", "peer's", "ours / peer's", "goal")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: a sample a run, ours beside the peer's; `theirs` is empty where no peer can be measured."""

    what: str
    unit: str
    ours: Sequence[float]
    peer: str = ""
    theirs: Sequence[float] = ()
    goal: str = ""

    @property
    def ratios(self) -> list[float]:
        """Ours over the peer's, run by run."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=False) if theirs]

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        ours, theirs, ratios = spread(self.ours), spread(self.theirs), spread(self.ratios)
        return (self.what, self.unit, ours, self.peer or "–", theirs, ratios, self.goal)


def spread(samples: Sequence[float]) -> str:
    """Median, and (least–most) when there are several."""
    if not samples:
        return "–"
    if len(set(samples)) == 1:
        return figure(samples[0])
    return f"{figure(median(samples))} ({figure(min(samples))}–{figure(max(samples))})"


def figure(number: float) -> str:
    """Three digits that mean something."""
    if number == 0 or abs(number) >= 100:
        return f"{number:,.0f}".replace(",", " ")
    return f"{number:.3g}"


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a table for docs/benchmarks.md."""
    lines = [HEAD, tuple("-" * len(name) for name in HEAD), *(row.cells() for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEAD))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )
