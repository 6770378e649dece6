"""From bags of clips to a head: windows, hard negatives in rounds, members that check each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from tqdm import tqdm

from gateway.voice.engine import EMBEDDING, FRAME_S, HEAD_WINDOW, WARM_UP_FRAMES
from models.training import heads, texts
from models.training.clips import Bag, Size
from models.training.heads import Batch, Weights

POSITIVE_S = (0.0, 0.36)
"""Windows that end this long after the phrase's end are positives; others near it are left out."""
LEFT_OUT_S = (-0.3, 0.75)
SHARES = {"positive": 128, "partial": 32, "near": 96, "negated": 48, "other": 96, "scrap": 96}
SHARES |= {"talk": 160, "real": 56}
HARD_SHARE = 96
HARD = 6000
MEMBERS = 3
"""Each leaves a third of the negatives out, so that every negative is judged by a head that never saw it."""

Rows = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Windows:
    """All windows of a set: number of the last row, kind, fold and stream (or clip) of each."""

    rows: Floats
    last: Rows
    kind: NDArray[np.str_]
    fold: Rows
    clip: Rows
    offset_s: Floats

    def at(self, chosen: Rows) -> Floats:
        """The chosen windows as (n, 16 * 96)."""
        return cut(self.rows, self.last[chosen], HEAD_WINDOW)

    def of(self, *kinds: str) -> Rows:
        """Numbers of the windows of these kinds."""
        return np.flatnonzero(np.isin(self.kind, kinds))


def cut(rows: Floats, last: Rows, window: int) -> Floats:
    """The windows of `rows` (m, 96) that end with the rows `last` (n), as (n, window * 96)."""
    found: Floats = rows[last[:, None] + np.arange(1 - window, 1)]
    return found.reshape(len(last), window * EMBEDDING)


def windows_of(name: str, wordings: Sequence[str], bags: Sequence[Bag]) -> Windows:
    """The windows of all bags after the warm-up, by what they are for head `name`."""
    parts = [_windows(name, wordings, bag) for bag in bags]
    bases = np.cumsum([0, *(len(bag.rows) for bag in bags)])
    clips = np.cumsum([0, *(len(bag.starts) for bag in bags)])
    last = np.concatenate([part[0] + base for part, base in zip(parts, bases, strict=False)])
    clip = np.concatenate([part[2] + first for part, first in zip(parts, clips, strict=False)])
    rows = np.concatenate([bag.rows for bag in bags]).astype(np.float32)
    kind, offset = np.concatenate([part[1] for part in parts]), np.concatenate([part[3] for part in parts])
    return Windows(rows, last, kind, clip % MEMBERS, clip, offset.astype(np.float32))


def _windows(name: str, wordings: Sequence[str], bag: Bag) -> tuple[Rows, NDArray[np.str_], Rows, Floats]:
    """Last row, kind, clip and offset (s) from the phrase's end of each window of one bag."""
    ends = np.append(bag.starts[1:], len(bag.rows))
    clip = np.repeat(np.arange(len(bag.starts)), np.maximum(0, ends - bag.starts - WARM_UP_FRAMES))
    within = np.concatenate([np.arange(WARM_UP_FRAMES, max(WARM_UP_FRAMES, n)) for n in ends - bag.starts])
    offset = (within + 1) * FRAME_S - bag.ends_s[clip]
    kind = np.full(len(clip), bag.kind if bag.kind in SHARES else "other", "U12")
    if bag.kind == name:
        kind[:] = "left out"
        kind[(offset >= POSITIVE_S[0]) & (offset <= POSITIVE_S[1])] = "positive"
        kind[(offset < LEFT_OUT_S[0]) | (offset > LEFT_OUT_S[1])] = "partial"
    else:
        own = np.array([texts.contains(text, wordings) for text in bag.texts])
        kind[own[clip]] = "left out"
    return bag.starts[clip] + within, kind, clip, offset.astype(np.float32)


def train_head(name: str, windows: Windows, size: Size, rng: Generator) -> tuple[Weights, list[Weights]]:
    """The head and its members, in two rounds: the second one sees the worst mistakes again and again."""
    mean, deviation = windows.rows.mean(0), windows.rows.std(0) + 1e-3
    scaled = replace(windows, rows=(windows.rows - mean) / deviation)
    pools = {kind: windows.of(kind) for kind in SHARES}
    with tqdm(total=MEMBERS * sum(size.steps), desc=f"{name}: learn", unit="step") as bar:
        found = [_member(scaled, pools, number, size, rng, bar) for number in range(MEMBERS)]
    found = [heads.unscaled(member, mean, deviation) for member in found]
    return heads.merged(found), found


def _member(
    windows: Windows, pools: dict[str, Rows], number: int, size: Size, rng: Generator, bar: tqdm
) -> Weights:
    kept = {
        kind: rows if kind in ("positive", "partial") else rows[windows.fold[rows] != number]
        for kind, rows in pools.items()
    }
    kept = {kind: rows for kind, rows in kept.items() if len(rows)}
    first = _trained(windows, kept, size.steps[0], size.noise, rng, bar)
    negatives = np.concatenate([rows for kind, rows in kept.items() if kind != "positive"])
    judged = scores(first, windows, negatives)
    hard = kept | {"hard": negatives[np.argsort(judged)[-HARD:]]}
    return _trained(windows, hard, size.steps[1], size.noise, rng, bar)


def _trained(
    windows: Windows, pools: dict[str, Rows], steps: int, noise: float, rng: Generator, bar: tqdm
) -> Weights:
    inputs = HEAD_WINDOW * EMBEDDING
    return heads.train(lambda: _draw(windows, pools, rng), inputs, counted(steps, bar), steps, rng, noise)


def counted(steps: int, bar: tqdm) -> Iterator[int]:
    """1…`steps`, shown in the bar."""
    for step in range(1, steps + 1):
        yield step
        bar.update()


def _draw(windows: Windows, pools: dict[str, Rows], rng: Generator) -> Batch:
    shares = SHARES | {"hard": HARD_SHARE}
    chosen = np.concatenate([rng.choice(rows, shares[kind]) for kind, rows in pools.items()])
    y = np.zeros(len(chosen), np.float32)
    y[: shares["positive"]] = 1
    return windows.at(chosen), y


def scores(weights: Weights, windows: Windows, chosen: Rows) -> Floats:
    """Score of each chosen window."""
    if not len(chosen):
        return np.zeros(0, np.float32)
    parts = np.array_split(chosen, max(1, len(chosen) // 4096))
    return np.concatenate([weights.score(windows.at(part)) for part in parts])


def unseen_scores(members: Sequence[Weights], windows: Windows, chosen: Rows) -> Floats:
    """Score of each chosen negative by the member that never saw it."""
    out = np.zeros(len(chosen), np.float32)
    for number, member in enumerate(members):
        mine = windows.fold[chosen] == number
        out[mine] = scores(member, windows, chosen[mine])
    return out
