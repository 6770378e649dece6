"""Whether the lens may be used now, as the hub's `watch` command says."""

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

WATCH_MAX_MS = 600_000  # a lost "lens off" must not leave the lens on for the day


class Watch:
    """Until when the lens may be used; set from the bus's thread, read from the camera's."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until_s = 0.0

    def is_on(self) -> bool:
        """True while watched."""
        return self._now() < self._until_s

    def command(self, command: dict[str, object]) -> None:
        """Obeys {"v":1,"command":"watch","for_ms":N}: the newest holds, 0 is off. Ignores the rest."""
        if command.get("command") != "watch" or command.get("v") != 1:
            return
        for_ms = command.get("for_ms")
        if not isinstance(for_ms, int) or isinstance(for_ms, bool) or for_ms < 0:
            log.warning("ignored a watch command whose for_ms is no whole number of milliseconds")
            return
        self._until_s = self._now() + min(for_ms, WATCH_MAX_MS) / 1000
