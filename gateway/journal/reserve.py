"""Room on the disk that is kept for the day when it is full."""

from __future__ import annotations

import os
from pathlib import Path


class Reserve:
    """A preallocated file beside the journal; given up, it lets acknowledged work and cursors be written."""

    def __init__(self, path: Path, size: int) -> None:
        self._path, self._size = path, size

    @property
    def held(self) -> bool:
        """Whether the room is set aside."""
        try:
            return self._path.stat().st_size >= self._size
        except FileNotFoundError:
            return self._size == 0

    def hold(self) -> bool:
        """Set the room aside, unless it is; False when the disk has not that much."""
        if self.held:
            return True
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:
            self._path.unlink(missing_ok=True)
            return False
        return True

    def give_up(self) -> None:
        """Hand the room to the journal."""
        self._path.unlink(missing_ok=True)
