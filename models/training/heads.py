"""A phrase head, 1536 - hidden - 1: trained in numpy, written as an openWakeWord .tflite, no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
from ai_edge_litert import schema_py_generated as tfl
from numpy.random import Generator
from numpy.typing import NDArray

from gateway.voice.engine import EMBEDDING

HIDDEN = 16
NOISE_POOL = 4_000_000
INPUT_NOISE = 2.0
"""Deviation of noise on the scaled inputs in training: with much dropout it helps unheard speakers most.

Real people in a quiet room are heard best at 2; at 10 dB of noise 1 is better.
"""
DROPPED = 0.5
LEARNING_RATE, DECAY = 2e-3, 2e-3
Floats = NDArray[np.float32]
Batch = tuple[Floats, Floats]


@dataclass(frozen=True)
class Weights:
    """Layer by layer: (inputs, hidden), (hidden,), (hidden, outputs), (outputs,); a head has one output."""

    w1: Floats
    b1: Floats
    w2: Floats
    b2: Floats

    @property
    def window(self) -> int:
        """Embeddings that the head looks at."""
        return len(self.w1) // EMBEDDING

    def score(self, x: Floats) -> Floats:
        """Scores (n,) in 0…1 of windows (n, inputs)."""
        return self.scores(x)[:, 0]

    def scores(self, x: Floats) -> Floats:
        """All outputs (n, outputs) in 0…1."""
        return logistic(np.maximum(x @ self.w1 + self.b1, 0) @ self.w2 + self.b2)


def train(
    draw: Callable[[], Batch],
    inputs: int,
    steps: Iterable[int],
    total: int,
    rng: Generator,
    noise: float = INPUT_NOISE,
    shape: tuple[int, int] = (HIDDEN, 1),
    dropped: float = DROPPED,
) -> Weights:
    """Adam on binary cross-entropy over batches of `draw`: inputs of mean 0 and deviation 1, fresh arrays.

    `steps` counts 1…`total` (a progress bar may be put around it). `shape`: hidden units, outputs; `dropped`:
    the share of hidden units left out at a step. A wanted output of NaN teaches nothing.
    """
    params = _start(inputs, shape, rng)
    first, second = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    pool = rng.normal(0, noise, NOISE_POOL).astype(np.float32)
    for step in steps:
        x, y = draw()
        x += _cut(pool, x.shape, rng)
        gradients = _gradients(params, x, y, dropped, rng)
        rate = LEARNING_RATE * 0.5 * (1 + np.cos(np.pi * step / total))
        for param, gradient, m, v in zip(params, gradients, first, second, strict=True):
            m += 0.1 * (gradient - m)
            v += 0.001 * (gradient**2 - v)
            param -= rate * (m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8) + DECAY * param)
    return Weights(*params)


def _cut(pool: Floats, shape: tuple[int, ...], rng: Generator) -> Floats:
    """Noise of `shape` from a random place of the pool: fresh noise would cost more than the training."""
    size = int(np.prod(shape))
    first = int(rng.integers(len(pool) - size))
    return pool[first : first + size].reshape(shape)


def logistic(x: Floats) -> Floats:
    """1 / (1 + e^-x)."""
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))), np.float32)


def _start(inputs: int, shape: tuple[int, int], rng: Generator) -> list[Floats]:
    hidden, outputs = shape
    w1 = rng.normal(0, (2 / inputs) ** 0.5, (inputs, hidden)).astype(np.float32)
    w2 = rng.normal(0, (1 / hidden) ** 0.5, shape).astype(np.float32)
    return [w1, np.zeros(hidden, np.float32), w2, np.zeros(outputs, np.float32)]


def _gradients(params: list[Floats], x: Floats, y: Floats, dropped: float, rng: Generator) -> list[Floats]:
    w1, b1, w2, b2 = params
    hidden = np.maximum(x @ w1 + b1, 0)
    kept = (rng.random(hidden.shape) > dropped).astype(np.float32) / np.float32(1 - dropped)
    p = logistic((hidden * kept) @ w2 + b2)
    wanted = y.reshape(p.shape)
    d2 = np.where(np.isnan(wanted), 0, p - wanted) / np.float32(len(y))
    d1 = (d2 @ w2.T) * kept * (hidden > 0)
    return [x.T @ d1, d1.sum(0), (hidden * kept).T @ d2, d2.sum(0)]


def unscaled(weights: Weights, mean: Floats, deviation: Floats) -> Weights:
    """For inputs as they are, what `weights` are for scaled ones; mean and deviation of each of the 96."""
    times = len(weights.w1) // EMBEDDING
    w1 = weights.w1 / np.tile(deviation, times)[:, None]
    b1 = weights.b1 - np.tile(mean, times) @ w1
    return Weights(np.asarray(w1, np.float32), np.asarray(b1, np.float32), weights.w2, weights.b2)


def merged(members: Sequence[Weights]) -> Weights:
    """One head whose logit is the mean of the members' logits."""
    count = np.float32(len(members))
    return Weights(
        np.concatenate([member.w1 for member in members], 1),
        np.concatenate([member.b1 for member in members]),
        np.asarray(np.concatenate([member.w2 for member in members]) / count, np.float32),
        np.asarray(sum(member.b2 for member in members) / count, np.float32),
    )


