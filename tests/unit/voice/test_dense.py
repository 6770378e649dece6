"""Plain heads scored together, against the interpreter's own scores; other shapes keep their interpreter."""

from pathlib import Path
from unittest.mock import patch

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as tfl

from gateway.tflite import Model
from gateway.voice import engine
from gateway.voice.engine import Head, Heads
from gateway.voice.phrases import catalogue
from models.training import heads
from tests.unit.voice.openwakeword.make import WINDOWS, head


def sound_of_chance(count: int, window: int = 16) -> np.ndarray:
    """Embeddings (count, window, 96) as wide as those of speech, and narrower and wider ones."""
    rng = np.random.default_rng(3)
    sizes = rng.choice([1.0, 5.0, 12.0], count)
    return np.asarray(rng.normal(0, 1, (count, window, 96)) * sizes[:, None, None], np.float32)


def foreign(path: Path) -> Path:
    """A head that is no plain one: its hidden units end at 6."""
    rng = np.random.default_rng(1)
    w1, w2 = rng.normal(0, 0.05, (1536, 8)), rng.normal(0, 0.3, (8, 1))
    weights = heads.Weights(*(np.asarray(w, np.float32) for w in (w1, np.zeros(8), w2, np.zeros(1))))
    model = heads._model(weights, "foreign")
    model.subgraphs[0].operators[1].builtinOptions.fusedActivationFunction = tfl.ActivationFunctionType.RELU6
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def test_shipped_heads_score_together_what_an_interpreter_gives_each() -> None:
    paths = {name: phrase.head for name, phrase in catalogue().items()}
    together, alone = Heads(paths), {name: Head(path) for name, path in paths.items()}
    for embeddings in sound_of_chance(40):
        scores = together.scores(embeddings)
        assert list(scores) == list(paths)
        assert scores == pytest.approx({name: one.score(embeddings) for name, one in alone.items()}, abs=5e-4)


def test_shipped_heads_need_no_interpreter_once_they_are_loaded() -> None:
    loaded = Heads({name: phrase.head for name, phrase in catalogue().items()})
    with patch.object(engine.Head, "score", side_effect=AssertionError("an interpreter ran")):
        loaded.scores(sound_of_chance(1)[0])


def test_heads_of_another_shape_or_window_score_as_their_interpreter_says(tmp_path: Path) -> None:
    paths = {str(window): head(window) for window in WINDOWS} | {"foreign": foreign(tmp_path / "f.tflite")}
    together, alone = Heads(paths), {name: Head(path) for name, path in paths.items()}
    assert alone["foreign"].plain() is None
    for embeddings in sound_of_chance(20, max(WINDOWS)):
        expected = {name: one.score(embeddings) for name, one in alone.items()}
        assert together.scores(embeddings) == pytest.approx(expected, abs=5e-4)


def test_plain_weights_take_two_bytes_each() -> None:
    path = next(iter(catalogue().values())).head
    found = Head(path).plain()
    floats = sum(one.nbytes for one in Model(path).floats() if one.ndim == 2 and len(one) > 1)
    assert found is not None
    assert found.rows.nbytes == floats / 2
