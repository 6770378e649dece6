"""Indices of spec 4: pure functions of contacts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.config import Site
from gateway.fusion import Contact
from gateway.indices.nps import Counts, Published, count, publish
from gateway.indices.smile import Smiles, smiles
from gateway.privacy import profile

__all__ = ["Counts", "Indices", "Published", "Smiles", "measure", "served"]


@dataclass(frozen=True, slots=True)
class Indices:
    """Every figure of one group of contacts."""

    counts: Counts
    nps: Published
    smile: Smiles

    @property
    def response_rate(self) -> float | None:
        """Share of asked customers who answered; None while nothing is published."""
        counts = self.counts
        return None if self.nps.published == "none" else (counts.n - counts.silent) / counts.n


def measure(contacts: Iterable[Contact], site: Site, served: int | None = None) -> Indices:
    """All indices of a group of contacts of a site."""
    group = list(contacts)
    counts = count(group)
    nps = publish(counts, camera_on=profile(site).camera_on, served=served)
    return Indices(counts, nps, smiles(group))


def served(site: Site, point: str | None) -> int | None:
    """Customers served at a point; of the whole site when every point knows."""
    if point is not None:
        return site.points[point].served
    known = [table.served for table in site.points.values() if table.served is not None]
    return sum(known) if len(known) == len(site.points) else None
