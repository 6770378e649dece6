"""A copy of the journal while the hub runs, and the way back."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.audit import BACKUP, RESTORE, verify
from gateway.journal import SCHEMA_VERSION, Journal, JournalError, check_file, copy_file

CHUNK = 1 << 20


def backup(journal: Journal, out: Path, now: int) -> str:
    """Copy a journal that may be in use, verify the copy, put it in place; its sha256.

    JournalError, OSError: there is no backup.
    """
    part = out.with_name(f"{out.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600))
    try:
        copy_file(journal.path, part)
        check_copy(part)
        _sync(part)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    digest = _sha256(out)
    journal.note((now, BACKUP, {"sha256": digest, "bytes": out.stat().st_size}))
    return digest


def restore(journal: Journal, source: Path, now: int) -> Path:
    """Put a backup in the place of the journal that no hub is using; where the old one is kept.

    JournalError: the backup cannot be used, or a hub is running; then nothing is changed.
    """
    check_copy(source)
    fresh, kept = _beside(journal.path, "restored"), _beside(journal.path, "before-restore")
    with journal.stopped():
        fresh.unlink(missing_ok=True)
        copy_file(source, fresh)
        _sync(fresh)
        for suffix in ("", "-wal"):
            _link(_with(journal.path, suffix), _with(kept, suffix))
        for suffix in ("-wal", "-shm"):
            _with(journal.path, suffix).unlink(missing_ok=True)
        fresh.replace(journal.path)
        _sync(journal.path.parent)
    journal.open()
    journal.note((now, RESTORE, {"sha256": _sha256(source)}))
    return kept


def check_copy(path: Path) -> None:
    """JournalError unless the file is a whole journal whose audit log holds."""
    if check_file(path) < SCHEMA_VERSION:
        return  # a version without an audit log
    with _opened(path) as copy:
        problem = verify(copy)
    if problem:
        raise JournalError(f"{path}: its audit log does not hold: {problem}")


@contextmanager
def _opened(path: Path) -> Iterator[Journal]:
    copy = Journal(path)
    try:
        copy.open(read_only=True)
        yield copy
    finally:
        copy.close()


def _beside(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}.{name}{path.suffix}")


def _with(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}{suffix}")


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    if source.exists():
        os.link(source, target)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
