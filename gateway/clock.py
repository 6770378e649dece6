"""The hub's clock: wall time that only labels data, carried by the monotonic clock (architecture, rule 6)."""

from __future__ import annotations

import time
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
WORTH_SAVING_NS = 100_000_000  # spares the SD card


class Clock:
    """Milliseconds since 1970 that never jump while somebody is being asked.

    `carried`: an earlier run of the hub set this clock, and the monotonic clock has not stopped since.
    """

    def __init__(self) -> None:
        self._offset_ns = _system_offset_ns()
        self._memory: Path | None = None
        self._saved_ns: int | None = None
        self.carried = False

    def carry_on(self, memory: Path) -> None:
        """Take the clock up where the last run of the hub left it, and keep it in this file from now on."""
        self._memory = memory
        kept_ns = _remembered(memory)
        if kept_ns is not None:
            self._offset_ns, self._saved_ns, self.carried = kept_ns, kept_ns, True
        self._save()

    def now_ms(self) -> int:
        """Now, whatever was done to the system's clock since the last `adopt`."""
        return (time.monotonic_ns() + self._offset_ns) // 1_000_000

    def adopt(self) -> int:
        """Take the system's clock as it is now, while the shop is quiet; by how many ms that is a step."""
        offset_ns = _system_offset_ns()
        step_ms = (offset_ns - self._offset_ns) // 1_000_000
        self._offset_ns = offset_ns
        self._save()
        return step_ms

    def _save(self) -> None:
        """On a full disk it stays in memory: the next run then begins with the system's clock."""
        saved_ns = self._saved_ns
        if self._memory is None or (saved_ns is not None and _is_near(saved_ns, self._offset_ns)):
            return
        fresh = self._memory.with_suffix(".new")
        try:
            fresh.write_text(f"{_boot_id()} {self._offset_ns}")
            fresh.replace(self._memory)
            self._saved_ns = self._offset_ns
        except OSError:
            self._memory.unlink(missing_ok=True)


def _is_near(one_ns: int, other_ns: int) -> bool:
    return abs(one_ns - other_ns) < WORTH_SAVING_NS


def _system_offset_ns() -> int:
    return time.time_ns() - time.monotonic_ns()


def _boot_id() -> str:
    """Names this start of the machine; another one has another monotonic clock."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _remembered(memory: Path) -> int | None:
    """The offset that a run since the machine's start has kept, in ns; None without one."""
    try:
        boot, offset = memory.read_text().split()
        return int(offset) if boot == _boot_id() else None
    except (OSError, ValueError):
        return None
