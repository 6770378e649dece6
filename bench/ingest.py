"""Sustained loss-free ingest, device acknowledgement included, in events a second.

Ours: load → mosquitto → hub → journal commit → ack topic → load, until the last event is acknowledged; all
stages of the hub run (fusion, records, indices, page; InfluxDB too in the last row). Peer: on the same broker
from the same load, a bare paho subscriber (QoS 1) that only counts. Goal: at least half of the peer.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.rig import Child, answers, hub, load, unbounded_broker, until
from bench.table import Row
from tests.servers import Server, start_influxd

COUNT = 30_000
KINDS = {"faces": "a camera's day: 48 faces, a click, a press of 50", "presses": "presses only"}


def measure(runs: int) -> list[Row]:
    """Rates of hub and peer, run by run in turn."""
    rows = []
    with TemporaryDirectory(prefix="emobox-bench-") as name:
        folder = Path(name)
        with unbounded_broker(folder) as broker, start_influxd(folder) as influx:
            for kinds, what in KINDS.items():
                pairs = [one(folder / f"{kinds}-{run}", broker, kinds) for run in range(runs)]
                rows.append(_row(what, pairs))
            pairs = [one(folder / f"influx-{run}", broker, "faces", influx) for run in range(runs)]
            rows.append(_row("the camera's day, InfluxDB followed too", pairs))
    return rows


def _row(what: str, pairs: list[tuple[float, float]]) -> Row:
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    return Row(what, "events/s", ours, "paho, only counts", theirs, "≥ 0.5 of peer")


def one(folder: Path, broker: Server, kinds: str, influx: Server | None = None) -> tuple[float, float]:
    """(ours, the peer's) events a second."""
    with hub(folder, broker, influx):
        answers(broker)
        ours = COUNT / load(broker, COUNT, "--kinds", kinds)["seconds"]
    return ours, COUNT / bare_seconds(folder, broker, kinds)


def bare_seconds(folder: Path, broker: Server, kinds: str) -> float:
    """From the first event sent to the last one counted."""
    command = [sys.executable, "-m", "bench.bare", str(broker.port), str(COUNT)]
    with Child(command, folder / "bare.log") as bare:
        until(lambda: bare.said("ready"), "the bare subscriber")
        start = time.monotonic()
        sent_s = float(load(broker, COUNT, "--kinds", kinds, "--until", "broker")["seconds"])
        process_s = time.monotonic() - start - sent_s  # starting and ending the load is not counted
        until(lambda: bare.said("all"), "the last message", 120, 0.002)
        return time.monotonic() - start - process_s
