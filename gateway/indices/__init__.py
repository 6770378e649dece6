"""Indices of spec 4: pure functions of contacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.config import Site
from gateway.fusion import Contact
from gateway.indices.nps import MIN_N, Counts, Published, count, publish
from gateway.indices.shares import Share, response_rate
from gateway.indices.smile import Smiles, smiles
from gateway.privacy import profile

__all__ = ["Counts", "Indices", "Published", "Smiles", "conceal", "hidden", "measure", "served"]


@dataclass(frozen=True, slots=True)
class Indices:
    """Every figure of one group of contacts."""

    counts: Counts
    nps: Published
    smile: Smiles

    @property
    def answered(self) -> Share | None:
        """Response rate: the share of asked customers who answered; None while nothing is published."""
        return None if self.nps.published == "none" else response_rate(self.counts)

    @property
    def response_rate(self) -> float | None:
        """The value of `answered`."""
        return self.answered.value if self.answered else None


def measure(contacts: Iterable[Contact], site: Site, served: int | None = None) -> Indices:
    """All indices of a group of contacts of a site."""
    group = list(contacts)
    counts = count(group)
    nps = publish(counts, camera_on=profile(site).camera_on, served=served)
    return Indices(counts, nps, smiles(group))


def conceal(by_point: Mapping[str, Indices]) -> dict[str, Indices]:
    """The same without figures that would say something of under 10 contacts (spec 4, Roll-up; spec 7)."""
    few = hidden({point: one.counts.n for point, one in by_point.items()})
    unseen = few | hidden({point: one.smile.known for point, one in by_point.items()})
    return {
        point: Indices(
            one.counts,
            Published() if point in few else one.nps,
            Smiles(one.smile.known) if point in unseen else one.smile,
        )
        for point, one in by_point.items()
    }


def hidden(sizes: Mapping[str, int]) -> set[str]:
    """Points of under 10, and one more where the total less the points shown would say it all the same."""
    small = {point for point, n in sizes.items() if 0 < n < MIN_N}
    others = [point for point, n in sizes.items() if n >= MIN_N]
    if others and 0 < sum(sizes[point] for point in small) < MIN_N:
        small.add(min(others, key=lambda point: (sizes[point], point)))
    return small


def served(site: Site, point: str | None) -> int | None:
    """Customers served at a point; of the whole site when every point knows."""
    if point is not None:
        return site.points[point].served
    known = [table.served for table in site.points.values() if table.served is not None]
    return sum(known) if len(known) == len(site.points) else None
