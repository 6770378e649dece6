"""The heads' own training and writing, on toy data; the real thing takes minutes and is run by hand."""

from pathlib import Path

import numpy as np
import pytest

from gateway.voice.engine import Head
from models.training import heads


def toy(seed: int) -> heads.Weights:
    """A head that learns whether the first numbers of a window are high."""
    rng = np.random.default_rng(seed)

    def draw() -> heads.Batch:
        y = rng.integers(0, 2, 64).astype(np.float32)
        x = rng.normal(0, 1, (64, heads.INPUTS)).astype(np.float32)
        x[:, :40] += 2 * y[:, None]
        return x, y

    return heads.train(draw, (np.zeros(heads.INPUTS), np.ones(heads.INPUTS)), 60, rng)


def test_a_written_head_gives_the_scores_of_the_weights_it_was_written_from(tmp_path: Path) -> None:
    weights = toy(1)
    heads.write(weights, tmp_path / "toy.tflite", "toy")
    windows = np.random.default_rng(2).normal(0, 1, (20, 16, 96)).astype(np.float32)
    written = [Head(tmp_path / "toy.tflite").score(window) for window in windows]
    assert written == pytest.approx(list(weights.score(windows.reshape(20, -1))), abs=1e-5)


def test_training_learns_and_the_same_seed_gives_the_same_weights() -> None:
    high = np.zeros((1, heads.INPUTS), np.float32)
    high[:, :40] = 2
    assert toy(3).score(high)[0] > 0.9
    assert toy(3).score(-high)[0] < 0.1
    np.testing.assert_array_equal(toy(3).w1, toy(3).w1)
