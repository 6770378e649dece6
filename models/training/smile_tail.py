"""The last layers once more, on what the first ones see, with more faces that only look like a smile.

A third of each batch are now FER2013's faces that cry, rage, fear or are surprised: after the first fit
crying faces passed for smiles. The first layers stay: their output is computed once, the rest takes a minute.
"""

from __future__ import annotations

import copy
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from models.training import smile_augment
from models.training.smile_data import FER, HAPPY, NO_LABEL, TRAIN, Faces
from models.training.smile_fit import NEUTRAL, loss, wanted_of
from models.training.smile_net import Net

FIRST = 10  # layers of Net.f that stay
EACH = {"mux": 9000, "happy": 5000, "neutral": 3500, "others": 9000}
SHARES = {"mux": 44, "happy": 24, "neutral": 14, "others": 46}  # of a batch
STEPS, RATE, DECAY, AVERAGE = 700, 1e-3, 0.03, 0.99
CHUNK = 256

Rows = NDArray[np.int64]


def refit(net: Net, faces: Faces, teacher: NDArray[np.float32], seed: int) -> Net:
    """`net` with its last layers fitted anew."""
    rng = np.random.default_rng((seed, 1))
    torch.manual_seed(seed)
    groups = {
        name: rng.choice(rows, min(len(rows), EACH[name]), replace=False)
        for name, rows in _groups(faces).items()
    }
    chosen = np.concatenate(list(groups.values()))
    seen = _seen(net.eval(), faces, chosen, rng)
    goals = torch.from_numpy(wanted_of(faces, teacher)[1][chosen])
    ends = np.cumsum([0, *(len(rows) for rows in groups.values())])
    spans = dict(zip(groups, pairwise(ends), strict=True))
    return _fitted(net, seen, goals, spans, rng)


def _groups(faces: Faces) -> dict[str, Rows]:
    train, fer, label = faces.part == TRAIN, faces.source == FER, faces.label
    members = {
        "mux": train & ~fer & (label != NO_LABEL),
        "happy": train & fer & (label == HAPPY),
        "neutral": train & fer & (label == NEUTRAL),
        "others": train & fer & (label != HAPPY) & (label != NEUTRAL),
    }
    return {name: np.flatnonzero(rows) for name, rows in members.items()}


def _seen(net: Net, faces: Faces, chosen: Rows, rng: np.random.Generator) -> Tensor:
    """(n, 64, 8, 8) after the first layers, of shaken pictures."""
    parts = []
    for start in tqdm(range(0, len(chosen), CHUNK), desc="first layers"):
        rows = chosen[start : start + CHUNK]
        shaken = [
            smile_augment.face(faces.pictures[i], float(faces.window[i]), float(faces.down[i]), rng)
            for i in rows
        ]
        with torch.no_grad():
            parts.append(net.f[:FIRST](torch.from_numpy(np.stack(shaken)[:, None])).half())
    return torch.cat(parts)


def _fitted(
    net: Net, seen: Tensor, goals: Tensor, spans: dict[str, tuple[int, int]], rng: np.random.Generator
) -> Net:
    tail = nn.Sequential(net.f[FIRST:], nn.AdaptiveAvgPool2d(1), nn.Flatten(), net.drop, net.h).train()
    mean = copy.deepcopy(tail)
    optimiser = torch.optim.AdamW(tail.parameters(), RATE, weight_decay=DECAY)
    fade = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in tqdm(range(STEPS), desc="last layers"):
        rows = torch.from_numpy(np.concatenate([rng.integers(*spans[name], SHARES[name]) for name in spans]))
        value = loss(tail(seen[rows].float()), goals[rows])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        fade.step()
        _follow(mean, tail)
    tail.load_state_dict(mean.state_dict())
    return net


def _follow(mean: nn.Module, tail: nn.Module) -> None:
    with torch.no_grad():
        for slow, fast in zip(mean.state_dict().values(), tail.state_dict().values(), strict=True):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - AVERAGE)
            else:
                slow.copy_(fast)
