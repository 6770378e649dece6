"""What years cost: 300 contacts a day, through the real inspection, journal, recorder, indexer and sink.

Histories of 1, 3 and 12 months (BENCH_MONTHS=…) with 5 face readings a contact, and a week with 91; peer for
sizes: the same events as JSON lines, for start-up and queries: the shortest history of the same run. Wear: a
hub under 15 events a second; peer: a line appended to a file and synced, event by event. Retention does not
run here: in a shop raw events go after 90 days, so the journal of a long history is smaller than these.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from bench.days import Shop, site_text
from bench.outage import database
from bench.rig import Child, answers, hub, load, unbounded_broker, until, written_bytes
from bench.table import Row
from dashboards.today import Shop as Board
from dashboards.today import today
from gateway.clock import Clock
from gateway.config import Site, load_site
from gateway.events import Arrival, Quarantined
from gateway.indexer import Indexer
from gateway.inspector import Inspector
from gateway.journal import Journal
from gateway.recorder import Recorder
from gateway.sinks.influx import open_influx
from gateway.sinks.reader import SinkReader
from tests.integration.panels import View
from tests.servers import Server, start_influxd

DAY_MS = 86_400_000
MIB = 1 << 20
MONTHS = tuple(int(text) for text in os.environ.get("BENCH_MONTHS", "1 3 12").split())
FACES_LONG, FACES_FULL = 5, 91
EVENTS_A_DAY = 28_000
QUERIES = 5  # a run: queries are quick, and other work disturbs them
WEAR_EVENTS, WEAR_RATE = 600, 15
CARD_BYTES, CYCLES, AMPLIFICATION = (
    32e9,
    1000,
    4,
)  # a small card; erase cycles a cell; what its controller adds


@dataclass
class History:
    """What one generated history has cost."""

    days: int
    events: int = 0
    lines: int = 0
    size: int = 0
    feed_s: float = 0.0
    start_s: list[float] = field(default_factory=list)
    query_ms: dict[str, list[float]] = field(default_factory=dict)


def measure(runs: int) -> list[Row]:
    """Sizes, start-up, queries, wear."""
    week = grow_in_own_folder(7, FACES_FULL, 1)
    long = [grow_in_own_folder(round(months * 365 / 12), FACES_LONG, runs) for months in MONTHS]
    return [*sizes([week, *long]), *starts(long), *queries(long), *wear(runs)]


def sizes(found: list[History]) -> list[Row]:
    """Journal against JSON lines, and what a day adds."""
    rows = []
    for one in found:
        name = f"{one.days} days, {one.events} events"
        rows += [
            Row(f"{name}: journal", "MiB", [one.size / MIB], "JSON lines", [one.lines / MIB], "linear"),
            Row(f"{name}: journal a day", "MiB", [one.size / MIB / one.days]),
            Row(f"{name}: fed in", "events/s", [one.events / one.feed_s]),
        ]
    return rows


def starts(found: list[History]) -> list[Row]:
    """Start of the hub to the first figures of its page."""
    first = found[0]
    peer = f"after {first.days} days"
    return [Row(f"{one.days} days: start to page", "s", one.start_s, peer, first.start_s) for one in found]


def queries(found: list[History]) -> list[Row]:
    """Every panel of the dashboard Today, all its queries, for the newest day."""
    first = found[0]
    return [
        Row(f"{one.days} days: panel {name}", "ms", ms, f"after {first.days} days", first.query_ms[name])
        for one in found
        for name, ms in one.query_ms.items()
    ]


def grow_in_own_folder(days: int, faces: int, runs: int) -> History:
    """A history and its measurements, on a fresh journal and database."""
    with TemporaryDirectory(prefix="emobox-bench-") as name:
        folder = Path(name)
        with unbounded_broker(folder) as broker, start_influxd(folder) as influx:
            config = folder / "site.toml"
            config.write_text(site_text(folder, broker=broker.port, influx=influx.url))
            found = History(days)
            feed(folder, load_site(config), faces, found)
            found.size = sum(path.stat().st_size for path in folder.glob("journal.db*"))
            found.start_s = [start_up(folder, broker, influx) for _ in range(runs)]
            found.query_ms = panels(influx, runs)
            return found


def feed(
    folder: Path, site: Site, faces: int, found: History, on_day: Callable[[], None] = lambda: None
) -> None:
    """Days up to yesterday, a day a commit, each followed by recorder, indexer and sink."""
    journal, clock = Journal(folder / "journal.db", durable=False), Clock()
    journal.open()
    recorder, indexer = Recorder(journal, site, clock), Indexer(journal, site, clock)
    sink = SinkReader(journal, open_influx(site.influx)) if site.influx else None
    recorder.resume()
    start = time.monotonic()
    for items in arrivals(site, faces, found):
        journal.append(items)
        drain(recorder.step)
        drain(indexer.step)
        if sink:
            drain(sink.step)
        on_day()
    found.feed_s = time.monotonic() - start
    journal.close()


def arrivals(site: Site, faces: int, found: History) -> Iterator[list[Arrival | Quarantined]]:
    """The days' events after inspection; counts them and their JSON lines."""
    shop, inspector = Shop(faces=faces), Inspector(site)
    midnight = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS
    for day in range(found.days, 0, -1):
        messages = shop.day(midnight - day * DAY_MS + 8 * 3_600_000)
        bodies = [(t, topic, json.dumps(event).encode()) for t, topic, event in messages]
        found.events += len(bodies)
        found.lines += sum(len(body) + len(topic) + 20 for _, topic, body in bodies)
        items = [inspector.inspect(t, topic, body) for t, topic, body in bodies]
        yield [item for item in items if item]


