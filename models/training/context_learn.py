"""From bags of clips to the check of an answer's surroundings: windows where a head nears its threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from tqdm import tqdm

from gateway.voice.engine import EMBEDDING, FRAME_S, HEAD_WINDOW, WARM_UP_FRAMES
from gateway.voice.networks import WINDOW
from gateway.voice.phrases import Phrase
from models.training import heads, learn, texts
from models.training.clips import Bag
from models.training.heads import Batch, Weights
from models.training.texts import Wanted

STEPS = 3000
NOISE, DROPPED = 0.7, 0.4
"""Less than for a head: it has more to tell apart."""
SPOKEN = "spoken"
SPOKEN_S = (0.0, 0.9)
"""A phrase is decided so long after its end."""
UNSURE_S = (-0.4, 1.1)
"""Windows of a phrase that teach nothing, but for those of SPOKEN_S."""
HOT, WARM_SHARE = 0.35, 0.1
"""Others count where a head reaches this share of its threshold, and so many of the rest."""
WAIT_FRAMES = 5
"""Windows so much later count as well: an answer in doubt is judged again."""
SHARES = {"spoken": 240, "turned": 224, "near": 96, "talk": 96, "cold": 32}

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Windows:
    """Windows of WINDOW embeddings: last row, what each is, what is wanted of it (n, answers)."""

    rows: Floats
    last: Rows
    kind: NDArray[np.str_]
    wanted: Floats

    def at(self, chosen: Rows) -> Floats:
        """The chosen windows as (n, WINDOW * 96)."""
        return learn.cut(self.rows, self.last[chosen], WINDOW)


def windows_of(bags: Sequence[Bag], wanted: Sequence[Wanted], phrases: Mapping[str, Phrase]) -> Windows:
    """What the check learns from `bags`; the heads of `phrases` say where."""
    parts = []
    spotters = [(heads.read(phrases[one.id].head), phrases[one.id].threshold) for one in wanted]
    for bag in tqdm(bags, desc="context: where is a head near its threshold", unit="set"):
        parts.append(_windows(bag, wanted, spotters))
    bases = np.cumsum([0, *(len(bag.rows) for bag in bags)])
    last, kind, target = zip(*parts, strict=True)
    return Windows(
        np.concatenate([bag.rows for bag in bags]).astype(np.float32),
        np.concatenate([part + base for part, base in zip(last, bases, strict=False)]),
        np.concatenate(kind),
        np.concatenate(target),
    )


Part = tuple[Rows, NDArray[np.str_], Floats]


def _windows(bag: Bag, wanted: Sequence[Wanted], spotters: Sequence[tuple[Weights, float]]) -> Part:
    """Last row, kind and wanted scores of each window of a bag that teaches something."""
    ends = np.append(bag.starts[1:], len(bag.rows))
    first = max(WARM_UP_FRAMES, WINDOW)
    clip = np.repeat(np.arange(len(bag.starts)), np.maximum(0, ends - bag.starts - first))
    within = np.concatenate([np.arange(first, max(first, n)) for n in ends - bag.starts])
    last = bag.starts[clip] + within
    offset = np.asarray((within + 1) * FRAME_S - bag.ends_s[clip], np.float32)
    hot = after(_warmth(bag.rows, last, spotters) >= HOT, clip)
    kind, target = _taught(bag, wanted, clip, offset, hot)
    used = kind != ""
    return last[used], kind[used], target[used]


def _taught(
    bag: Bag, wanted: Sequence[Wanted], clip: Rows, offset: Floats, hot: NDArray[np.bool_]
) -> tuple[NDArray[np.str_], Floats]:
    ids = [one.id for one in wanted]
    target = np.zeros((len(clip), len(ids)), np.float32)
    kind = np.full(len(clip), "", "U8")
    if bag.kind in ids:
        spoken = (offset >= SPOKEN_S[0]) & (offset <= SPOKEN_S[1])
        target[:, ids.index(bag.kind)] = 1
        kind[spoken] = "spoken"
        early = hot & (offset < UNSURE_S[0])
        kind[early] = "near"
        target[early] = 0
        return kind, target
    group = {"turned": "turned", "near": "near", "negated": "near"}.get(bag.kind, "talk")
    kind[hot] = group
    rest = np.flatnonzero(~hot)
    kind[rest[:: round(1 / WARM_SHARE)]] = "cold"
    for number, one in enumerate(wanted):
        said = np.array([texts.contains(text, one.texts) for text in bag.texts])
        if group == "turned" and one.rating == "low":
            said = np.array([_is_turned_round(text) for text in bag.texts])
        elif group == "turned":
            continue
        target[said[clip], number] = np.nan
    return kind, target


def after(hot: NDArray[np.bool_], clip: Rows) -> NDArray[np.bool_]:
    """`hot`, and WAIT_FRAMES more in the same clip."""
    out = hot.copy()
    for back in range(1, WAIT_FRAMES + 1):
        out[back:] |= hot[:-back] & (clip[back:] == clip[:-back])
    return out


def _is_turned_round(text: str) -> bool:
    """ "Not" is in it: a low answer may be meant."""
    return bool({"not", "не", "never", "hardly"} & set(texts.plain(text).split())) or "n't" in text


def _warmth(rows: NDArray[np.float16], last: Rows, spotters: Sequence[tuple[Weights, float]]) -> Floats:
    """How near a head is to its threshold at best, in each window: 1 is on it."""
    out, finer = np.zeros(len(last), np.float32), rows.astype(np.float32)
    for part in np.array_split(np.arange(len(last)), max(1, len(last) // 2048)):
        x = learn.cut(finer, last[part], HEAD_WINDOW)
        out[part] = np.max([head.score(x) / threshold for head, threshold in spotters], axis=0)
    return out


def train(windows: Windows, shape: tuple[int, int], rng: Generator) -> Weights:
    """The check of a group of phrases; `shape`: hidden units, outputs."""
    mean, deviation = windows.rows.mean(0), windows.rows.std(0) + 1e-3
    scaled = replace(windows, rows=(windows.rows - mean) / deviation)
    pools = {name: np.flatnonzero(windows.kind == name) for name in SHARES}
    answers = [rows for rows in _by_answer(windows, pools.pop(SPOKEN), shape[1]) if len(rows)]
    with tqdm(total=STEPS, desc="context: learn", unit="step") as bar:
        found = heads.train(
            lambda: _draw(scaled, answers, pools, rng),
            WINDOW * EMBEDDING,
            learn.counted(STEPS, bar),
            STEPS,
            rng,
            NOISE,
            shape,
            DROPPED,
        )
    return heads.unscaled(found, mean, deviation)


def _draw(windows: Windows, answers: Sequence[Rows], pools: Mapping[str, Rows], rng: Generator) -> Batch:
    """Each answer as often; of the others by their shares."""
    each = -(-SHARES[SPOKEN] // len(answers))
    chosen = [rng.choice(rows, each) for rows in answers]
    chosen += [rng.choice(rows, SHARES[name]) for name, rows in pools.items() if len(rows)]
    rows = np.concatenate(chosen)
    return windows.at(rows), windows.wanted[rows]


def _by_answer(windows: Windows, spoken: Rows, outputs: int) -> list[Rows]:
    return [spoken[windows.wanted[spoken, number] == 1] for number in range(outputs)]
