"""Fits the smile network: batches drawn by step number, averaged weights, checkpoints to go on from.

After the first fit and its polish come rounds in which the network's own answers to good pictures are half
of what is wanted: they are better than noisy labels (born-again networks, Furlanello et al. 2018).
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from gateway.vision.smile import LABELS, OTHERS
from models.training import smile_augment
from models.training.smile_data import FER, HAPPY, NO_LABEL, TRAIN, Faces, kept
from models.training.smile_net import Net, both_ways

NEUTRAL = LABELS.index("neutral")
OTHER = [LABELS.index(name) for name in OTHERS]
RATE, DECAY, WARM_STEPS, FADING = 2e-3, 0.03, 200, 1 / 3
POLISH, POLISH_STEPS = 0.3, 1900  # of that rate; after the others
ROUNDS, ROUND_STEPS, ROUND_RATE, OWN_SHARE = 4, 4500, 0.3, 0.5
AVERAGE, OTHER_WEIGHT = 0.998, 0.25
SAVE_EVERY = 250
ROUND_WARM_STEPS = 100
CHUNK = 128
LABEL_MIN = 1e-6

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """How long, from which seed; a polish and rounds follow."""

    steps: int
    seed: int

    @property
    def ends(self) -> list[int]:
        """The last step of the polish and of each round."""
        return [self.steps + POLISH_STEPS + number * ROUND_STEPS for number in range(ROUNDS + 1)]


@dataclass
class State:
    """What a checkpoint holds."""

    net: Net
    average: Net
    optimiser: torch.optim.Optimizer
    step: int = 0

    def save(self, path: Path) -> None:
        """Written beside and renamed."""
        parts = {"net": self.net.state_dict(), "average": self.average.state_dict()}
        part = path.with_suffix(".part")
        torch.save({**parts, "optimiser": self.optimiser.state_dict(), "step": self.step}, part)
        part.replace(path)

    def restore(self, path: Path) -> None:
        """Goes on where the file ends."""
        found = torch.load(path)
        self.net.load_state_dict(found["net"])
        self.average.load_state_dict(found["average"])
        self.optimiser.load_state_dict(found["optimiser"])
        self.step = found["step"]


class Batches(Dataset[tuple[Tensor, Rows]]):
    """The batch of a step: two fifths of it muxspace, three eighths happy; the same for the same seed."""

    def __init__(self, faces: Faces, seed: int, steps: range) -> None:
        self._faces, self._seed, self._steps = faces, seed, steps
        self._pools = pools(faces)

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: int) -> tuple[Tensor, Rows]:
        step = self._steps[index]
        rng, mix = np.random.default_rng((self._seed, step)), smile_augment.mix_of(step)
        rows = np.concatenate([rng.choice(pool, count) for pool, count in self._pools])
        return torch.from_numpy(np.stack([self._face(row, rng, mix) for row in rows])).permute(
            0, 3, 1, 2
        ), rows

    def _face(self, row: int, rng: np.random.Generator, mix: smile_augment.Mix) -> Floats:
        faces = self._faces
        window, down = float(faces.window[row]), float(faces.down[row])
        return smile_augment.face(faces.pictures[row], window, down, rng, mix)


def pools(faces: Faces) -> list[tuple[Rows, int]]:
    """Rows of the training part, and how many of them are in each batch of 128."""
    train, happy, fer = faces.part == TRAIN, faces.label == HAPPY, faces.source == FER
    neutral = faces.label == NEUTRAL
    mux = train & ~fer & (faces.label != NO_LABEL)
    groups = (
        (mux & happy, 22),
        (mux & ~happy, 30),
        (train & fer & happy, 26),
        (train & fer & neutral, 18),
        (train & fer & ~happy & ~neutral, 32),
    )
    return [(np.flatnonzero(members), count) for members, count in groups]


def fit(faces: Faces, teacher: Floats, plan: Plan, checkpoint: Path) -> Net:
    """The averaged network after all rounds of `plan`."""
    torch.manual_seed(plan.seed)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    state = _fresh()
    if checkpoint.exists():
        state.restore(checkpoint)
    wanted = wanted_of(faces, teacher)
    for number, end in enumerate(plan.ends):
        if state.step < end:
            goals = _softened_by(state.average, wanted, faces, checkpoint, number) if number else wanted
            _run(state, faces, torch.from_numpy(goals), plan, end, checkpoint)
    return state.average


def _run(state: State, faces: Faces, goals: Tensor, plan: Plan, end: int, checkpoint: Path) -> None:
    """Steps up to `end`."""
    steps = range(state.step, end)
    batches = DataLoader(Batches(faces, plan.seed, steps), batch_size=None, num_workers=1, prefetch_factor=4)
    bar = tqdm(
        batches,
        desc="smile",
        initial=state.step,
        total=plan.ends[-1],
        unit="steps",
        mininterval=1,
        file=sys.stderr,
    )
    for pictures, rows in bar:
        goal = goals[torch.as_tensor(rows)]
        bar.set_postfix(loss=f"{_step(state, pictures, goal, plan):.3f}", refresh=False)
        if state.step % SAVE_EVERY == 0 or state.step == end:
            state.save(checkpoint)


def _softened_by(net: Net, wanted: Floats, faces: Faces, checkpoint: Path, number: int) -> Floats:
    """What is wanted in a round; the answers of the network before it are kept beside the checkpoint."""
    place = checkpoint.with_suffix(f".own{number}.npy")
    return softened(wanted, kept(place, lambda: _all_answers(net, faces)), faces.part == TRAIN)


def _all_answers(net: Net, faces: Faces) -> Floats:
    """(n,) how surely each face of the training part smiles; 0 for all others."""
    answers, rows = np.zeros(len(faces), np.float32), np.flatnonzero(faces.part == TRAIN)
    for some in tqdm(np.array_split(rows, -(-len(rows) // CHUNK)), desc="own answers", file=sys.stderr):
        answers[some] = own_answers(net, faces, some)
    return answers


def own_answers(net: Net, faces: Faces, rows: Rows) -> Floats:
    """(n,) the network's mean probability of a smile over good views of each face, both ways round."""
    views = [
        smile_augment.views(faces.pictures[n], float(faces.window[n]), float(faces.down[n])) for n in rows
    ]
    shown = torch.from_numpy(np.concatenate(views)).permute(0, 3, 1, 2)
    logits = both_ways(net, shown)
    return np.asarray(logits.sigmoid().reshape(len(rows), -1).mean(1).numpy(), np.float32)


