"""Polygons of a camera's privacy mask as site.toml gives them, checked."""

from __future__ import annotations

from typing import Any

EXAMPLE = "allowed is a list of polygons, such as [[[0, 0], [0.3, 0], [0.3, 1], [0, 1]]]"
CORNER = "a corner is [x, y], both from 0 to 1: [0, 0] is top left and [1, 1] bottom right of the picture"

Polygon = tuple[tuple[float, float], ...]  # fractions of the picture: x to the right, y down


def polygons(value: Any) -> tuple[Polygon, ...]:
    """The list of lists of corners as tuples; ValueError says what is allowed."""
    if not isinstance(value, list) or not all(isinstance(polygon, list) for polygon in value):
        raise ValueError(EXAMPLE)
    return tuple(_polygon(corners) for corners in value)


def _polygon(corners: list[Any]) -> Polygon:
    if len(corners) < 3:
        raise ValueError(f"a polygon needs at least three corners; {EXAMPLE}")
    return tuple(_corner(corner) for corner in corners)


def _corner(corner: Any) -> tuple[float, float]:
    if not isinstance(corner, list) or len(corner) != 2 or not all(map(_is_share, corner)):
        raise ValueError(f"{CORNER}; {EXAMPLE}")
    return float(corner[0]), float(corner[1])


def _is_share(number: Any) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number <= 1
