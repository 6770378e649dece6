"""The only importer of a TFLite runtime: ai-edge-litert, or tflite-runtime where that is installed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RUNTIMES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")

Array = NDArray[Any]


class ModelError(RuntimeError):
    """A model or the runtime is missing or unusable; the text says what to do next."""


class Model:
    """One TFLite model with one input; not safe to share between threads.

    `small`: without XNNPACK, whose copy of the weights takes memory and saves a dense layer no time.
    Raises ModelError when no runtime is installed or the file is missing or no model.
    """

    def __init__(self, path: Path, threads: int = 1, *, small: bool = False) -> None:
        self.path = path
        self._interpreter = _open(path, threads, small)
        self._allocated = False
        self._read_details()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape `run` accepts now."""
        return self._shape

    def resize(self, shape: Sequence[int]) -> None:
        """Set the input's shape once; tensors are re-allocated here and not at every run."""
        self._interpreter.resize_tensor_input(self._input, list(shape), strict=False)
        self._allocate()

    def run(self, x: Array) -> list[Array]:
        """Copies of all outputs in the model's order for `x` of `input_shape` (cast to the input's type)."""
        if not self._allocated:
            self._allocate()
        self._interpreter.set_tensor(self._input, np.ascontiguousarray(x, self._dtype))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]

    def _allocate(self) -> None:
        """Not in the constructor: the melspectrogram model cannot be allocated at the shape it ships with."""
        self._interpreter.allocate_tensors()
        self._allocated = True
        self._read_details()

    def _read_details(self) -> None:
        detail = self._interpreter.get_input_details()[0]
        self._input: int = detail["index"]
        self._dtype = detail["dtype"]
        self._shape = tuple(int(n) for n in detail["shape"])
        self._outputs = [int(output["index"]) for output in self._interpreter.get_output_details()]


def _open(path: Path, threads: int, small: bool) -> Any:
    if not path.is_file():
        raise ModelError(f"model file {path} is missing; run `emobox models` to fetch it")
    try:
        runtime = _runtime()
        kinds = runtime.OpResolverType
        resolver = kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES if small else kinds.AUTO
        return runtime.Interpreter(
            model_path=str(path), num_threads=threads, experimental_op_resolver_type=resolver
        )
    except ValueError as error:
        raise ModelError(f"{path} is not a usable TFLite model ({error}); run `emobox models`") from error


def _runtime() -> Any:
    for name in RUNTIMES:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise ModelError("no TFLite runtime here; run `pip install ai-edge-litert==2.3.0`")
