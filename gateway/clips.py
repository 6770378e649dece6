"""Clips: seconds of sound around a spike or a question, encrypted, for 72 h (spec 7). The one place they lie.

A file is a line of JSON (when, where, why) and the sound (16 kHz, mono, int16), sealed with AES-256-GCM,
which guards that line too. The key lies beside the folder, for the hub's user alone. Without it nobody hears
anything; whoever has the machine has both, so this protects copies of the files.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway.config import Site
from gateway.keyfile import KeyFileError, read_key, write_private

KEEP_MS = 72 * 3_600_000
NAME = re.compile(r"(\d{1,15})-(\d{1,15})-\w+\.(?:clip|new)")


class ClipError(Exception):
    """A clip or the key cannot be used; the text says what to do next."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a clip without its key; times in ms since 1970."""

    device: str
    point: str
    reason: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Clip:
    """One file; `about` is None when its first line cannot be read. Times are those of its name."""

    path: Path
    start: int
    end: int
    about: About | None


def clips_of(site: Site) -> Clips:
    """The clips of a shop, on this machine."""
    store = Path(site.store.path)
    return Clips(store / "clips", store / "clips.key")


class Clips:
    """A folder of clips and their key; both are made when the first clip is kept."""

    def __init__(self, folder: Path, key: Path) -> None:
        self._folder, self._key = folder, key

    def keep(self, about: About, sound: bytes) -> Path:
        """Encrypt and write one clip; it is whole on the disk when this returns. OSError, ClipError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        from gateway.seal import seal

        header = json.dumps(asdict(about)).encode()
        sealed = seal(self._read_key(make=True), sound, header)
        fresh = self._folder / f"{about.start}-{about.end}-{secrets.token_hex(4)}.new"
        write_private(fresh, header + b"\n" + sealed)
        return fresh.replace(fresh.with_suffix(".clip"))

    def all(self) -> list[Clip]:
        """Every clip, oldest first."""
        return sorted(self._files(), key=lambda clip: (clip.start, clip.path))

    def sound(self, clip: Clip) -> bytes:
        """The sound of a clip. ClipError: the key is gone, or the file was changed."""
        from gateway.seal import SealError, unseal

        header, _, sealed = clip.path.read_bytes().partition(b"\n")
        try:
            return unseal(self._read_key(make=False), sealed, header)
        except SealError:
            raise ClipError(f"{clip.path}: cannot be heard: changed, or sealed with another key") from None

    def purge(self, now: int) -> int:
        """Delete what is older than 72 h, or lies as far in the future (the clock was wrong); how many."""
        return _delete(clip for clip in self._files() if not now - KEEP_MS <= clip.end <= now + KEEP_MS)

    def erase(self, point: str, start: int, end: int) -> int:
        """Delete clips of a point that touch start ≤ t < end, and those that do not say where; how many."""
        touching = (clip for clip in self._files() if clip.start < end and clip.end >= start)
        return _delete(clip for clip in touching if clip.about is None or clip.about.point == point)

    def _files(self) -> Iterator[Clip]:
        for path in self._folder.glob("*") if self._folder.is_dir() else ():
            if found := NAME.fullmatch(path.name):
                yield Clip(path, int(found[1]), int(found[2]), _about(path))

    def _read_key(self, *, make: bool) -> bytes:
        try:
            return read_key(self._key, make=make)
        except KeyFileError as error:
            raise ClipError(f"{error}; without it no clip can be heard") from None


def _about(path: Path) -> About | None:
    try:
        with path.open("rb") as file:
            return About(**json.loads(file.readline(4096)))
    except (OSError, ValueError, TypeError):
        return None


def _delete(clips: Iterator[Clip]) -> int:
    gone = list(clips)
    for clip in gone:
        clip.path.unlink(missing_ok=True)
    return len(gone)