def softened(wanted: Floats, own: Floats, known: NDArray[np.bool_]) -> Floats:
    """`wanted` (n, 7) with the own answers (n,) to half, where `known`; the rest keeps its shares."""
    smile = np.where(known, (1 - OWN_SHARE) * wanted[:, HAPPY] + OWN_SHARE * own, wanted[:, HAPPY])
    out = wanted * ((1 - smile) / np.maximum(1 - wanted[:, HAPPY], LABEL_MIN))[:, None]
    out[:, HAPPY] = smile
    return np.asarray(np.clip(out, LABEL_MIN, 1), np.float32)


def _fresh() -> State:
    net: Net = Net().to(memory_format=torch.channels_last)
    return State(
        net, copy.deepcopy(net).eval(), torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    )


def wanted_of(faces: Faces, teacher: Floats) -> Floats:
    """(n, 7): the mean of the labels and the teacher's answers, or these alone."""
    hard, known = np.full_like(teacher, LABEL_MIN), faces.label != NO_LABEL
    hard[np.flatnonzero(known), faces.label[known]] = 1
    return np.where(known[:, None], (hard + teacher) / 2, teacher).astype(np.float32)


def rate(step: int, steps: int) -> float:
    """Rises over 200 steps, stays, falls to 0 over the last third; in the polish and each round again."""
    after = step - steps - POLISH_STEPS
    if after >= 0:
        done = after % ROUND_STEPS
        return RATE * ROUND_RATE * min(1.0, (done + 1) / ROUND_WARM_STEPS) * (1 - done / ROUND_STEPS)
    if step >= steps:
        return RATE * POLISH * (1 - (step - steps) / POLISH_STEPS)
    return RATE * min(1.0, (step + 1) / WARM_STEPS) * min(1.0, (steps - step) / (FADING * steps))


def _step(state: State, pictures: Tensor, goal: Tensor, plan: Plan) -> float:
    for group in state.optimiser.param_groups:
        group["lr"] = rate(state.step, plan.steps)
    value = loss(state.net.train()(pictures.to(memory_format=torch.channels_last)), goal)
    state.optimiser.zero_grad()
    value.backward()
    state.optimiser.step()
    state.step += 1
    _average(state)
    return float(value.detach())


def loss(logits: Tensor, goal: Tensor) -> Tensor:
    """Is it a smile; and if not, which other emotion."""
    smile, others = goal[:, HAPPY], goal[:, OTHER]
    others = others / others.sum(1, keepdim=True)
    which = -(others * logits[:, 1:].log_softmax(1)).sum(1)
    is_smile = nn.functional.binary_cross_entropy_with_logits(logits[:, 0], smile)
    return is_smile + OTHER_WEIGHT * (which * (1 - smile)).mean()


def _average(state: State) -> None:
    share = 1 - min(AVERAGE, (1 + state.step) / (10 + state.step))
    pairs: Sequence[tuple[Any, Any]] = list(
        zip(state.average.state_dict().values(), state.net.state_dict().values(), strict=True)
    )
    with torch.no_grad():
        for mean, value in pairs:
            if mean.dtype.is_floating_point:
                mean.lerp_(value, share)
            else:
                mean.copy_(value)
