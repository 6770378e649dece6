"""The peer openwakeword 0.6.0 on ai-edge-litert as a process: CPU a frame, or what it computes for a test.

Runs in a venv of its own (bench/voice.py says how to make it), so it imports nothing of EmoBox.
Usage: PYTHON bench/peer_openwakeword.py MEL EMBEDDING SOUND.npy FRAMES HEAD… [--golden OUT.npz]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import types
from pathlib import Path
from typing import Any

import ai_edge_litert.interpreter as litert
import numpy as np

FRAME = 1280
WARM_UP = 40


def main() -> int:
    """Print {"ms": CPU a frame, "mb": resident memory}; with --golden also write what it computed."""
    parser = argparse.ArgumentParser()
    for name in ("mel", "embedding", "sound"):
        parser.add_argument(name)
    parser.add_argument("frames", type=int)
    parser.add_argument("heads", nargs="+")
    parser.add_argument("--golden")
    args = parser.parse_args()
    model = load(args.mel, args.embedding, args.heads)
    frames = np.resize(np.load(args.sound), (WARM_UP + args.frames) * FRAME).reshape(-1, FRAME)
    if args.golden:
        keep(model, frames, args.golden)
        return 0
    print(json.dumps({"ms": cpu_ms(model, frames), "mb": resident_mb()}))
    return 0


def load(mel: str, embedding: str, heads: list[str]) -> Any:
    """Its Model, with LiteRT in the place of tflite-runtime (which needs numpy 1)."""
    package = types.ModuleType("tflite_runtime")
    package.interpreter = litert  # type: ignore[attr-defined]
    sys.modules |= {"tflite_runtime": package, "tflite_runtime.interpreter": litert}
    from openwakeword.model import Model  # type: ignore[import-not-found]

    return Model(
        wakeword_models=heads,
        inference_framework="tflite",
        melspec_model_path=mel,
        embedding_model_path=embedding,
    )


def cpu_ms(model: Any, frames: np.ndarray[Any, Any]) -> float:
    """CPU milliseconds a frame, after a warm-up."""
    for frame in frames[:WARM_UP]:
        model.predict(frame)
    start = time.process_time()
    for frame in frames[WARM_UP:]:
        model.predict(frame)
    return 1000 * (time.process_time() - start) / len(frames[WARM_UP:])


def keep(model: Any, frames: np.ndarray[Any, Any], out: str) -> None:
    """Embeddings (n, 96) and scores (n, heads) after every frame, float32."""
    embeddings, scores = [], []
    for frame in frames:
        said = model.predict(frame)
        embeddings.append(model.preprocessor.feature_buffer[-1].copy())
        scores.append([said[name] for name in sorted(said)])
    np.savez_compressed(out, embeddings=np.stack(embeddings), scores=np.array(scores, np.float32))


def resident_mb() -> float:
    """Of this process, MiB."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


if __name__ == "__main__":
    sys.exit(main())
