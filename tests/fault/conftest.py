"""A broker, a database and hubs that none outlives its test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fault.shop import Hub, Witness
from tests.servers import ANONYMOUS_BROKER, Server, start_influxd, start_mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    """A real broker that a test may kill and start again."""
    settings = (*ANONYMOUS_BROKER, "user root")  # in a user namespace it cannot become another user
    with start_mosquitto(tmp_path, settings=settings) as server:
        yield server


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[Server]:
    """A real database that a test may kill and start again."""
    with start_influxd(tmp_path) as server:
        yield server


@pytest.fixture
def make_hub(tmp_path: Path, broker: Server) -> Iterator[Callable[..., Hub]]:
    """Makes and starts hubs of the test's broker."""
    hubs: list[Hub] = []

    def make(influx_url: str | None = None, *, folder: Path | None = None, **more: Any) -> Hub:
        hubs.append(Hub(folder or tmp_path / "state", broker, influx_url, **more))
        hubs[-1].start()
        return hubs[-1]

    yield make
    for hub in hubs:
        if hub.alive:
            hub.kill()


@pytest.fixture
def connect(broker: Server) -> Iterator[Callable[..., list[Witness]]]:
    """Makes devices of these names, connected."""
    devices: list[Witness] = []

    def make(*names: str) -> list[Witness]:
        fresh = [Witness(broker, name) for name in names]
        for device in fresh:
            device.start()
        devices.extend(fresh)
        return fresh

    yield make
    for device in devices:
        device.stop()
