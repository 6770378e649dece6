"""Tells how the lens is, and ends a process that hangs in its driver, so that a fresh one is started."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

WATCHING, OFF, BLIND = "watching", "off", "blind"  # what a camera's status says of its lens
TICK_S = 0.25
STALL_S = 4.0  # no frame for so long: the page says so
DEAD_S = 30.0  # OpenCV's own time limits are 10 s, and do not hold everywhere
FAILED = 1


class Stopwatch:
    """How long a call that may hang has been going on; one thread calls, another looks."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began_s: float | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Around the call."""
        self._began_s = self._now()
        try:
            yield
        finally:
            self._began_s = None

    def seconds(self) -> float:
        """0 while no call goes on."""
        began_s = self._began_s
        return self._now() - began_s if began_s is not None else 0.0


class Guard:
    """Looks at the camera's loop from outside: a thread of its own."""

    def __init__(
        self,
        lens: Callable[[], str],
        stopwatch: Stopwatch,
        tell: Callable[[str], bool],
        die: Callable[[int], object] = os._exit,
    ) -> None:
        self._lens, self._stopwatch, self._tell, self._die = lens, stopwatch, tell, die
        self._told = ""

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        while not stop.wait(TICK_S):
            self.step()

    def step(self) -> None:
        """Tell what has changed; end a process that will not come back by itself."""
        lens = BLIND if self._stopwatch.seconds() > STALL_S else self._lens()
        if lens != self._told and self._tell(lens):
            self._told = lens
        if self._stopwatch.seconds() > DEAD_S:
            log.error("nothing from the source for %.0f s: the process ends, and is started again", DEAD_S)
            self._die(FAILED)
