"""`python -m gateway.voice.whisper_child`: writes down sound, in a process of its own for whisper.py.

The only importer of faster-whisper. A request is a JSON line {"language", "bytes"} and so much int16 sound at
16 kHz, the answer a JSON line {"text", "sure"}; `sure` is the mean log probability of the words. Nothing is
fetched, and nothing is written to a disk.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np
from faster_whisper import WhisperModel

from gateway.voice import whisper

THREADS = 2


def main() -> int:
    """Serve until standard input ends: whoever asks is gone."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    os.nice(10)  # the ear comes first
    model = WhisperModel("whisper", "cpu", compute_type="int8", cpu_threads=THREADS, files=whisper.model())
    while asked := sys.stdin.buffer.readline():
        print(json.dumps(_heard(model, json.loads(asked), sys.stdin.buffer)), file=answers, flush=True)
    return 0


def _heard(model: WhisperModel, asked: Mapping[str, object], sounds: BinaryIO) -> dict[str, object]:
    sound = np.frombuffer(sounds.read(int(str(asked["bytes"]))), "<i2").astype(np.float32) / 32768
    try:
        found, _ = model.transcribe(
            sound, str(asked["language"]), beam_size=1, temperature=0.0, without_timestamps=True
        )
        said = [(one.text.strip(), one.avg_logprob) for one in found]
    except ValueError as error:  # a language that it does not know
        return {"text": "", "sure": 0.0, "error": str(error)}
    return {"text": " ".join(text for text, _ in said), "sure": min((sure for _, sure in said), default=0.0)}


if __name__ == "__main__":
    sys.exit(main())
