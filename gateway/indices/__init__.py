"""Indices of spec 4: pure functions of contacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.config import Site
from gateway.fusion import Contact
from gateway.indices.nps import MIN_N, Counts, Published, count, publish
from gateway.indices.shares import response_rate
from gateway.indices.smile import Smiles, smiles
from gateway.privacy import profile

__all__ = ["Counts", "Indices", "Published", "Smiles", "conceal", "measure", "served"]


@dataclass(frozen=True, slots=True)
class Indices:
    """Every figure of one group of contacts."""

    counts: Counts
    nps: Published
    smile: Smiles

    @property
    def response_rate(self) -> float | None:
        """Share of asked customers who answered; None while nothing is published."""
        answered = response_rate(self.counts)
        return answered.value if answered and self.nps.published != "none" else None


def measure(contacts: Iterable[Contact], site: Site, served: int | None = None) -> Indices:
    """All indices of a group of contacts of a site."""
    group = list(contacts)
    counts = count(group)
    nps = publish(counts, camera_on=profile(site).camera_on, served=served)
    return Indices(counts, nps, smiles(group))


def conceal(by_point: Mapping[str, Indices]) -> dict[str, Indices]:
    """The same without figures of a point under 10 contacts, and of a second: the total would betray one."""
    small = {point for point, one in by_point.items() if 0 < one.counts.n < MIN_N}
    others = {point: one.counts.n for point, one in by_point.items() if one.counts.n >= MIN_N}
    if len(small) == 1 and others:
        small.add(min(others, key=lambda point: (others[point], point)))
    return {point: _bare(one) if point in small else one for point, one in by_point.items()}


def _bare(indices: Indices) -> Indices:
    return Indices(indices.counts, Published(), Smiles(indices.smile.known))


def served(site: Site, point: str | None) -> int | None:
    """Customers served at a point; of the whole site when every point knows."""
    if point is not None:
        return site.points[point].served
    known = [table.served for table in site.points.values() if table.served is not None]
    return sum(known) if len(known) == len(site.points) else None
