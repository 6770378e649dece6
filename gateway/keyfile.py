"""Keys of this machine: random bytes in a file that only its own user may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

KEY_BYTES = 32


class KeyFileError(Exception):
    """The key cannot be used; the text says what to do next."""


def read_key(path: Path, *, make: bool = False) -> bytes:
    """The key in that file, 32 bytes; `make`: a new one where there is none. KeyFileError, OSError."""
    if make and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, secrets.token_bytes(KEY_BYTES))
    try:
        if path.stat().st_mode & 0o077:
            raise KeyFileError(f"{path}: others may read the key; run `chmod 600 {path}`")
        key = path.read_bytes()
    except FileNotFoundError:
        raise KeyFileError(f"{path}: the key is gone") from None
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{path}: is no key; delete it, a new one is made by itself")
    return key


def write_private(path: Path, data: bytes) -> None:
    """A new file for this user alone, on the disk when this returns. FileExistsError."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
