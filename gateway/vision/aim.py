"""Is the camera hung well? Size, turn, light and sharpness of a face, each passed or failed with a hint.

Numbers and a coarse silhouette made of the faces' boxes: no pixel of the frame is in what this returns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import cv2
import numpy as np

from gateway.vision.crop import level_crop
from gateway.vision.faces import Box, Detection, Image

COLUMNS, ROWS = 16, 9  # of the silhouette
CROP_PX = 64
SIZE_ROOM, YAW_ROOM = 1.25, 0.67  # a customer does not stand as still as the installer
DARK, BRIGHT = 60.0, 200.0  # mean grey of the face, 0…255
UNEVEN = 0.45  # how much darker one half of the face may be, of the lighter half
SHARP = 0.28  # 95 of 100 photographs have more, 95 of 100 of them blurred by 2.2 px less (GENKI-4K)
NO_FACE = "no face is seen: stand where the customer stands, and look towards the camera"


@dataclass(frozen=True, slots=True)
class Look:
    """The largest face of one frame; `px` width, `yaw` degrees, `light` 0…255, `uneven`, `sharp` from 0."""

    px: float
    yaw: float
    light: float
    uneven: float
    sharp: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The shop's own limits of a valid reading (spec 3), as site.toml has them."""

    px_min: float = 80
    yaw_max: float = 30


@dataclass(frozen=True, slots=True)
class Check:
    """One question: what was measured, whether that is good, and what to do where it is not."""

    name: str
    value: float
    ok: bool
    hint: str = ""


def look_at(image: Image, face: Detection, yaw: float) -> Look:
    """What a BGR frame says of one face in it, which is turned by `yaw` degrees."""
    grey = cv2.cvtColor(level_crop(image, face, CROP_PX, 1.0), cv2.COLOR_BGR2GRAY).astype(np.float32)
    left, right = float(grey[:, : CROP_PX // 2].mean()), float(grey[:, CROP_PX // 2 :].mean())
    return Look(
        px=face.box.width,
        yaw=yaw,
        light=float(grey.mean()),
        uneven=1 - min(left, right) / max(left, right, 1.0),
        sharp=sharpness(grey),
    )


def sharpness(grey: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    """Strength of edges in a (64, 64) grey face, over its contrast: 0 even, about 1 sharp."""
    edges = cv2.Laplacian(grey, cv2.CV_32F)
    return float(edges.std() / max(1.0, float(grey.std())))


def checks(look: Look | None, limits: Limits) -> list[Check]:
    """The four questions; of nobody, one that fails."""
    if look is None:
        return [Check("face", 0, False, NO_FACE)]
    return [_size(look, limits), _turn(look, limits), _light(look), _blur(look)]


def _size(look: Look, limits: Limits) -> Check:
    least = SIZE_ROOM * limits.px_min
    hint = f"come closer, or hang the camera nearer: {least:.0f} px are needed"
    return _check("size", round(look.px), look.px >= least, hint)


def _turn(look: Look, limits: Limits) -> Check:
    most = YAW_ROOM * limits.yaw_max
    hint = f"turn the camera, or hang it where the customer looks: {most:.0f}° at most"
    return _check("turn", round(look.yaw), abs(look.yaw) <= most, hint)


def _light(look: Look) -> Check:
    if look.light < DARK:
        hint = "too dark: turn a lamp to the customer's face"
    elif look.light > BRIGHT:
        hint = "too bright: shade the lamp, or turn the camera away from the window"
    else:
        hint = "one half of the face is dark: a second lamp, or one nearer to the camera"
    return _check("light", round(look.light), DARK <= look.light <= BRIGHT and look.uneven <= UNEVEN, hint)


def _blur(look: Look) -> Check:
    hint = "blurred: wipe the lens, focus it; more light makes moving faces sharper"
    return _check("sharpness", round(look.sharp, 2), look.sharp >= SHARP, hint)


def _check(name: str, value: float, ok: bool, hint: str) -> Check:
    return Check(name, value, ok, "" if ok else hint)


def silhouette(boxes: Sequence[Box], width: int, height: int) -> list[str]:
    """9 rows of 16 signs: # where the first face is, + another, . nobody; the frame has width x height."""
    return ["".join(_cell(boxes, width, height, x, y) for x in range(COLUMNS)) for y in range(ROWS)]


def _cell(boxes: Sequence[Box], width: int, height: int, column: int, row: int) -> str:
    x, y = (column + 0.5) * width / COLUMNS, (row + 0.5) * height / ROWS
    inside = [_in_oval(box, x, y) for box in boxes]
    return "#" if inside[:1] == [True] else "+" if any(inside) else "."


def _in_oval(box: Box, x: float, y: float) -> bool:
    mx, my = box.center
    return ((x - mx) / (box.width / 2)) ** 2 + ((y - my) / (box.height / 2)) ** 2 <= 1


def summary(looks: Sequence[Look | None], limits: Limits) -> dict[str, Any]:
    """{"ok", "looks", "seen" (share with a face), "checks"} over several looks: of the medians."""
    faces = [look for look in looks if look]
    found = checks(_middle(faces) if faces else None, limits)
    seen = len(faces) / len(looks) if looks else 0.0
    return {
        "ok": all(check.ok for check in found) and seen >= 0.5,
        "looks": len(looks),
        "seen": round(seen, 2),
        "checks": [asdict(check) for check in found],
    }


def _middle(faces: Sequence[Look]) -> Look:
    figures: Sequence[Callable[[Look], float]] = (
        lambda one: one.px,
        lambda one: one.yaw,
        lambda one: one.light,
        lambda one: one.uneven,
        lambda one: one.sharp,
    )
    return Look(*(median(map(figure, faces)) for figure in figures))
