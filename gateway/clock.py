"""The hub's clock: wall time that only labels data, carried by the monotonic clock (architecture, rule 6)."""

from __future__ import annotations

import time


class Clock:
    """Milliseconds since 1970 that never jump while somebody is being asked."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ms(self) -> int:
        """Now, whatever was done to the system's clock since the last `adopt`."""
        return (time.monotonic_ns() + self._offset_ns) // 1_000_000

    def adopt(self) -> int:
        """Take the system's clock as it is now, while the shop is quiet; by how many ms that is a step."""
        offset_ns = time.time_ns() - time.monotonic_ns()
        step_ms = (offset_ns - self._offset_ns) // 1_000_000
        self._offset_ns = offset_ns
        return step_ms
