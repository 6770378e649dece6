"""Erase, export and backup beside a hub that runs, with a real broker and a real InfluxDB."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen
from zoneinfo import ZoneInfo

from gateway.config import load_site
from gateway.replay import replay
from tests.integration.hub import HubProcess, SureDevice
from tests.servers import Server, start_influxd, start_mosquitto
from tests.waiting import wait_for


def emobox(hub: HubProcess, *words: str) -> str:
    command = [sys.executable, "-m", "gateway.cli", *words, "--config", str(hub.config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def points(influx: Server, measurement: str) -> int:
    query = urlencode({"db": "emobox", "q": f"SELECT count(*) FROM {measurement}"})
    with urlopen(f"{influx.url}/query?{query}", timeout=10) as answer:
        (result,) = json.load(answer)["results"]
    return max(result["series"][0]["values"][0][1:]) if "series" in result else 0


def ask(keyfob: SureDevice, terminal: SureDevice, key: int) -> None:
    keyfob.happen("click", {"pattern": "single"})
    time.sleep(0.2)
    terminal.happen("press", {"key": key})
    time.sleep(2.2)


def test_what_is_erased_beside_a_running_hub_leaves_influxdb_too_and_the_hub_goes_on(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as broker, start_influxd(tmp_path) as influx:
        hub = HubProcess(tmp_path, broker, influx)
        hub.start()
        terminal, keyfob = SureDevice(broker, "term-1"), SureDevice(broker, "fob-1")
        for device in (terminal, keyfob):
            device.start()
        journal = hub.journal()
        for key in (1, 3):
            ask(keyfob, terminal, key)
        wait_for(lambda: (points(influx, "contact"), points(influx, "press")) == (2, 2), "InfluxDB")
        emobox(hub, "backup", "--out", str(tmp_path / "backup.db"))
        emobox(hub, "export", "--out", str(tmp_path / "log.jsonl"))
        report = replay(tmp_path / "log.jsonl", load_site(hub.config))
        assert [c["asked"] for c in report["contacts"]] == [r.time_ms for r in journal.records("contact")]
        now = datetime.now(ZoneInfo("Europe/Berlin")).replace(tzinfo=None)
        span = [(now - timedelta(minutes=5)).isoformat(), (now + timedelta(minutes=5)).isoformat()]
        told = emobox(hub, "erase", "--point", "till-1", "--from", span[0], "--to", span[1], "--yes")
        assert "'contact': 2" in told
        assert journal.records("contact") == []
        wait_for(lambda: (points(influx, "contact"), points(influx, "press")) == (0, 0), "the deletion")
        ask(keyfob, terminal, 1)
        wait_for(lambda: points(influx, "contact") == 1, "the next customer")
        kinds = [entry.kind for entry in journal.audit()]
        assert kinds == ["configuration", "k", "region", "models", "backup", "export", "erasure"]
        assert "7 lines, whole" in emobox(hub, "audit", "verify")
        journal.close()
        for device in (terminal, keyfob):
            device.stop()
        assert hub.stop() == 0
        assert "verified" in emobox(hub, "backup", "--out", str(tmp_path / "after.db"))
        assert "made again in it: 1" in emobox(hub, "restore", str(tmp_path / "backup.db"))
        restored = hub.journal()
        assert restored.records("contact") == []  # what was erased since does not come back
        kinds = [entry.kind for entry in restored.audit()]
        assert kinds == ["configuration", "k", "region", "models", "restore", "erasure"]
        restored.close()
        emobox(hub, "restore", str(tmp_path / "after.db"))
        assert len(hub.journal().records("contact")) == 1