def write(weights: Weights, path: Path, name: str) -> None:
    """The head as a .tflite: (1, n, 96) -> reshape -> dense, ReLU -> dense -> logistic -> (1, outputs).

    Inputs and outputs are float32; the large layer's weights are INT8 with one step: a quarter of the size.
    """
    model = _model(weights, name)
    builder = flatbuffers.Builder(1 << 18)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))


def read(path: Path) -> Weights:
    """What `write` wrote, the large layer's weights rounded."""
    model = tfl.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    tensors = model.subgraphs[0].tensors[1:5]
    found = [np.frombuffer(bytes(model.buffers[one.buffer].data), _dtype(one)) for one in tensors]
    w1, b1, w2, b2 = (
        values.reshape(one.shape).astype(np.float32) for values, one in zip(found, tensors, strict=True)
    )
    step = tensors[0].quantization.scale[0] if tensors[0].quantization else 1.0
    return Weights(np.asarray(w1.T * np.float32(step)), b1, w2.T, b2)


def _dtype(tensor: tfl.TensorT) -> str:
    return next(name for name, kind in TYPES.items() if kind == tensor.type)


def rounded(values: Floats) -> tuple[NDArray[np.int8], float]:
    """Weights as INT8, and what one step is."""
    step = max(float(np.abs(values).max()) / 127, 1e-12)
    return np.asarray(np.round(values / step), np.int8), step


def _model(weights: Weights, name: str) -> tfl.ModelT:
    shape = np.array([1, len(weights.w1)], np.int32)
    large, step = rounded(weights.w1.T)
    constants: list[NDArray[Any]] = [
        shape,
        large,
        weights.b1,
        weights.w2.T.astype(np.float32),
        weights.b2,
    ]
    model = tfl.ModelT()
    model.version, model.description = 3, f"EmoBox phrase head {name}"
    model.buffers = [tfl.BufferT(), *map(_buffer, constants)]
    model.operatorCodes = [_code(op) for op in OPERATORS]
    model.subgraphs = [_graph(constants, name)]
    model.subgraphs[0].tensors[1].quantization = _steps(step)
    return model


OPERATORS = (tfl.BuiltinOperator.RESHAPE, tfl.BuiltinOperator.FULLY_CONNECTED, tfl.BuiltinOperator.LOGISTIC)


def _steps(step: float) -> tfl.QuantizationParametersT:
    found = tfl.QuantizationParametersT()
    found.scale, found.zeroPoint = [step], [0]
    return found


def _buffer(values: NDArray[np.generic]) -> tfl.BufferT:
    buffer = tfl.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    return buffer


def _code(operator: int) -> tfl.OperatorCodeT:
    code = tfl.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = operator
    code.version = 3 if operator == tfl.BuiltinOperator.FULLY_CONNECTED else 1  # 3: INT8 weights
    return code


def _graph(constants: Sequence[NDArray[np.generic]], name: str) -> tfl.SubGraphT:
    graph = tfl.SubGraphT()
    names = ("shape", "w1", "b1", "w2", "b2")
    inputs, hidden = constants[1].shape[1], constants[1].shape[0]
    flows = {"embeddings": (1, inputs // EMBEDDING, EMBEDDING), "flat": (1, inputs), "hidden": (1, hidden)}
    flows |= {"logit": (1, len(constants[4])), "score": (1, len(constants[4]))}
    graph.tensors = [
        _tensor(n, c.shape, i + 1, c.dtype) for i, (n, c) in enumerate(zip(names, constants, strict=True))
    ]
    graph.tensors += [_tensor(n, shape, 0, np.dtype(np.float32)) for n, shape in flows.items()]
    graph.inputs, graph.outputs, graph.name = [5], [9], name
    graph.operators = [
        _operator(0, [5, 0], 6, tfl.BuiltinOptions.ReshapeOptions, tfl.ReshapeOptionsT()),
        _operator(1, [6, 1, 2], 7, tfl.BuiltinOptions.FullyConnectedOptions, _dense(relu=True)),
        _operator(1, [7, 3, 4], 8, tfl.BuiltinOptions.FullyConnectedOptions, _dense(relu=False)),
        _operator(2, [8], 9, tfl.BuiltinOptions.NONE, None),
    ]
    return graph


def _dense(*, relu: bool) -> tfl.FullyConnectedOptionsT:
    options = tfl.FullyConnectedOptionsT()
    kind = tfl.ActivationFunctionType
    options.fusedActivationFunction = kind.RELU if relu else kind.NONE
    return options


TYPES = {
    "int32": tfl.TensorType.INT32,
    "int8": tfl.TensorType.INT8,
    "float32": tfl.TensorType.FLOAT32,
}


def _tensor(name: str, shape: tuple[int, ...], buffer: int, dtype: np.dtype[np.generic]) -> tfl.TensorT:
    tensor = tfl.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name, list(shape), buffer
    tensor.type = TYPES[dtype.name]
    return tensor


def _operator(code: int, inputs: list[int], output: int, kind: int, options: object) -> tfl.OperatorT:
    operator = tfl.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, [output]
    operator.builtinOptionsType, operator.builtinOptions = kind, options
    return operator
