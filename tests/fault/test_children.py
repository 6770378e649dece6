"""A camera process that hangs, dies or floods: the hub goes on, and replaces it together with its pipe."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.fault.shop import (
    Hub,
    Witness,
    every_acknowledged_event_is_stored_once_at_its_own_time,
    fused,
    settled,
)
from tests.integration.hub import page
from tests.servers import Server
from tests.waiting import wait_for

MakeHub = Callable[..., Hub]
Connect = Callable[..., list[Witness]]

# The stand-in of tests/fault/camera.py: health every 0.2 s, not 60 s, so 2 s of silence, not 180 s.
STAND_IN = """
import sys, gateway.app, gateway.supervisor
from pathlib import Path
gateway.supervisor.SILENT_MAX_S = 2.0
gateway.supervisor.GRACE_S = gateway.supervisor.WAIT_FIRST_S = 0.5
command = [sys.executable, "-m", "tests.fault.camera", "{port}", "{state}", "{flood}"]
gateway.app.child = lambda name, *_: gateway.supervisor.Child(name, command)
"""
CAMERA = '[cameras.cam-1]\nsource = "unused.mp4"\n'
FLOOD_PER_S = 10_000
FLOOD_S = 6.0
PROMPT_S = 5.0


def hub_with_camera(make_hub: MakeHub, broker: Server, folder: Path, flood: int = 0) -> Hub:
    """A hub whose camera process is the stand-in."""
    patches = STAND_IN.format(port=broker.port, state=folder / "devices", flood=flood)
    return make_hub(folder=folder, extra=CAMERA, patches=patches)


class Camera:
    """The camera process of a hub, as seen from outside."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "devices" / "camera.pid"

    @property
    def pid(self) -> int:
        """Its process id; 0 before there is one."""
        return int(self._file.read_text() or 0) if self._file.exists() else 0

    def started_after(self, before: int) -> int:
        """Wait for another process than `before`; its id."""
        wait_for(lambda: self.pid not in (0, before), "a camera process", 30)
        return self.pid


def gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_camera_that_hangs_or_dies_is_replaced_with_its_pipe_and_nobody_waits(
    make_hub: MakeHub, connect: Connect, broker: Server, tmp_path: Path
) -> None:
    hub, camera = hub_with_camera(make_hub, broker, tmp_path / "state"), Camera(tmp_path / "state")
    devices = connect("term-1", "fob-1")
    hung = camera.started_after(0)
    time.sleep(1)
    os.kill(hung, signal.SIGSTOP)
    for _ in range(30):
        devices[0].happen("press", {"key": 1})
        time.sleep(0.1)
    settled(devices, 3)
    dead = camera.started_after(hung)
    assert gone(hung)
    assert hub.said("cam-1 has said nothing for 2 s: it hangs, and is replaced")
    os.kill(dead, signal.SIGKILL)
    last = camera.started_after(dead)
    settled(devices, 3)
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices)
    hub.kill()
    wait_for(lambda: gone(last), "the camera to end with its hub")


def test_a_broker_that_is_away_makes_no_camera_look_hung(
    make_hub: MakeHub, broker: Server, tmp_path: Path
) -> None:
    hub, camera = hub_with_camera(make_hub, broker, tmp_path / "state"), Camera(tmp_path / "state")
    pid = camera.started_after(0)
    broker.kill()
    time.sleep(4)
    broker.start()
    time.sleep(3)
    assert camera.pid == pid
    assert not hub.said("hangs")


def test_a_camera_that_floods_holds_up_no_press(
    make_hub: MakeHub, connect: Connect, broker: Server, tmp_path: Path
) -> None:
    hub = hub_with_camera(make_hub, broker, tmp_path / "state", FLOOD_PER_S)
    devices = connect("term-1", "fob-1")
    Camera(tmp_path / "state").started_after(0)
    devices[1].happen("click", {"pattern": "single"})
    end, slowest_s = time.monotonic() + FLOOD_S, 0.0
    while time.monotonic() < end:
        pressed = time.monotonic()
        devices[0].happen("press", {"key": 1})
        settled(devices, 10)
        slowest_s = max(slowest_s, time.monotonic() - pressed)
        time.sleep(0.2)
    assert page(hub)["site"] == "shop-1"
    assert slowest_s < PROMPT_S
    flooding = Camera(tmp_path / "state").pid
    os.kill(flooding, signal.SIGSTOP)
    journal = hub.journal()
    fused(journal)
    faces = sum(row.kind == "face" for row in journal.events_after(0, 1_000_000))
    journal.close()
    with suppress(ProcessLookupError):  # taken for hung by now
        os.kill(flooding, signal.SIGKILL)
    print(f"{faces} faces stored; slowest press to acknowledgement {slowest_s:.2f} s")
    assert faces > 1000, "that was no flood"
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices)
