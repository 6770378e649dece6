"""Resident memory of the hub: idle, and after as many events as 5 minutes let through, a million at most.

The events are a camera's day (48 faces, a click, a press of 50) at full speed, so contacts come thousands of
times as fast as in a shop; InfluxDB is followed too. Peer: the bare paho subscriber that only counts.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.rig import Child, answers, hub, load, resident_mb, unbounded_broker, until
from bench.table import Row
from tests.servers import Server, start_influxd

CHUNK = 50_000
LIMIT_S = 300.0
MOST = 1_000_000
SETTLE_S = 10.0


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
    return [Row(f"hub after {count} events", "MiB", [mb], peer, [bare]) for count, mb in marks]


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
