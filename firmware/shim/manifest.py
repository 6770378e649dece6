"""Writes manifest.toml: which file goes on which device, with its size and sha256.

python -m firmware.shim.manifest            # write it anew
python -m firmware.shim.manifest --check    # exit 1 when it is not what the files make
"""

import argparse
import hashlib
import re
import sys
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[1]
HOST_ONLY = ("shim/", "__init__.py")
KINDS = ("terminal", "keyfob")
HEAD = """# Which file goes on which device. Written by: python -m firmware.shim.manifest
version = "{version}"
"""


def device_files() -> list[str]:
    """Every file that goes on a device, as a path below firmware/."""
    paths = (path.relative_to(FIRMWARE).as_posix() for path in FIRMWARE.rglob("*.py"))
    return sorted(path for path in paths if not path.startswith(HOST_ONLY))


def render() -> str:
    """The text of manifest.toml."""
    version = re.search(r'^FIRMWARE = "(.+)"$', (FIRMWARE / "app.py").read_text(), re.MULTILINE)
    head = HEAD.format(version=version[1] if version else "")
    return head + "".join(_entry(path) for path in device_files())


def main(argv: list[str] | None = None) -> int:
    """Write or check; 0 when the manifest is right afterwards."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 when it is out of date")
    parser.add_argument("path", nargs="?", type=Path, default=FIRMWARE / "manifest.toml")
    options = parser.parse_args(argv)
    if not options.check:
        options.path.write_text(render())
    elif options.path.read_text() != render():
        print(f"{options.path} is out of date; run: python -m firmware.shim.manifest", file=sys.stderr)
        return 1
    return 0


def _entry(path: str) -> str:
    data = (FIRMWARE / path).read_bytes()
    room = path.split("/")[0]
    devices = ", ".join(f'"{kind}"' for kind in ((room,) if room in KINDS else KINDS))
    return (
        f'\n[[file]]\npath = "{path}"\ndevices = [{devices}]\n'
        f'bytes = {len(data)}\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n'
    )


if __name__ == "__main__":
    sys.exit(main())
