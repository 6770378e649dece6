"""The real camera process on a real broker, and a listener on all that it says."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware import wire
from gateway.bus import BrokerAddress, Bus, Message
from models import fetch
from tests.servers import Server, start_mosquitto
from tests.sites import SIGN, camera_shop
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
# Runs the process and, at its end, names every file that Python opened for writing.
WATCHED_PROCESS = """
import ast, importlib, os, sys
from pathlib import Path
written = []
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def note(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & WRITING:
        written.append(str(args[0]))
from gateway.config import load_site
from gateway.vision import camera
from gateway.vision.camera import run_camera
for place, value in ast.literal_eval(sys.argv[3]).items():
    module, _, name = place.rpartition(".")
    setattr(importlib.import_module("gateway.vision." + module), name, value)
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
        self.bus.subscribe("#")
        self.bus.start()
        wait_for(lambda: self.bus is not None and self.bus.connected, "the broker")

    def start_camera(
        self,
        source: Path | str,
        camera: str = SIGN,
        limits: Mapping[str, object] | None = None,
        under: Sequence[str] = (),
    ) -> None:
        """Its HOME, working folder and temporary folder are one folder that the test can look into.

        `limits`: constants of gateway.vision that would make the test long; `under`: a command that runs it.
        """
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        site = self.folder / "site.toml"
        site.write_text(camera_shop(source, camera, port=self.broker.port))
        places = {"HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
        cache = {"EMOBOX_CACHE": str(fetch.cache_dir()), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [
                *under,
                sys.executable,
                "-c",
                WATCHED_PROCESS,
                str(site),
                str(self.folder / "state"),
                repr(dict(limits or {})),
            ],
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

    def lenses(self) -> list[str]:
        """What the camera has said of its lens, one after the other."""
        said = [json.loads(m.payload).get("lens") for _, m in self.got if m.topic.endswith("/status")]
        return [lens for lens, before in zip(said, [None, *said], strict=False) if lens and lens != before]

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


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    """A broker in `folder`; what was started is ended."""
    with start_mosquitto(folder) as broker:
        shop = Shop(folder, broker)
        try:
            yield shop
        finally:
            shop.close()
