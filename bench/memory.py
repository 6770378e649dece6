"""Resident memory: the hub idle, in a flood without a pause, and its parts after a million events in a shop.

Flood: a camera's day (48 faces, a click, a press of 50) at full speed for 2 minutes, a million events at
most; contacts come thousands of times as fast as in a shop. Shop: journal, recorder, indexer and sink in one
process, fed 300 contacts a day. InfluxDB is followed in both. Peer: a paho subscriber that only counts.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.days import site_text
from bench.rig import Child, answers, hub, load, resident_mb, unbounded_broker, until
from bench.table import Row
from tests.servers import Server, start_influxd

CHUNK = 50_000
LIMIT_S = 120.0
MOST = 1_000_000
SETTLE_S = 10.0
PACE_DAYS = 500  # of 2 040 events
PACE_MARKS = 50_000, 250_000, 500_000, MOST


def measure(runs: int) -> list[Row]:
    """One long run, whatever `runs`: a million events are sample enough."""
    del runs
    with TemporaryDirectory(prefix="emobox-bench-") as name:
        folder = Path(name)
        with unbounded_broker(folder) as broker, start_influxd(folder) as influx:
            bare = bare_mb(folder, broker)
            with hub(folder, broker, influx) as ours:
                answers(broker)
                time.sleep(SETTLE_S)
                marks = [(0, resident_mb(ours.pid)), *grow(broker, ours)]
    peer = "idle paho subscriber"
    return [
        *(Row(f"hub after {count} events of a flood", "MiB", [mb], peer, [bare]) for count, mb in marks),
        *(Row(f"{count} events at a shop's pace", "MiB", [mb], peer, [bare]) for count, mb in paced()),
    ]


def bare_mb(folder: Path, broker: Server) -> float:
    """The peer's memory."""
    command = [sys.executable, "-m", "bench.bare", str(broker.port), "1"]
    with Child(command, folder / "bare.log") as bare:
        until(lambda: bare.said("ready"), "the bare subscriber")
        return resident_mb(bare.pid)


def grow(broker: Server, ours: Child) -> list[tuple[int, float]]:
    """(events so far, MiB) on the way to a million or the time limit."""
    start, sent, marks = time.monotonic(), 0, list[tuple[int, float]]()
    while sent < MOST and time.monotonic() - start < LIMIT_S:
        load(broker, CHUNK, "--kinds", "faces", "--boot", str(2 + sent // CHUNK))
        sent += CHUNK
        marks.append((sent, resident_mb(ours.pid)))
    time.sleep(SETTLE_S)
    return [
        *(mark for mark in marks if mark[0] in (CHUNK, MOST // 4, MOST // 2)),
        (sent, resident_mb(ours.pid)),
    ]


def paced() -> list[tuple[int, float]]:
    """(events so far, MiB) of a process that follows a shop for more than a year."""
    with TemporaryDirectory(prefix="emobox-bench-") as name, start_influxd(Path(name)) as influx:
        folder, marks = Path(name), list[tuple[int, float]]()
        (folder / "site.toml").write_text(site_text(folder, influx=influx.url))
        command = [sys.executable, "-m", "bench.pace", name, str(PACE_DAYS)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as follower:
            for line in follower.stdout or ():
                if len(marks) < len(PACE_MARKS) and int(line) >= PACE_MARKS[len(marks)]:
                    marks.append((int(line), resident_mb(follower.pid)))
                if len(marks) == len(PACE_MARKS):
                    break
            follower.kill()
        return marks
