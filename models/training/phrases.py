"""Trains the phrase heads of models/tflite/en: `python -m models.training.phrases --data FOLDER`.

FOLDER holds librispeech_train.zip and commonvoice_other_languages.zip. Seeded, CPU only, about 20 minutes on
one core. Needs ffmpeg and the synthesisers that speech.py names; nothing of it is needed at run time.
Voices are split into three folds by speaker: thresholds and all figures of a card come from heads that never
heard the speaker; the head that ships is trained the same way on all of them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from tqdm import tqdm

from gateway.voice.engine import EMBEDDING, FRAME_S, HEAD_WINDOW, WARM_UP_FRAMES
from models.training import cards, clips, heads, speech
from models.training.clips import Clip
from models.training.heads import Batch, Weights

SEED = 20261121
POSITIVE_S = (0.0, 0.36)
"""Windows that end this long after the phrase's end are positives; others near it are left out."""
LEFT_OUT_S = (-0.3, 0.75)
POSITIVES, BATCH_SHARES = 128, {"near": 112, "other": 64, "partial": 64, "talk": 48, "real": 112}
STEPS = (1200, 1600)
HARD = 4000
HARD_BATCH = 96

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Windows:
    """All windows of the set: row of the last embedding, and the clip and offset (s) it belongs to."""

    rows: Floats
    last: Rows
    clip: Rows
    offset_s: Floats

    def at(self, chosen: Rows) -> Floats:
        """The chosen windows as (n, 1536)."""
        index = self.last[chosen][:, None] + np.arange(1 - HEAD_WINDOW, 1)
        found: Floats = self.rows[index]
        return found.reshape(len(chosen), HEAD_WINDOW * EMBEDDING)


def windows_of(every: Sequence[Clip]) -> Windows:
    """The windows of all clips after the warm-up."""
    starts = np.cumsum([0, *(len(clip.embeddings) for clip in every)])
    last, owner, offset = [], [], []
    for number, clip in enumerate(every):
        frames = np.arange(WARM_UP_FRAMES, len(clip.embeddings))
        last.append(starts[number] + frames)
        owner.append(np.full(len(frames), number))
        offset.append((frames + 1) * FRAME_S - (np.nan if clip.end_s is None else clip.end_s))
    rows = np.concatenate([clip.embeddings for clip in every])
    offset_s = np.concatenate(offset).astype(np.float32)
    return Windows(rows, np.concatenate(last), np.concatenate(owner), offset_s)


def pools(name: str, every: Sequence[Clip], windows: Windows, held_out: int | None) -> dict[str, Rows]:
    """Window numbers by what they are for head `name`, without the clips of fold `held_out`."""
    kinds = np.array([clip.kind for clip in every])[windows.clip]
    folds = np.array([clip.fold for clip in every])[windows.clip]
    own, offset, kept = kinds == name, windows.offset_s, folds != held_out
    masks = {kind: kinds == kind for kind in ("near", "talk", "real")}
    masks["positive"] = own & (offset >= POSITIVE_S[0]) & (offset <= POSITIVE_S[1])
    masks["partial"] = own & ((offset < LEFT_OUT_S[0]) | (offset > LEFT_OUT_S[1]))
    masks["other"] = ~own & ~np.isnan(offset)
    return {kind: np.flatnonzero(mask & kept) for kind, mask in masks.items()}


def train_head(name: str, every: Sequence[Clip], windows: Windows, held_out: int | None) -> Weights:
    """A head in two rounds: the second one sees the first one's worst mistakes again and again."""
    rng = np.random.default_rng([SEED, *name.encode(), 9 if held_out is None else held_out])
    pool = pools(name, every, windows, held_out)
    negatives = np.concatenate([pool[kind] for kind in BATCH_SHARES if len(pool[kind])])
    sample = windows.at(rng.choice(negatives, 4000))
    scale = (sample.mean(0), sample.std(0) + 1e-3)
    first = heads.train(partial(_draw, windows, pool, rng), scale, STEPS[0], rng)
    worst = negatives[np.argsort(_scores(first, windows, negatives))[-HARD:]]
    return heads.train(partial(_draw, windows, pool | {"hard": worst}, rng), scale, STEPS[1], rng)


def _draw(windows: Windows, pool: dict[str, Rows], rng: Generator) -> Batch:
    shares = BATCH_SHARES | ({"hard": HARD_BATCH} if "hard" in pool else {})
    negatives = [rng.choice(pool[kind], share) for kind, share in shares.items() if len(pool[kind])]
    chosen = np.concatenate([rng.choice(pool["positive"], POSITIVES), *negatives])
    return windows.at(chosen), (np.arange(len(chosen)) < POSITIVES).astype(np.float32)


def _scores(weights: Weights, windows: Windows, chosen: Rows) -> Floats:
    parts = np.array_split(chosen, max(1, len(chosen) // 4096))
    return np.concatenate([weights.score(windows.at(part)) for part in parts])


def held_out_scores(name: str, every: Sequence[Clip], windows: Windows) -> Floats:
    """The score of each window by a head that never heard its speaker."""
    folds = np.array([clip.fold for clip in every])[windows.clip]
    out = np.zeros(len(folds), np.float32)
    for fold in range(clips.FOLDS):
        chosen = np.flatnonzero(folds == fold)
        out[chosen] = _scores(train_head(name, every, windows, fold), windows, chosen)
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure, write heads and cards."""
    options = _options(arguments)
    speech.require_programs()
    real = clips.real_speech(options.data)
    every = clips.build(real, options.cache, np.random.default_rng(SEED))
    return make(every, cards.hashes(options.data), options.out)


def make(every: Sequence[Clip], data: dict[str, str], out: Path) -> int:
    """Heads and cards from finished clips into `out`."""
    windows, names = windows_of(every), list(clips.texts())
    scores = {name: held_out_scores(name, every, windows) for name in tqdm(names, desc="folds", unit="head")}
    measured = cards.measure(every, windows.clip, scores)
    for name in tqdm(names, desc="heads", unit="head"):
        heads.write(train_head(name, every, windows, None), out / f"{name}.tflite", name)
        cards.write(out / f"{name}.toml", name, measured[name], SEED, data)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.phrases", description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="folder with the recordings; without it no real speech is used"
    )
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "emobox" / "speech")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "tflite" / "en")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
