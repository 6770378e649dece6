"""The journal's file: connections, locks, commits, room on the disk (only importer of sqlite3)."""

from __future__ import annotations

import fcntl
import logging
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import IO, Any, Concatenate, ParamSpec, TypeVar

from gateway.journal.reserve import Reserve
from gateway.journal.schema import SCHEMA_VERSION, script

log = logging.getLogger(__name__)

SQLITE_INT_MAX = 2**63 - 1
MB = 1_000_000
CAP_MB, RESERVE_MB = 4000, 16
FULL_RETRY_S = 1.0
NEARLY_NOTHING = 2 * MB  # SQLite says "I/O error" for some of its files when the disk is full

Connection = sqlite3.Connection
Done = TypeVar("Done")
Given = ParamSpec("Given")
Self = TypeVar("Self", bound="JournalFile")


class JournalError(Exception):
    """The journal cannot be used; the text says why and what to do."""


class JournalFullError(JournalError):
    """There is no room for anything new; what is needed to finish what was acknowledged is still written."""


class JournalFile:
    """One SQLite file, a connection a thread; sizes in MB."""

    def __init__(
        self, path: Path, *, durable: bool = True, cap_mb: int = CAP_MB, reserve_mb: int = RESERVE_MB
    ) -> None:
        self._path, self._durable, self._cap_mb = path, durable, cap_mb
        self._reserve = Reserve(path.with_suffix(".reserve"), reserve_mb * MB if durable else 0)
        self._local = threading.local()
        self._write = threading.RLock()
        self.grown = threading.Condition()
        self._ending = threading.Event()
        self._refused = False
        self._version = 0
        self._guard: IO[str] | None = None
        self._read_only = False
        self._connections: list[sqlite3.Connection] = []

    # ---- open and close -----------------------------------------------------------------------------

    def open(self, *, read_only: bool = False) -> None:
        """Create or open the file; JournalError when another hub has it or a newer version wrote it.

        Read-only it may be opened beside a running hub; then it must be there, and nothing is written.
        """
        self._read_only = read_only
        if read_only:
            self._check_there()
            return
        self._lock()
        self._ending.clear()
        self._migrate()
        if not self._reserve.hold():
            log.error("%s", self._full_text())

    def open_beside(self) -> None:
        """Open it for writing whether or not a hub is running; it must be there, and of this version."""
        self._check_there()

    def _lock(self) -> None:
        """Be the only hub, or the only one who restores."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._guard = self._path.with_suffix(".lock").open("w")
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"{self._path}: another hub is using this journal; stop it first") from None
        except OSError as error:
            raise JournalError(f"{self._path}: cannot be opened: {error.strerror}") from None

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._path

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Inside, no hub uses the file; JournalError when one does."""
        self._lock()
        try:
            yield
        finally:
            self.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Inside, a read that the file's damage or a disk's failure stops is a JournalError."""
        try:
            yield
        except sqlite3.Error as error:
            if _is_full(error, self._path):
                raise JournalFullError(self._full_text()) from error
            raise JournalError(f"{self._path}: cannot be read: {error}") from error

    def close(self) -> None:
        """Let go of the file; every thread's connection ends."""
        self._ending.set()
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._local = threading.local()
        if self._guard:
            self._guard.close()
            self._guard = None

    @property
    def _db(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        return connection

    def _connect(self) -> sqlite3.Connection:
        address = f"{self._path.resolve().as_uri()}{'?mode=ro' if self._read_only else ''}"
        db = sqlite3.connect(address, timeout=30, isolation_level=None, check_same_thread=False, uri=True)
        self._connections.append(db)
        if not self._read_only:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
            db.execute("PRAGMA secure_delete = FAST")  # what is erased is overwritten where it stood
        return db

    def _check_there(self) -> None:
        if not self._path.exists():
            raise JournalError(f"{self._path}: there is no journal yet; start the hub")
        if self._number("PRAGMA user_version") != SCHEMA_VERSION:
            raise JournalError(f"{self._path}: is of another version of EmoBox; start the hub once")

    def _migrate(self) -> None:
        version = self._number("PRAGMA user_version")
        if version > SCHEMA_VERSION:
            raise JournalError(f"{self._path}: was written by a newer EmoBox; install that version again")
        try:
            if version < SCHEMA_VERSION:
                self._db.executescript(script(version))
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: cannot be brought to this version: {error}") from error

    # ---- commits ------------------------------------------------------------------------------------

    def _add(self, work: Callable[[Connection], Done]) -> Done:
        """Commit something new, all or nothing. JournalFullError: not now, nobody may acknowledge it."""
        with self._write:
            self._refused = True
            if not self._reserve.hold() or self._is_at_cap():
                raise JournalFullError(self._full_text())
            done = self._attempt(work)
            self._refused = False
            return done

    def _finish(self, work: Callable[[Connection], Done]) -> Done:
        """Commit what follows from what stands; takes from the reserve, and waits, when the disk is full."""
        while True:
            try:
                return self._attempt(work)
            except JournalFullError as error:
                if self._reserve.held:
                    log.error("%s", error)
                    self._reserve.give_up()
                elif self._ending.wait(FULL_RETRY_S):
                    raise

    def _attempt(self, work: Callable[[Connection], Done]) -> Done:
        try:
            with self._transaction() as db:
                return work(db)
        except sqlite3.Error as error:
            if _is_full(error, self._path):
                raise JournalFullError(self._full_text()) from error
            raise JournalError(f"{self._path}: cannot be written: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._write:
            db = self._db
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    # ---- room ---------------------------------------------------------------------------------------

    @property
    def full(self) -> str | None:
        """Why nothing new is taken, and what to do, for page and doctor; None while there is room."""
        refuses = self._refused or not self._reserve.held or self._is_at_cap()
        return self._full_text() if refuses else None

    def _is_at_cap(self) -> bool:
        """Whether too many bytes are in use; room that retention has made inside the file is not."""
        try:
            pages, free, size = (
                self._db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        except sqlite3.Error:
            return False  # unreadable, so nobody knows; what comes next says it better
        return bool((pages - free) * size >= self._cap_mb * MB)

    def _full_text(self) -> str:
        if self._is_at_cap():
            why = f"the journal has reached {self._cap_mb} MB; raise max_mb in [store], or keep data shorter"
        else:
            why = "make room, or move the store: [store] path in site.toml"
        return f"{self._path}: the disk is full: devices keep their events until there is room; {why}"

    # ---- for the rooms of the journal ---------------------------------------------------------------

    @property
    def version(self) -> int:
        """Grows with every commit that a reader may care about."""
        return self._version

    def wait(self, seen: int, timeout_s: float) -> int:
        """Sleep until the journal has grown since version `seen`, or the time is up; the version then."""
        with self.grown:
            self.grown.wait_for(lambda: self._version != seen, timeout_s)
            return self._version

    def wake(self) -> None:
        """Let every waiting reader look around."""
        self._notify()

    def end(self) -> None:
        """Nobody waits for the journal any more, not even for room: the hub stops."""
        self._ending.set()
        self._notify()

    def _notify(self) -> None:
        with self.grown:
            self._version += 1
            self.grown.notify_all()

    def _number(self, query: str, *parameters: Any) -> int:
        with self.reading():
            (value,) = self._db.execute(query, parameters).fetchone()
        return int(value)


def reads(method: Callable[Concatenate[Self, Given], Done]) -> Callable[Concatenate[Self, Given], Done]:
    """A method of the journal whose failure to read is told in plain words."""

    @wraps(method)
    def told(journal: Self, /, *given: Given.args, **named: Given.kwargs) -> Done:
        with journal.reading():
            return method(journal, *given, **named)

    return told


def copy_file(source: Path, target: Path) -> None:
    """A consistent copy of a journal that may be in use. JournalError when it cannot be read or written."""
    try:
        with _closing(source, "ro") as old, _closing(target, "rwc") as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
    except sqlite3.Error as error:
        raise JournalError(f"{source}: cannot be copied to {target}: {error}") from error


def check_file(path: Path) -> int:
    """The schema version of a journal's file; JournalError when it is damaged, none, or newer than this."""
    if not path.exists():
        raise JournalError(f"{path}: there is no such file")
    try:
        with _closing(path, "ro") as db:
            (found,) = db.execute("PRAGMA integrity_check(1)").fetchone()
            (version,) = db.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise JournalError(f"{path}: is no journal, or damaged: {error}") from error
    if found != "ok":
        raise JournalError(f"{path}: is damaged: {found}")
    if not 0 < version <= SCHEMA_VERSION:
        raise JournalError(f"{path}: is no journal of this version of EmoBox, or an older one")
    return int(version)


@contextmanager
def _closing(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=30)
    try:
        yield db
    finally:
        db.close()


def _is_full(error: sqlite3.Error, path: Path) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return True
    return code == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < NEARLY_NOTHING


def fit(number: int) -> int | str:
    """SQLite keeps 64 bits; a larger integer, which JSON allows, is kept as text."""
    return number if number <= SQLITE_INT_MAX else str(number)


def marks(names: Iterable[str]) -> tuple[str, list[str]]:
    """A question mark for each, and their list."""
    found = list(names)
    return ", ".join("?" * len(found)), found
