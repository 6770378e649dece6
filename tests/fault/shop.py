"""A shop that gets hurt: real processes, and the one sentence that every fault test ends in."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from gateway.journal import Journal
from tests.integration.hub import HubProcess, SureDevice
from tests.servers import Server
from tests.waiting import wait_for

OWN_TIME_MS = 2000  # between the happening and t: what a message may be on its way on a loaded machine
PATCHED = "import sys; from gateway.cli import main\n{patches}\nsys.exit(main())"

Identity = tuple[str, int, int]


@dataclass(frozen=True)
class Happening:
    """What a device saw: when (true ms since 1970), and what."""

    ms: int
    kind: str
    fields: Mapping[str, Any]


class Witness(SureDevice):
    """A device that also remembers everything that ever happened at it."""

    def __init__(self, broker: Server, name: str, boot: int = 1) -> None:
        super().__init__(broker, name, boot)
        self.happened: dict[int, Happening] = {}

    def happen(self, kind: str, fields: dict[str, Any]) -> int:
        moment = Happening(time.time_ns() // 1_000_000, kind, fields)
        seq = super().happen(kind, fields)
        self.happened[seq] = moment
        return seq

    def acknowledged(self) -> dict[Identity, Happening]:
        """By identity: what the hub has said it keeps."""
        return {
            (self._name, self._boot, seq): moment
            for seq, moment in self.happened.items()
            if seq not in self.waiting
        }


class Hub(HubProcess):
    """`emobox run`; `patches` shortens constants in that process, `extra` is more of site.toml."""

    def __init__(
        self,
        folder: Path,
        broker: Server,
        influx_url: str | None = None,
        *,
        extra: str = "",
        patches: str = "",
        timeout_s: int = 2,
        env: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, broker)
        tables = f'[influx]\nurl = "{influx_url}"\n' if influx_url else ""
        text = self.config.read_text().replace("timeout_button_s = 2", f"timeout_button_s = {timeout_s}")
        self.config.write_text(text + tables + extra)
        self._patches, self._env_more = patches, dict(env or {})
        self.log = folder.parent / f"{folder.name}.hub.log"

    def command(self) -> list[str]:
        program = PATCHED.format(patches=self._patches)
        return [sys.executable, "-c", program, "run", "--config", str(self.config)]

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, env={**os.environ, **self._env_more}
            )

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process
        return self._process.pid

    def said(self, text: str) -> bool:
        """Whether its log has this."""
        return text in self.log.read_text(errors="replace")


def settled(devices: Iterable[Witness], timeout_s: float = 60.0) -> None:
    """Wait until every device has seen everything acknowledged."""
    waiting = list(devices)
    wait_for(lambda: not any(device.waiting for device in waiting), "every acknowledgement", timeout_s)


def fused(journal: Journal, timeout_s: float = 60.0) -> None:
    """Wait until every event has been read by fusion."""
    wait_for(lambda: journal.cursor("fusion") == journal.last_event(), "fusion to catch up", timeout_s)


def followed(journal: Journal, timeout_s: float = 90.0) -> None:
    """Wait until the database has everything."""
    fused(journal, timeout_s)
    wait_for(lambda: journal.cursor("influx") == journal.last_change(), "influx to catch up", timeout_s)


def every_acknowledged_event_is_stored_once_at_its_own_time(
    hub: HubProcess, devices: Iterable[Witness], influx: Server | None = None
) -> None:
    """Every event that a device saw acknowledged is stored exactly once, at its own time.

    In the journal's events; a press also as one record, and as one point of the database where there is one.
    """
    events = stored_events(hub)
    acknowledged = {who: what for device in devices for who, what in device.acknowledged().items()}
    assert acknowledged, "no event was acknowledged: the test says nothing"
    lost = [who for who in acknowledged if who not in events]
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged events are lost: {lost[:5]}"
    for who, what in acknowledged.items():
        t, body = events[who]
        assert abs(t - what.ms) <= OWN_TIME_MS, f"{who} is {t - what.ms} ms from its own time"
        assert {name: body[name] for name in what.fields} == dict(what.fields)
    presses = press_counts(events)
    wait_for(lambda: press_records(hub) == presses, "one record a press", 30)
    if influx:
        wait_for(lambda: press_points(influx) == presses, "one point a press", 30)


def stored_events(hub: HubProcess) -> dict[Identity, tuple[int, dict[str, Any]]]:
    """(t, body) of every trusted event, by identity; fails when one stands there twice."""
    return {who: (t, json.loads(body)) for who, t, body in _stored(hub) if t is not None}


def stored_times(hub: HubProcess) -> dict[Identity, int | None]:
    """t of every event, None for one whose time is not trusted; fails when one stands there twice."""
    return {who: t for who, t, _ in _stored(hub)}


def _stored(hub: HubProcess) -> list[tuple[Identity, int | None, str]]:
    with sqlite3.connect(f"{(hub.folder / 'journal.db').as_uri()}?mode=ro", uri=True) as db:
        rows = list(db.execute("SELECT device, boot, seq, t, body FROM events"))
    assert len({row[:3] for row in rows}) == len(rows), "an event is stored twice"
    return [((device, boot, seq), t, body) for device, boot, seq, t, body in rows]


def press_counts(events: Mapping[Identity, tuple[int, dict[str, Any]]]) -> Counter[tuple[str, int]]:
    """How many presses a (terminal, millisecond)."""
    return Counter((who[0], t) for who, (t, body) in events.items() if body["kind"] == "press")


def press_records(hub: HubProcess) -> Counter[tuple[str, int]]:
    """The same of the records in force."""
    journal = hub.journal()
    try:
        return Counter((record.tags["device"], record.time_ms) for record in journal.records("press"))
    finally:
        journal.close()


def press_points(influx: Server) -> Counter[tuple[str, int]]:
    """The same of the database."""
    return Counter((point["device"], point["time"] // 1_000_000) for point in points(influx, "press"))


def points(influx: Server, measurement: str) -> list[dict[str, Any]]:
    """All points of a measurement, time in ns."""
    asked = urlencode({"db": "emobox", "epoch": "ns", "q": f"SELECT * FROM {measurement}"})
    with urlopen(f"{influx.url}/query?{asked}", timeout=20) as answer:
        found = json.load(answer)["results"][0].get("series", ())
    return [dict(zip(each["columns"], row, strict=True)) for each in found for row in each["values"]]
