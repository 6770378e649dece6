"""The privacy mask: parts of the picture that no model ever sees (a mirror, the street, the next till)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gateway.polygons import Polygon
from gateway.vision.faces import Image


@dataclass(frozen=True)
class Mask:
    """Polygons in fractions of the picture: x 0 (left) … 1 (right), y 0 (top) … 1 (bottom)."""

    polygons: tuple[Polygon, ...] = ()

    def cover(self, image: Image) -> None:
        """Blacks the polygons out in a BGR frame, in place, their edges included."""
        height, width = image.shape[:2]
        for polygon in self.polygons:
            corners = np.round(np.array(polygon) * (width - 1, height - 1)).astype(np.int32)
            cv2.fillPoly(image, [corners], (0, 0, 0))


NO_MASK = Mask()
