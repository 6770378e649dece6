"""Pictures in a folder or a zip, and the CSV that labels them."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

import cv2
import numpy as np

from gateway.vision.faces import Image

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".pgm", ".ppm"}
Row = dict[str, str]


class EvaluationError(Exception):
    """What was given cannot be measured; the text says what to do next."""


class Source(Protocol):
    """Where pictures lie."""

    def names(self) -> list[str]:
        """Paths of all files, with `/` between folders."""

    def read(self, name: str) -> bytes:
        """The bytes of one of them."""


@dataclass(frozen=True)
class Folder:
    """A folder with its sub-folders."""

    path: Path

    def names(self) -> list[str]:
        """Paths relative to the folder."""
        return sorted(str(p.relative_to(self.path).as_posix()) for p in self.path.rglob("*") if p.is_file())

    def read(self, name: str) -> bytes:
        """The bytes of one file."""
        return (self.path / name).read_bytes()


@dataclass(frozen=True)
class Archive:
    """An open zip: nothing is unpacked."""

    archive: zipfile.ZipFile

    def names(self) -> list[str]:
        """Paths of the members."""
        return sorted(name for name in self.archive.namelist() if not name.endswith("/"))

    def read(self, name: str) -> bytes:
        """The bytes of one member; none when it is damaged."""
        try:
            return self.archive.read(name)
        except (zipfile.BadZipFile, zlib.error):
            return b""


class Pictures:
    """Finds a picture by its path, or by its bare name where that is unique."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._by_name: dict[str, list[str]] = {}
        for name in source.names():
            if PurePosixPath(name).suffix.lower() in SUFFIXES:
                for key in {name, PurePosixPath(name).name}:
                    self._by_name.setdefault(key, []).append(name)

    def find(self, file: str) -> str | None:
        """The one picture that a label's `file` means. Raises EvaluationError when it may mean several."""
        found = self._by_name.get(_plain(file)) or self._by_name.get(PurePosixPath(_plain(file)).name) or []
        if len(found) > 1:
            raise EvaluationError(f"'{file}' may mean {found[0]} or {found[1]}: give the path in the labels")
        return found[0] if found else None

    def read(self, name: str) -> Image | None:
        """BGR, 8 bit; None when the file is no picture that can be read."""
        data = np.frombuffer(self._source.read(name), np.uint8)
        try:
            image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        except cv2.error:  # an empty file, or one that claims to be larger than anything sane
            return None
        return None if image is None else np.asarray(image, np.uint8)


def open_pictures(path: Path) -> Pictures:
    """Pictures of a folder or a zip. Raises EvaluationError."""
    if path.is_dir():
        return Pictures(Folder(path))
    if not path.exists():
        raise EvaluationError(f"{path} does not exist; give a folder or a zip of pictures")
    if not zipfile.is_zipfile(path):
        raise EvaluationError(f"{path} is neither a folder nor a zip; give one of them")
    return Pictures(Archive(zipfile.ZipFile(path)))


def read_rows(path: Path, columns: Sequence[str]) -> list[Row]:
    """The rows of a CSV that has `columns`; more columns are let be. Raises EvaluationError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, header = list(reader), [name.strip() for name in reader.fieldnames or []]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EvaluationError(f"{path} cannot be read as a CSV ({error})") from error
    missing = [name for name in columns if name not in header]
    if missing:
        raise EvaluationError(f"{path} has no column {', '.join(missing)}; needed: {', '.join(columns)}")
    if not rows:
        raise EvaluationError(f"{path} has no rows below its header")
    return [{(key or "").strip(): (value or "") for key, value in row.items() if key} for row in rows]


def _plain(file: str) -> str:
    return str(PurePosixPath(file.strip().replace("\\", "/")))
