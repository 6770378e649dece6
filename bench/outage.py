"""A burst of 30 000 presses, and 30 000 at 1 500/s with the database dead for 4 s.

Measured: how many never become points, and the time from the first message to the last point. Peer: Node-RED
4 with node-red-contrib-influxdb, the plain flow (mqtt in → function → influxdb out) and a batched one (join
500 → influxdb batch), on the same mosquitto and the same InfluxDB 1.6.7; the broker has its default queues,
or one without limit where the row says so. Both get the messages from the same load at QoS 1; towards the
hub the load also waits for the hub's acknowledgements, as devices do.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

from bench import nodered
from bench.rig import answers, hub, load, unbounded_broker, until
from bench.table import Row
from gateway.config import Influx
from gateway.sinks.http import Http
from gateway.sinks.influx_v1 import InfluxV1
from gateway.sinks.store import UnacceptableError, UnavailableError
from tests.servers import Server, ServerError, start_influxd, start_mosquitto

COUNT = 30_000
RATE = 1500
DEAD_AFTER_S, DEAD_S = 5.0, 4.0
TRIES = 3
QUIET_S = 45.0  # no further point for that long: what is missing is lost (Node-RED pauses for over 30 s)
WINDOW = ("--window", "900")  # a broker's default queue holds 1 000: what it drops comes again seconds later
BURST = ("--spread-s", "28800", *WINDOW)
STEADY = ("--rate", str(RATE), *WINDOW)
PEERS = {  # batched, broker without limit
    "Node-RED": (False, False),
    "Node-RED, batched": (True, False),
    "Node-RED, endless queue": (False, True),
    "Node-RED, batched, endless queue": (True, True),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many points are missing, and when the last came, in s after the first message."""

    lost: int
    last_s: float

    @property
    def pace(self) -> float:
        """Points stored a second."""
        return (COUNT - self.lost) / self.last_s


def measure(runs: int) -> list[Row]:
    """Both scenarios, ours and each peer in turn, run by run; without Node-RED the rows say so."""
    rows = []
    for what, options, dead in (("burst", BURST, False), ("4 s without database", STEADY, True)):
        ours: list[Outcome] = []
        theirs: dict[str, list[Outcome]] = {}
        for _ in tqdm(range(runs), desc=what, unit="run"):
            ours.append(surely(partial(run_hub, options, dead)))
            for peer, how in PEERS.items():
                try:
                    found = surely(partial(run_peer, options, dead, *how))
                except nodered.MissingError as error:
                    theirs[f"not measured: {error}"] = []
                    break
                theirs.setdefault(peer, []).append(found)
        for peer, outcomes in theirs.items():
            rows += rows_of(what, ours, peer, outcomes)
    return rows


def surely(sample: Callable[[], Outcome]) -> Outcome:
    """A sample; again when a server did not come up, as on a machine with too much else to do."""
    for _ in range(TRIES - 1):
        try:
            return sample()
        except ServerError as error:
            print(f"once more: {str(error).splitlines()[0]}", file=sys.stderr)
    return sample()


def rows_of(what: str, ours: list[Outcome], peer: str, theirs: list[Outcome]) -> list[Row]:
    """Lost points, time to the last one, and what was stored in that time: a fraction is no faster whole."""
    lost = [float(one.lost) for one in ours], [float(one.lost) for one in theirs]
    last = [one.last_s for one in ours], [one.last_s for one in theirs]
    pace = [one.pace for one in ours], [one.pace for one in theirs]
    return [
        Row(f"{what}: lost of {COUNT}", "points", lost[0], peer, lost[1], "0"),
        Row(f"{what}: first message to last point", "s", last[0], peer, last[1]),
        Row(f"{what}: stored", "points/s", pace[0], peer, pace[1], "> peer"),
    ]


def run_hub(options: tuple[str, ...], dead: bool) -> Outcome:
    """Ours, on fresh servers."""
    with TemporaryDirectory(prefix="emobox-bench-") as name:
        folder = Path(name)
        with start_mosquitto(folder) as broker, start_influxd(folder) as influx, hub(folder, broker, influx):
            answers(broker)
            return outcome(broker, influx, options, dead, "emobox", "n", 1)


def run_peer(options: tuple[str, ...], dead: bool, batched: bool, endless: bool) -> Outcome:
    """Node-RED, on fresh servers."""
    with TemporaryDirectory(prefix="emobox-bench-") as name:
        folder = Path(name)
        start_broker = unbounded_broker if endless else start_mosquitto
        with start_broker(folder) as broker, start_influxd(folder) as influx:
            database(influx, "").query(f"CREATE DATABASE {nodered.DATABASE}")
            with nodered.node_red(folder, broker, influx, batched=batched) as peer:
                until(lambda: nodered.is_ready(peer), "Node-RED", 60)
                time.sleep(1)
                return outcome(
                    broker, influx, (*options, "--until", "broker"), dead, nodered.DATABASE, "seq", 0
                )


def outcome(
    broker: Server, influx: Server, options: tuple[str, ...], dead: bool, name: str, field: str, before: int
) -> Outcome:
    """Send all, kill the database meanwhile if told, and watch its points until no more come."""
    with ThreadPoolExecutor(1) as pool:
        start = time.monotonic()
        sending = pool.submit(load, broker, COUNT, *options)
        if dead:
            time.sleep(DEAD_AFTER_S)
            influx.kill()
            time.sleep(DEAD_S)
            influx.start()
        found, last_s = follow(lambda: points(influx, name, field) - before, sending, start)
    return Outcome(COUNT - found, last_s)


def follow(count: Callable[[], int], sending: Future[Any], start: float) -> tuple[int, float]:
    """(points, when the last came in s after start), once all are there or none has come for QUIET_S."""
    seen, last = 0, time.monotonic()
    while seen < COUNT and (not sending.done() or time.monotonic() - last < QUIET_S):
        now = count()
        if now != seen:
            seen, last = now, time.monotonic()
        time.sleep(0.25)
    sending.result()
    return seen, last - start


def points(influx: Server, name: str, field: str) -> int:
    """Presses in the database; 0 where it has none or does not answer."""
    try:
        series = database(influx, name).query(f"SELECT count({field}) FROM press")
    except (UnacceptableError, UnavailableError):
        return 0
    return int(series[0].rows[0][1]) if series else 0


def database(influx: Server, name: str) -> InfluxV1:
    """A connection to it."""
    return InfluxV1(Influx(url=influx.url, database=name), Http(influx.url, {}))
