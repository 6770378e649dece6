"""Real processes for the benches: broker, database, hub, load; and what the kernel says of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.days import site_text
from tests.servers import Server, free_port, start_mosquitto

UNBOUNDED = (
    "allow_anonymous true",
    "persistence false",
    "set_tcp_nodelay true",
    "max_queued_messages 0",
    "max_inflight_messages 0",
)
READY_S, ANSWER_S = 90.0, 15.0
LOAD_S = 600.0


def until(is_so: Callable[[], bool], what: str, timeout_s: float = READY_S, step_s: float = 0.02) -> None:
    """Wait until something is so; TimeoutError."""
    end = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"never came within {timeout_s:g} s: {what}")
        time.sleep(step_s)


class Child:
    """A Python process of ours or of a peer; killed at the end."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command, self.log = command, log
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Child:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid if self.process else 0

    def said(self, text: str) -> bool:
        """Whether its log holds the text."""
        return text in self.log.read_text(errors="replace")

    def lines(self) -> list[str]:
        """What it has printed so far."""
        return self.log.read_text(errors="replace").splitlines()


def hub(folder: Path, broker: Server, influx: Server | None = None, *, points: int = 10) -> Child:
    """`emobox run` on a fresh folder; use it with `with`, then wait for `answers`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "site.toml"
    config.write_text(
        site_text(
            folder, points=points, broker=broker.port, web=free_port(), influx=influx.url if influx else ""
        )
    )
    return Child([sys.executable, "-m", "gateway.cli", "run", "--config", str(config)], folder / "hub.log")


def answers(broker: Server) -> None:
    """Wait until a hub on this broker acknowledges events."""
    end = time.monotonic() + READY_S
    while _load(broker, 1, ("--boot", "999999"), ANSWER_S) is None:
        if time.monotonic() > end:
            raise TimeoutError("the hub never acknowledged anything")


def load(broker: Server, count: int, *options: str) -> dict[str, Any]:
    """What `bench.load` measured; TimeoutError."""
    found = _load(broker, count, options, LOAD_S)
    if found is None:
        raise TimeoutError(f"a load of {count} events did not end")
    return found


def _load(broker: Server, count: int, options: tuple[str, ...], wait_s: float) -> dict[str, Any] | None:
    command = [sys.executable, "-m", "bench.load", str(broker.port), str(count), *options]
    try:
        done = subprocess.run(command, check=True, capture_output=True, timeout=wait_s)
    except subprocess.TimeoutExpired:
        return None
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def unbounded_broker(folder: Path) -> Server:
    """A broker that queues without limit, so that the bare peer loses nothing for want of room."""
    return start_mosquitto(folder, settings=UNBOUNDED)


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


def written_bytes(pid: int) -> int:
    """Bytes that a process has caused to be sent to the disk."""
    io = Path(f"/proc/{pid}/io").read_text()
    return int(next(line.split()[1] for line in io.splitlines() if line.startswith("write_bytes")))
