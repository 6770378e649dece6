"""The device's own import paths, a broker and a gateway's ear."""

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

    def make(kind: Any = "terminal", runtime: Runtime = "micropython", **settings: Any) -> Board:
        name = f"{kind}-{len(boards) + 1}"
        config = device_config(name, broker.port, **settings)
        boards.append(Board(tmp_path / name, kind, config, runtime))
        return boards[-1]

    yield make
    for board in boards:
        board.power_cut()
