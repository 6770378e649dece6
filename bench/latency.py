"""From a press to its acknowledgement by the journal, and to the point that a query finds, p50 and p99 in ms.

10 and 100 presses a second for 20 s and 10 s at 10 terminals. The acknowledgement is timed by the load, the
point by asking InfluxDB every few ms for the number of points: up to one such turn too high. Peers: the
broker's own PUBACK of the same presses; a line posted straight to the same InfluxDB, one after the other,
from the request to the point that the same question finds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.outage import database, points
from bench.rig import answers, hub, load, unbounded_broker, until
from bench.table import Row
from tests.servers import Server, start_influxd

RATES = {10: 200, 100: 1000}
DIRECT = 200
QUANTILES = {"p50": 0.50, "p99": 0.99}
Samples = dict[str, list[float]]


def measure(runs: int) -> list[Row]:
    """Both ways at both rates."""
    rows = []
    for rate, count in RATES.items():
        found = [one(rate, count) for _ in range(runs)]
        for name, quantile in QUANTILES.items():
            ms = {what: [pick(run[what], quantile) for run in found] for what in found[0]}
            head = f"{rate}/s {name}: press to"
            rows += [
                Row(f"{head} journal's ack", "ms", ms["ack"], "broker's PUBACK", ms["puback"]),
                Row(f"{head} point in InfluxDB", "ms", ms["point"], "line posted directly", ms["direct"]),
            ]
    return rows


def pick(samples: Sequence[float], quantile: float) -> float:
    """The sample at that rank, in ms."""
    ordered = sorted(samples)
    return 1000 * ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]


def one(rate: int, count: int) -> Samples:
    """Latencies in s: ours and the peers', on fresh servers."""
    with TemporaryDirectory(prefix="emobox-bench-") as name:
        folder = Path(name)
        with unbounded_broker(folder) as broker, start_influxd(folder) as influx:
            with hub(folder, broker, influx):
                answers(broker)
                until(lambda: points(influx, "emobox", "n") == 1, "the first point")
                with ThreadPoolExecutor(1) as pool:
                    seen = pool.submit(watch, influx, count)
                    ours = load(broker, count, "--rate", str(rate))
                    point = [
                        there - sent for there, sent in zip(seen.result(), ours["sent_at_s"], strict=True)
                    ]
            bare = load(broker, count, "--rate", str(rate), "--until", "broker")
            return {
                "ack": ours["latencies_s"],
                "puback": bare["latencies_s"],
                "point": point,
                "direct": direct(influx),
            }


def watch(influx: Server, count: int) -> list[float]:
    """When (monotonic s) the n-th press of the load was there, as counted in order."""
    store, seen = database(influx, "emobox"), list[float]()
    while len(seen) < count:
        there = int(store.query("SELECT count(n) FROM press")[0].rows[0][1]) - 1
        seen += [time.monotonic()] * (there - len(seen))
        time.sleep(0.002)
    return seen


def direct(influx: Server) -> list[float]:
    """Seconds from a POST of one line to the query that finds it."""
    store, took = database(influx, "direct"), list[float]()
    for n in range(1, DIRECT + 1):
        start = time.monotonic()
        store.put([f"press,device=d n=1i {n}"])
        while int(store.query("SELECT count(n) FROM press")[0].rows[0][1]) < n:
            time.sleep(0.002)
        took.append(time.monotonic() - start)
    return took