def drain(step: Callable[[], object]) -> None:
    """Until there is nothing more to take."""
    while step():
        pass


def start_up(folder: Path, broker: Server, influx: Server) -> float:
    """Seconds from the start of `emobox run` to the first answer of its page's figures."""
    start = time.monotonic()
    with hub(folder, broker, influx, points=3) as ours:
        port = load_site(folder / "site.toml").web.port
        until(lambda: page_answers(ours, port), "the page", 60, 0.01)
        return time.monotonic() - start


def page_answers(ours: Child, port: int) -> bool:
    """Whether /api/today answers."""
    if not ours.said("the page is at"):
        return False
    try:
        with urlopen(f"http://127.0.0.1:{port}/api/today", timeout=30) as answer:
            return bool(json.load(answer))
    except OSError:
        return False


def panels(influx: Server, runs: int) -> dict[str, list[float]]:
    """ms for all queries of each panel, by the first words of its title, for the newest day."""
    end = time.time_ns() // 1_000_000 // DAY_MS * DAY_MS
    view, store = View(end - DAY_MS, end), database(influx, "emobox")
    took: dict[str, list[float]] = {}
    for panel in today(Board())["panels"]:
        texts = [view.fill(target["query"]) for target in panel["targets"]]
        for _ in range(QUERIES * runs):
            start = time.monotonic()
            for text in texts:
                store.query(text)
            took.setdefault(panel["title"].partition(" ·")[0], []).append(1000 * (time.monotonic() - start))
    return took


def wear(runs: int) -> list[Row]:
    """Bytes sent to the disk an event, and how long a card lasts by them."""
    pairs = [(wear_of_hub(), wear_of_lines()) for _ in range(runs)]
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    peer = "line, then fsync"
    life = CARD_BYTES * CYCLES / AMPLIFICATION / EVENTS_A_DAY / 365
    what = f"{EVENTS_A_DAY} events a day: life of a 32 GB card (1000 cycles, amplification 4)"
    return [
        Row(f"written to disk an event, {WEAR_RATE}/s", "bytes", ours, peer, theirs),
        Row(what, "years", [life / one for one in ours], peer, [life / one for one in theirs]),
    ]


def wear_of_hub() -> float:
    """Bytes an event that the hub writes under a shop's busiest load."""
    with TemporaryDirectory(prefix="emobox-bench-") as name:
        folder = Path(name)
        with unbounded_broker(folder) as broker, hub(folder, broker) as ours:
            answers(broker)
            before = written_bytes(ours.pid)
            load(broker, WEAR_EVENTS, "--kinds", "faces", "--rate", str(WEAR_RATE))
            time.sleep(2)
            return (written_bytes(ours.pid) - before) / WEAR_EVENTS


def wear_of_lines() -> float:
    """The same for lines of that length, each synced."""
    line = json.dumps({"topic": "emobox/v1/shop-1/cam-1/event", "payload": "x" * 120}) + "\n"
    with TemporaryDirectory(prefix="emobox-bench-") as name, (Path(name) / "lines").open("w") as lines:
        before = written_bytes(os.getpid())
        for _ in range(WEAR_EVENTS):
            lines.write(line)
            lines.flush()
            os.fsync(lines.fileno())
        return (written_bytes(os.getpid()) - before) / WEAR_EVENTS
