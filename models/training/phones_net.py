"""The network of phones.py: convolutions fitted by CTC (Graves et al. 2006), as INT8 TFLite."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import litert_torch
import numpy as np
import torch
from ai_edge_quantizer import quantizer, recipe
from numpy.random import Generator
from torch import Tensor, nn
from tqdm import tqdm

from gateway.voice.engine import EMBEDDING
from gateway.voice.networks import WINDOW
from gateway.voice.phones import BLANK, STEPS
from models.training.carriers import pick
from models.training.clips import Rows
from models.training.folding import folded

WIDTH, DILATIONS, DROPPED = 128, (1, 2, 4, 1, 1, 2, 4, 1), 0.05
NOISE, RATE, DECAY, CLIPPED = 0.3, 3e-3, 0.02, 5.0
CUT = 0.1
"""How much it counts that a cut stream is heard as the whole one is."""
FRAMES = 1500
"""Embeddings of a batch."""

Example = tuple[Sequence[Rows], list[int]]
"""Embeddings of a stream, each time that it was heard, and its phones."""


class Layer(nn.Module):
    """Adds what a dilated convolution finds."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.found = nn.Sequential(
            nn.Conv2d(WIDTH, WIDTH, (3, 1), padding=(dilation, 0), dilation=(dilation, 1)),
            nn.BatchNorm2d(WIDTH),
        )
        self.dropped = nn.Dropout(DROPPED)

    def forward(self, x: Tensor) -> Tensor:
        """(n, WIDTH, frames, 1) to the same."""
        return x + self.dropped(torch.relu(self.found(x)))


class Net(nn.Module):
    """Embeddings (n, frames, 96) to logits (n, frames, STEPS · symbols)."""

    def __init__(self, symbols: int, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.mean, self.deviation = nn.Buffer(mean), nn.Buffer(deviation)
        self.first = nn.Sequential(nn.Conv2d(EMBEDDING, WIDTH, (3, 1), padding=(1, 0)), nn.BatchNorm2d(WIDTH))
        self.layers = nn.Sequential(*map(Layer, DILATIONS))
        self.last = nn.Conv2d(WIDTH, STEPS * symbols, 1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.scaled((x - self.mean) / self.deviation)

    def scaled(self, x: Tensor) -> Tensor:
        """The logits of inputs of mean 0 and deviation 1."""
        found = self.layers(torch.relu(self.first(x.transpose(1, 2)[..., None])))
        return self.last(found)[..., 0].transpose(1, 2)


@dataclass
class Fit:
    """How far the training has come."""

    net: Net
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    epoch: int = 0

    def save(self, file: Path) -> None:
        """All at once: a run that is cut in between keeps the last one."""
        part = file.with_suffix(".part")
        state = (self.net, self.optimiser, self.schedule)
        torch.save({"epoch": self.epoch, "parts": [one.state_dict() for one in state]}, part)
        os.replace(part, file)

    def restore(self, file: Path) -> None:
        """As `save` left it."""
        kept = torch.load(file)
        self.epoch = kept["epoch"]
        for one, state in zip((self.net, self.optimiser, self.schedule), kept["parts"], strict=True):
            one.load_state_dict(state)


def fit(examples: Sequence[Example], symbols: int, epochs: int, seed: int, file: Path) -> Net:
    """Fits on `examples`; goes on from `file` where an earlier run was cut, and keeps it up to date."""
    torch.manual_seed(seed)
    rows = torch.from_numpy(np.concatenate([heard[0] for heard, _ in examples]).astype(np.float32))
    net = Net(symbols, rows.mean(0), rows.std(0) + 1e-3)
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    count = len(batches(examples, np.random.default_rng(seed)))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=epochs * (count + 9))
    state = Fit(net, optimiser, schedule)
    if file.exists():
        state.restore(file)
    with tqdm(total=epochs, initial=state.epoch, desc=file.stem, unit="epoch") as bar:
        while state.epoch < epochs:
            rng = np.random.default_rng([seed, state.epoch])
            torch.manual_seed(seed + state.epoch)
            loss = _epoch(state, examples, rng)
            state.epoch += 1
            state.save(file)
            bar.set_postfix(loss=f"{loss:.3f}")
            bar.update()
    net.eval()
    return net


def batches(examples: Sequence[Example], rng: Generator) -> list[list[int]]:
    """Places of examples of about the same length, FRAMES embeddings at most, in an order of chance."""
    lengths = np.array([len(heard[0]) for heard, _ in examples])
    made: list[list[int]] = [[]]
    for place in np.argsort(lengths + rng.uniform(0, 20, len(lengths))):
        longest = max((lengths[other] for other in made[-1]), default=0)
        if made[-1] and max(longest, lengths[place]) * (len(made[-1]) + 1) > FRAMES:
            made.append([])
        made[-1].append(int(place))
    return [made[int(turn)] for turn in rng.permutation(len(made))]


def _epoch(state: Fit, examples: Sequence[Example], rng: Generator) -> float:
    """The mean loss of one turn through all batches; of a stream that was heard several times, one counts."""
    net, losses = state.net.train(), []
    wanted = nn.CTCLoss(blank=BLANK, zero_infinity=True)
    for batch in batches(examples, rng):
        heard = [pick(examples[place][0], rng) for place in batch]
        said = [torch.tensor(examples[place][1]) for place in batch]
        lengths = torch.tensor([len(rows) for rows in heard])
        x = _padded(net, heard, lengths)
        x = x + NOISE * torch.randn_like(x) * torch.rand(len(batch), 1, 1)
        steps = _steps(net, x)
        counts = torch.tensor([*map(len, said)])
        loss = wanted(steps.transpose(0, 1), torch.cat(said), lengths * STEPS, counts)
        long = [place for place, rows in enumerate(heard) if len(rows) > WINDOW]
        if long:
            phones = counts[long] / lengths[long] * WINDOW
            apart = _cut(net, x[long], steps[long].detach(), lengths[long], rng)
            loss = loss + CUT * (apart / phones).mean()
        state.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIPPED)
        state.optimiser.step()
        state.schedule.step()
        losses.append(float(loss))
    return float(np.mean(losses))


