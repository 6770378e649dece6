"""Another package's emotion reading, as its users run it; under the Python of an environment that has it.

python vision_peer.py fer|deepface FOLDER prints {"cpu_ms", "wall_ms", "faces", "rss_mb"} of its PNG pictures.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def fer() -> Callable[[Any], int]:
    """The README's own lines."""
    from fer.fer import FER  # type: ignore[import-not-found, unused-ignore]

    detector = FER()
    return lambda image: len(detector.detect_emotions(image))


def deepface() -> Callable[[Any], int]:
    """The README's own lines; it fetches its weights from the internet."""
    from deepface import DeepFace  # type: ignore[import-not-found, unused-ignore]

    def analyze(image: Any) -> int:
        return len(DeepFace.analyze(image, actions=["emotion"], enforce_detection=False))

    return analyze


def main(name: str, folder: Path) -> None:
    """One warm-up, then every picture once."""
    import cv2

    see = {"fer": fer, "deepface": deepface}[name]()
    images = [cv2.imread(str(path)) for path in sorted(folder.glob("*.png"))]
    see(images[0])
    cpu, wall = time.process_time(), time.monotonic()
    faces = sum(see(image) for image in images)
    found = {
        "cpu_ms": 1000 * (time.process_time() - cpu) / len(images),
        "wall_ms": 1000 * (time.monotonic() - wall) / len(images),
        "faces": faces,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
