"""Our engine as a process of its own, measured as bench/peer_openwakeword.py measures the peer."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

from bench.rig import resident_mb
from gateway.voice.engine import FRAME, Engine

WARM_UP = 40


def main() -> int:
    """MEL EMBEDDING SOUND.npy FRAMES HEAD…: print {"ms": CPU a frame, "mb": resident memory}."""
    _, _, sound, count, *heads = sys.argv[1:]
    engine = Engine({Path(head).stem: Path(head) for head in heads})
    frames = np.resize(np.load(sound), (WARM_UP + int(count)) * FRAME).reshape(-1, FRAME)
    for frame in frames[:WARM_UP]:
        engine.push(frame)
    start = time.process_time()
    for frame in frames[WARM_UP:]:
        engine.push(frame)
    ms = 1000 * (time.process_time() - start) / int(count)
    print(json.dumps({"ms": ms, "mb": resident_mb(os.getpid())}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
