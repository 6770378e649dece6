"""Camera and microphone as child processes: started again when they end, ended when the hub ends."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gateway.bus import Message

log = logging.getLogger(__name__)

CANNOT = 2  # exit status of a child that only a person can help
WAIT_FIRST_S, WAIT_MAX_S = 1.0, 60.0
STEADY_S = 60.0
GRACE_S = 5.0
SILENT_MAX_S = 180.0  # three health events
FIRST_WORD_MAX_S = 900.0  # models may have to be fetched first
FAILED = 1
STDIN = 0


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep alive; an exit status of 0 is a good end (a file that was played)."""

    name: str
    command: Sequence[str]
    log: Path | None = None


@dataclass(frozen=True, slots=True)
class ChildState:
    """For page and doctor: whether it runs, how often it was started, how it ended last."""

    name: str
    running: bool = False
    starts: int = 0
    exit_status: int | None = None


class Supervisor:
    """Keeps one child alive; a child and its pipe are replaced together.

    A child whose events stop while the link is up hangs: it is ended, and started again.
    """

    def __init__(self, child: Child, link_up: Callable[[], bool] = lambda: False) -> None:
        self._child, self._link_up = child, link_up
        self._state = ChildState(child.name)
        self._silent_since_s, self._spoke = 0.0, False

    @property
    def state(self) -> ChildState:
        """How the child fares."""
        return self._state

    @property
    def name(self) -> str:
        """The device's name."""
        return self._child.name

    def hear(self, message: Message) -> None:
        """The child has sent an event: it works."""
        if not message.retain:
            self._silent_since_s, self._spoke = time.monotonic(), True

    def run(self, stopping: threading.Event) -> None:
        """Start, wait, start again with growing waits, until told to stop."""
        wait_s = WAIT_FIRST_S
        while not stopping.is_set():
            began = time.monotonic()
            status = self._live(stopping)
            if stopping.is_set() or self._is_over(status):
                return
            wait_s = WAIT_FIRST_S if time.monotonic() - began > STEADY_S else min(2 * wait_s, WAIT_MAX_S)
            log.warning("%s ended with %s; next start in %.0f s", self._child.name, status, wait_s)
            stopping.wait(wait_s)

    def _is_over(self, status: int) -> bool:
        if status == CANNOT:
            log.error("%s needs a person; run `emobox doctor`", self._child.name)
        return status in (0, CANNOT)

    def _output(self) -> AbstractContextManager[IO[bytes] | None]:
        return self._child.log.open("ab") if self._child.log else nullcontext()

    def _live(self, stopping: threading.Event) -> int:
        """One life of the child; its exit status, never that of a good end when it hung."""
        self._silent_since_s, self._spoke = time.monotonic(), False
        hung = False
        with self._output() as output, _popen(self._child.command, output) as process:
            self._state = ChildState(self._child.name, True, self._state.starts + 1)
            while process.poll() is None:
                hung = self._hangs()
                if hung or stopping.wait(0.2):
                    _end(process)
            status = process.returncode or (FAILED if hung else 0)
            self._state = ChildState(self._child.name, False, self._state.starts, status)
            return status

    def _hangs(self) -> bool:
        """Whether it has said nothing for too long, though it could have been heard."""
        if not self._link_up():
            self._silent_since_s = time.monotonic()
        silent_s = time.monotonic() - self._silent_since_s
        hangs = silent_s > (SILENT_MAX_S if self._spoke else FIRST_WORD_MAX_S)
        if hangs:
            log.error("%s has said nothing for %.0f s: it hangs, and is replaced", self.name, silent_s)
        return hangs


def _popen(command: Sequence[str], output: IO[bytes] | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def child(name: str, *arguments: str, log: Path | None = None) -> Child:
    """`emobox ARGUMENTS` as a supervised child; what it prints goes to `log`, if given."""
    return Child(name, [sys.executable, "-m", "gateway.cli", *arguments, "--supervised"], log)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM or Ctrl+C sets; call in the main thread, before slow work begins."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def end_with_parent() -> None:
    """In a child: end when the parent's end of standard input is gone, even by kill -9."""
    threading.Thread(target=_end_at_eof, daemon=True).start()


def _end_at_eof() -> None:
    while os.read(STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
