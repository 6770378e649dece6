"""Replay of a generated day: `emobox replay` as a whole process, wall and CPU time.

28 000 events (300 contacts at 3 tills, 91 face readings each). Peer: a Python process that only reads the
same log with json.loads, line by line: the least that any replay in this language could take. Goal: < 2 s.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.days import Shop, site_text, write_log
from bench.table import Row

OPENS = 1_760_000_000_000
FLOOR = "import json, sys\nfor line in open(sys.argv[1]):\n    json.loads(line)\n"


def measure(runs: int) -> list[Row]:
    """Wall and CPU seconds a run."""
    with TemporaryDirectory(prefix="emobox-bench-") as name:
        folder = Path(name)
        log, site = folder / "day.jsonl", folder / "site.toml"
        day = Shop().day(OPENS)
        write_log(log, day)
        site.write_text(site_text(folder))
        ours = [sys.executable, "-m", "gateway.cli", "replay", str(log), "--config", str(site), "--json"]
        floor = [sys.executable, "-c", FLOOR, str(log)]
        pairs = [(timed(ours), timed(floor)) for _ in range(runs)]
    peer, what = "json.loads of every line", f"replay of {len(day)} events"
    return [
        Row(f"{what}, wall", "s", [a[0] for a, _ in pairs], peer, [b[0] for _, b in pairs], "< 2 s"),
        Row(f"{what}, CPU", "s", [a[1] for a, _ in pairs], peer, [b[1] for _, b in pairs], "< 2 s"),
    ]


def timed(command: Sequence[str]) -> tuple[float, float]:
    """(wall, user + system) seconds of a process that must succeed."""
    before, start = os.times(), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.monotonic() - start, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system
