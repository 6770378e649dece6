"""The machine under the hub: clock, time zone, disk."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from gateway.app import journal_path
from gateway.checks import Finding, error, ok, warning
from gateway.config import Site

EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
BACK_MAX_S = 60
ASK_S = 5.0
FREE_LEAST, FREE_LOW = 200e6, 2e9  # bytes
SET_CLOCK = "connect this machine to the internet, or set its clock: sudo date -s '2026-11-21 09:00'"


def check_clock(site: Site) -> Iterator[Finding]:
    """Whether times will be right."""
    now_s = time.time()
    shown = f"{site.local(int(now_s * 1000)):%A %Y-%m-%d %H:%M}"
    journal = journal_path(site)
    if now_s < EARLIEST.timestamp():
        yield error(f"the clock is wrong: it says {shown}", SET_CLOCK)
    elif journal.exists() and journal.stat().st_mtime > now_s + BACK_MAX_S:
        yield error(f"the clock went back: it says {shown}, and the journal is from later", SET_CLOCK)
    else:
        doors = "open" if site.is_open(int(now_s * 1000)) else "closed (presses now are in no index)"
        yield ok(f"in the shop it is {shown} ({site.zone}), and it is {doors}")
    if _is_synchronised() is False:
        yield warning(
            "the clock is not kept right by a time server",
            "connect this machine to the internet: sudo timedatectl set-ntp true; or fit a clock chip",
        )


def _is_synchronised() -> bool | None:
    """What systemd says; None where it cannot say."""
    command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=ASK_S).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(answer)


def check_disk(site: Site) -> Iterator[Finding]:
    """Whether the journal can grow."""
    folder = Path(site.store.path).absolute()
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    what = f"{free / 1e9:.1f} GB are free for the journal in {folder}"
    make_room = "make room, or move the store: [store] path in site.toml"
    if free < FREE_LEAST:
        yield error(f"the disk is full: {what}; devices keep their events until there is room", make_room)
    elif free < FREE_LOW:
        yield warning(f"the disk is nearly full: {what}", make_room)
    else:
        yield ok(what)
