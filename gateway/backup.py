"""A copy of the journal while the hub runs, and the way back."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.audit import BACKUP, ERASURE, RESTORE, verify
from gateway.config import Site
from gateway.erase import EraseError, repeat
from gateway.journal import SCHEMA_VERSION, Entry, Journal, JournalError, check_file, copy_file
from gateway.records import Record

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


@dataclass(frozen=True, slots=True)
class Restored:
    """Where the old journal is kept, how many erasures were made again, and in plain words what was not."""

    kept: Path
    repeated: int
    undone: Sequence[str]


def restore(journal: Journal, site: Site, source: Path, now: int) -> Restored:
    """Put a backup in the place of the journal that no hub is using; what was erased since goes from it, too.

    JournalError: the backup cannot be used, or a hub is running; then nothing is changed.
    """
    check_copy(source)
    fresh, kept = _beside(journal.path, "restored"), _beside(journal.path, "before-restore")
    with journal.stopped():
        _remove(fresh)
        try:
            copy_file(source, fresh)
            repeated, undone = _made_ready(fresh, journal.path, site, _sha256(source), now)
            _sync(fresh)
        except BaseException:
            _remove(fresh)  # what was erased may be in it
            raise
        for suffix in ("", "-wal"):
            _link(_with(journal.path, suffix), _with(kept, suffix))
        for suffix in ("-wal", "-shm"):
            _with(journal.path, suffix).unlink(missing_ok=True)
        fresh.replace(journal.path)
        _sync(journal.path.parent)
    journal.open()
    return Restored(kept, repeated, undone)


def _remove(file: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        _with(file, suffix).unlink(missing_ok=True)


def _made_ready(fresh: Path, old: Path, site: Site, digest: str, now: int) -> tuple[int, list[str]]:
    """Note the restore and repeat the old journal's erasures, before anything takes the old one's place.

    What the old one took back and the copy never had may still lie in a database: it is taken back there.
    """
    copy, repeated = Journal(fresh, durable=False), 0
    try:
        copy.open()
        lines, taken_back, undone = _missed(copy, old, site)
        retracts = [("retract", one) for one in taken_back if copy.time_of(one.id) is None]
        copy.record(RESTORE, 0, retracts, [(now, RESTORE, {"sha256": digest})])
        for line in lines:
            try:
                repeat(copy, site, line, now)
                repeated += 1
            except EraseError as error:
                undone.append(f"this erasure could not be repeated: {line.detail}: {error}")
    finally:
        copy.close()
        fresh.with_suffix(".lock").unlink(missing_ok=True)
    return repeated, undone


def _missed(copy: Journal, old: Path, site: Site) -> tuple[list[Entry], list[Record], list[str]]:
    """Receipts of the old journal that the copy has not, all that it took back, and what nobody knows.

    All is known when its log holds and the copy's last line stands in it: it is what the copy became.
    """
    known = list(copy.audit())
    newest = max([copy.last_received(), *(entry.time for entry in known)])
    doubt = (
        f"erasures made since this backup ({site.local(newest):%Y-%m-%d %H:%M}) may have come back: "
        "there is no whole journal that names them all; repeat them with emobox erase"
    )
    if not old.exists():
        return [], [], [doubt]
    try:
        with _opened(old) as journal:
            now, taken_back = list(journal.audit()), journal.taken_back()
            whole = verify(journal) is None and bool(known) and known[-1].hash in {one.hash for one in now}
    except JournalError:
        return [], [], [doubt]
    seen = {entry.hash for entry in known}
    lines = [entry for entry in now if entry.kind == ERASURE and entry.hash not in seen]
    return lines, taken_back, [] if whole else [doubt]


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
