"""A disk that is really full: a small tmpfs, filled to the last byte and freed again."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fault.shop import (
    Hub,
    Witness,
    every_acknowledged_event_is_stored_once_at_its_own_time,
    followed,
    settled,
)
from tests.integration.hub import page
from tests.servers import Server
from tests.waiting import wait_for

MakeHub = Callable[..., Hub]
Connect = Callable[..., list[Witness]]

SIZE_MB = 64
HELP = (
    "a full disk needs a small tmpfs, and this user may not mount one ({why}); "
    "run as root, or: unshare -rm .venv/bin/pytest tests/fault/test_disk.py"
)


class SmallDisk:
    """A tmpfs, and a file that takes all that is left of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._filler = folder, folder / "somebody-else"

    def fill(self) -> None:
        """Take every byte; again where something was given back meanwhile."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                while _took(file.write, b"\0" * size):
                    pass

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink()


def _took(write: Callable[[bytes], int | None], data: bytes) -> bool:
    try:
        return write(data) == len(data)
    except OSError:
        return False


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "small", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(HELP.format(why=done.stderr.strip()))
    yield SmallDisk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_acknowledges_nothing_and_once_freed_everything_arrives(
    make_hub: MakeHub, connect: Connect, disk: SmallDisk, influx: Server
) -> None:
    hub, devices = make_hub(influx.url, folder=disk.folder / "state"), connect("term-1", "fob-1")
    hub.journal().close()
    for _ in range(20):
        happen(devices)
    settled(devices)
    for _ in range(2):
        disk.fill()
        fill_what_the_hub_gives_up(disk, devices)
        before = len(acknowledged(devices))
        for _ in range(20):
            happen(devices)
            time.sleep(0.05)
        time.sleep(
            3
        )  # the open ask reaches its time-out of 2 s meanwhile: the recorder has something to write
        assert hub.alive
        assert page(hub)["site"] == "shop-1"
        assert len(acknowledged(devices)) == before, "acknowledged, with nowhere to keep it"
        disk.free()
        settled(devices)
    wait_for(lambda: hub.alive, "the hub")
    journal = hub.journal()
    followed(journal)
    journal.close()
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices, influx)


def test_a_hub_killed_on_a_full_disk_keeps_what_it_acknowledged(
    make_hub: MakeHub, connect: Connect, disk: SmallDisk
) -> None:
    hub, devices = make_hub(folder=disk.folder / "state"), connect("term-1", "fob-1")
    hub.journal().close()
    for _ in range(20):
        happen(devices)
    settled(devices)
    disk.fill()
    fill_what_the_hub_gives_up(disk, devices)
    hub.kill()
    disk.fill()
    hub.start()
    for _ in range(5):
        happen(devices)
    time.sleep(2)
    disk.free()
    if not hub.alive:  # a hub that finds no room at its start may say so and end: its service starts it again
        hub.start()
    settled(devices)
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices)


def happen(devices: list[Witness]) -> None:
    """An ask and a press."""
    devices[1].happen("click", {"pattern": "single"})
    devices[0].happen("press", {"key": 1})


def acknowledged(devices: list[Witness]) -> list[object]:
    """What the devices have seen acknowledged so far."""
    return [who for device in devices for who in device.acknowledged()]


def fill_what_the_hub_gives_up(disk: SmallDisk, devices: list[Witness]) -> None:
    """Let it take what it can still find, and fill again, until nothing is acknowledged any more."""
    for _ in range(30):
        before = len(acknowledged(devices))
        happen(devices)
        time.sleep(0.3)
        disk.fill()
        if len(acknowledged(devices)) == before:
            return
    pytest.fail("the disk never got full")
