"""Made golden.npz and the heads here; by hand: `python -m tests.unit.voice.openwakeword.make PYTHON`.

PYTHON is that of a venv with openwakeword 0.6.0 on ai-edge-litert 2.3.0 (bench/voice.py says how to make it).
The heads have random weights and windows of 8, 16 and 28 embeddings; the sound is the demo's recordings.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np

from demo.sound import SPEECH
from gateway.voice.audio import read_wav
from gateway.voice.engine import EMBEDDING, Samples
from models import fetch
from models.training import heads

HERE = Path(__file__).parent
GOLDEN = HERE / "golden.npz"
WINDOWS = (8, 16, 28)
HIDDEN = 4
FRAMES = 60
WARM_UP = 40
"""Frames before: openwakeword's first embeddings come from random noise."""


def sound() -> Samples:
    """100 frames of speech, int16."""
    recorded = np.concatenate([read_wav(path) for path in sorted(SPEECH.glob("*.wav"))])
    return np.resize(recorded, (WARM_UP + FRAMES) * 1280)


def head(window: int) -> Path:
    """The head with that window."""
    return HERE / f"window-{window}.tflite"


def write_head(window: int) -> None:
    """Random weights whose scores spread over 0…1 on speech."""
    rng, inputs = np.random.default_rng(window), window * EMBEDDING
    weights = heads.Weights(
        rng.normal(0, 0.05, (inputs, HIDDEN)).astype(np.float32),
        np.zeros(HIDDEN, np.float32),
        rng.normal(0, 0.3, (HIDDEN, 1)).astype(np.float32),
        np.zeros(1, np.float32),
    )
    with patch.multiple(heads, INPUTS=inputs, HEAD_WINDOW=window, HIDDEN=HIDDEN):
        heads.write(weights, head(window), head(window).stem)


def main() -> None:
    """Write the heads, then let openwakeword hear."""
    for window in WINDOWS:
        write_head(window)
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "sound.npy"
        np.save(wav, sound())
        models = [str(fetch.path("melspectrogram")), str(fetch.path("embedding")), str(wav), str(FRAMES)]
        given = [*models, *(str(head(window)) for window in WINDOWS), "--golden", str(GOLDEN)]
        subprocess.run([sys.argv[1], "bench/peer_openwakeword.py", *given], check=True)


if __name__ == "__main__":
    main()
