"""The real camera process on a real broker, looking at a made video of real faces."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from demo.video import Segment, make_video
from firmware import wire
from gateway.bus import BrokerAddress, Bus, Message
from models import fetch
from tests.servers import Server, start_mosquitto

ROOT = Path(__file__).parents[2]
SITE = """
site = "shop-1"
zone = "Europe/Berlin"
region = "other"
{camera}
[points.till-1.devices]
cam-1 = {{ kind = "camera" }}
[broker]
port = {port}
[cameras.cam-1]
source = "{source}"
"""
SIGN = '[camera]\nsign_posted = "2026-01-01 M. Weber"'
# Runs the process and, at its end, names every file that Python opened for writing.
WATCHED_PROCESS = """
import ast, os, sys
from pathlib import Path
written = []
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def note(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & WRITING:
        written.append(str(args[0]))
from gateway.config import load_site
from gateway.vision import camera
from gateway.vision.camera import run_camera
camera.RETRY_S = ast.literal_eval(sys.argv[3]) or camera.RETRY_S
sys.addaudithook(note)
status = run_camera(load_site(Path(sys.argv[1])), "cam-1", Path(sys.argv[2]))
print("WRITTEN", *written, sep="\\n")
sys.exit(status)
"""


@dataclass
class Shop:
    """A broker, a listener on it, and the camera process."""

    folder: Path
    broker: Server
    got: list[tuple[float, Message]] = field(default_factory=list)
    bus: Bus | None = None
    process: subprocess.Popen[str] | None = None

    def listen(self) -> None:
        address = BrokerAddress(port=self.broker.port)
        self.bus = Bus(address, "test", on_message=lambda m: self.got.append((time.monotonic(), m)))
        self.bus.subscribe("emobox/v1/shop-1/cam-1/#")
        self.bus.start()
        wait_for(lambda: self.bus is not None and self.bus.connected)

    def start_camera(self, source: Path | str, camera: str = SIGN, retry: str = "None") -> None:
        """Its HOME, working folder and temporary folder are one folder that the test can look into."""
        home = self.folder / "home"
        home.mkdir()
        site = self.folder / "site.toml"
        site.write_text(SITE.format(port=self.broker.port, source=source, camera=camera))
        places = {"HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
        cache = {"EMOBOX_CACHE": str(fetch.cache_dir()), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", WATCHED_PROCESS, str(site), str(self.folder / "state"), retry],
            env=os.environ | places | cache,
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def events(self, kind: str) -> list[tuple[float, dict[str, Any]]]:
        """(when taken, event) of one kind; the time is this process's monotonic clock."""
        found = [(t, json.loads(m.payload)) for t, m in self.got if m.topic.endswith("/event")]
        return [(t - e["age"] / 1000, e) for t, e in found if e["kind"] == kind]

    def watch(self, for_ms: int) -> float:
        assert self.bus is not None
        topic = wire.topic("shop-1", "cam-1", "command")
        assert self.bus.publish(topic, wire.make_command("watch", {"for_ms": for_ms}))
        return time.monotonic()

    def end_camera(self) -> tuple[int, str, str]:
        """Exit status, stdout and stderr after SIGTERM, or of a process that ended by itself."""
        assert self.process is not None
        self.process.terminate()
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, out, err

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.bus is not None:
            self.bus.stop()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with start_mosquitto(tmp_path) as broker:
        shop = Shop(tmp_path, broker)
        yield shop
        shop.close()


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s nobody, 4 s neutral, 5 s smiling, then the same person neutral for long."""
    parts = [Segment("empty", 2), Segment("neutral", 4), Segment("smile", 5), Segment("neutral", 20)]
    return make_video(tmp_path_factory.mktemp("media") / "shop.mp4", parts)


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def smiles(faces: list[tuple[float, dict[str, Any]]], start_s: float, end_s: float) -> list[float]:
    return [event["smile"] for t, event in faces if start_s <= t < end_s]


def test_publishes_valid_readings_of_the_watched_time_only_and_writes_nothing(
    shop: Shop, video: Path
) -> None:
    shop.listen()
    shop.start_camera(video)
    wait_for(lambda: shop.events("health"))
    began = shop.events("health")[0][0] - shop.events("health")[0][1]["uptime_s"]
    wait_for(lambda: time.monotonic() > began + 3)
    assert not shop.events("face"), "readings before anybody asked"

    told = shop.watch(6_000)
    wait_for(lambda: time.monotonic() > told + 7.5)
    faces = shop.events("face")
    assert all(told - 0.1 <= t <= told + 6.1 for t, _ in faces)
    assert 28 <= len(faces) <= 31, "five readings a second"
    assert [wire.check(event, "camera") for _, event in faces] == [None] * len(faces)
    assert {event["track"] for _, event in faces} == {0}
    assert all(event["ok"] and event["px"] >= 120 for _, event in faces)
    assert max(smiles(faces, 0, began + 5.9)) <= 0.2
    assert min(smiles(faces, began + 6.1, told + 7)) >= 0.8

    shop.watch(60_000)
    wait_for(lambda: len(shop.events("face")) > len(faces))
    shop.watch(0)
    time.sleep(0.3)
    after = len(shop.events("face"))
    time.sleep(1.0)
    assert len(shop.events("face")) == after, "readings after lens off"

    status, out, err = shop.end_camera()
    assert (status, err.count("Traceback")) == (0, 0)
    written = [Path(name).name for name in out.partition("WRITTEN\n")[2].split("\n") if name]
    assert set(written) <= {"cam-1.new"}, "only the boot counter may be written"
    assert not list((shop.folder / "home").rglob("*"))
    assert [file.name for file in (shop.folder / "state").iterdir()] == ["cam-1.boot"]


def test_says_online_and_goodbye(shop: Shop, video: Path) -> None:
    shop.listen()
    shop.start_camera(video)
    wait_for(lambda: shop.events("health"))
    shop.end_camera()
    wait_for(lambda: [m.payload for _, m in shop.got if m.topic.endswith("/status")][-1:] != [])
    states = [json.loads(m.payload) for _, m in shop.got if m.topic.endswith("/status")]
    assert states == [{"v": 1, "online": True}, {"v": 1, "online": False}]


def test_a_missing_file_ends_it_with_a_plain_error(shop: Shop) -> None:
    shop.start_camera(Path("/no/such.mp4"))
    assert shop.process is not None
    shop.process.wait(20)
    status, _, err = shop.end_camera()
    assert status == 2
    assert "cam-1: video file /no/such.mp4 is missing; check the path" in err
    assert "Traceback" not in err


def test_ends_well_at_the_end_of_a_file(shop: Shop, tmp_path: Path) -> None:
    shop.start_camera(make_video(tmp_path / "short.mp4", [Segment("empty", 1)]))
    assert shop.process is not None
    assert shop.process.wait(20) == 0


def test_an_address_that_stays_away_is_tried_again_by_a_fresh_process_and_hides_its_password(
    shop: Shop,
) -> None:
    shop.listen()
    shop.start_camera("rtsp://till:s3cret@127.0.0.1:9/stream", retry="(0.1, 0.1)")
    wait_for(lambda: shop.events("health"))
    shop.watch(60_000)
    assert shop.process is not None
    assert shop.process.wait(20) == 1
    _, _, err = shop.end_camera()
    assert "rtsp://127.0.0.1:9/stream does not answer" in err
    assert "s3cret" not in err


def test_stays_off_until_the_sign_is_posted(shop: Shop, video: Path) -> None:
    shop.start_camera(video, camera="[camera]")
    assert shop.process is not None
    shop.process.wait(20)
    status, _, err = shop.end_camera()
    assert status == 2
    assert "the camera stays off: nobody has confirmed the sign" in err