def _padded(net: Net, heard: Sequence[Rows], lengths: Tensor) -> Tensor:
    """Streams side by side, of mean 0 and deviation 1, zeros after the shorter ones."""
    x = nn.utils.rnn.pad_sequence([torch.from_numpy(rows.astype(np.float32)) for rows in heard], True)
    is_there = torch.arange(x.shape[1])[None] < lengths[:, None]
    return torch.where(is_there[..., None], (x - net.mean) / net.deviation, 0)


def _steps(net: Net, x: Tensor) -> Tensor:
    """Log probabilities (n, frames · STEPS, symbols)."""
    logits = net.scaled(x)
    return logits.reshape(len(x), x.shape[1] * STEPS, -1).log_softmax(-1)


def _cut(net: Net, x: Tensor, steps: Tensor, lengths: Tensor, rng: Generator) -> Tensor:
    """How far from `steps` (of all) is what is heard in WINDOW frames of each: divergence, nats (n)."""
    starts = [int(rng.integers(int(length) - WINDOW + 1)) for length in lengths]
    parts = torch.stack([one[s : s + WINDOW] for one, s in zip(x, starts, strict=True)])
    whole = torch.stack([one[s * STEPS : (s + WINDOW) * STEPS] for one, s in zip(steps, starts, strict=True)])
    return (whole.exp() * (whole - _steps(net, parts))).sum((1, 2))


def export(net: Net, path: Path) -> None:
    """Writes `path`: (1, WINDOW, 96) to (1, WINDOW, STEPS · symbols), INT8 weights, floats in and out."""
    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder) / "phones.tflite"
        shape = torch.zeros(1, WINDOW, EMBEDDING)
        litert_torch.convert(folded(net.eval()), (shape,)).export(str(exact))
        small = quantizer.Quantizer(str(exact), recipe.dynamic_wi8_afp32())
        small.quantize().export_model(str(path), overwrite=True)
