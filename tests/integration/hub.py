"""A shop for tests: the hub as a process of its own, devices that keep what is not acknowledged."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from firmware import wire
from gateway.bus import BrokerAddress, Bus, Message
from gateway.journal import Journal
from tests.servers import Server, free_port
from tests.waiting import wait_for

SITE = """
site = "shop-1"
zone = "Europe/Berlin"
region = "other"
[camera]
sign_posted = "2026-01-01 M. Weber"
[points.till-1.devices]
term-1 = {{ kind = "terminal", keys = 3 }}
fob-1 = {{ kind = "keyfob" }}
cam-1 = {{ kind = "camera" }}
mic-1 = {{ kind = "microphone" }}
[points.till-2.devices]
term-2 = {{ kind = "terminal", keys = 5 }}
[defaults]
timeout_button_s = 2
burst_gap_s = 1
[broker]
port = {broker}
[web]
port = {web}
[store]
path = "{folder}"
"""
RESEND_S = 0.5


class HubProcess:
    """`emobox run` on a folder; killed and started at will."""

    def __init__(self, folder: Path, broker: Server, influx: Server | None = None) -> None:
        self.folder, self.config, self.web = folder, folder / "site.toml", free_port()
        text = SITE.format(broker=broker.port, web=self.web, folder=folder)
        if influx:
            text += f'[influx]\nurl = "{influx.url}"\n'
        self.config.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        return [sys.executable, "-m", "gateway.cli", "run", "--config", str(self.config)]

    def start(self) -> None:
        with (self.folder / "hub.log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), stdout=log, stderr=log)

    def kill(self) -> None:
        """kill -9."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self._process
        self._process.terminate()
        return self._process.wait(20)

    def journal(self) -> Journal:
        """Its journal, read-only."""
        path = self.folder / "journal.db"
        wait_for(path.exists, "the journal")
        journal = Journal(path)
        wait_for(lambda: _opens(journal), "a readable journal")
        return journal


def _opens(journal: Journal) -> bool:
    try:
        journal.open(read_only=True)
    except Exception:  # noqa: BLE001 - whatever it is, the wait goes on and ends
        return False
    return True


class SureDevice:
    """Keeps every event until it is acknowledged and sends it again, as the firmware does."""

    def __init__(self, broker: Server, name: str, boot: int = 1) -> None:
        self.waiting: dict[int, tuple[float, str, dict[str, Any]]] = {}
        self.sent = 0
        self._name, self._boot = name, boot
        self._lock = threading.Lock()
        self._bus = Bus(BrokerAddress(port=broker.port), name, on_message=self._ack)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._resend, daemon=True)

    def start(self) -> None:
        self._bus.subscribe(wire.topic("shop-1", self._name, "ack"))
        self._bus.start()
        wait_for(lambda: self._bus.connected, "the broker")
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._bus.stop()

    def happen(self, kind: str, fields: dict[str, Any]) -> int:
        """Something happens now; its seq."""
        with self._lock:
            self.sent += 1
            seq = self.sent
            self.waiting[seq] = (time.monotonic(), kind, fields)
        self._publish(seq)
        return seq

    def raw(self, payload: bytes, topic: str | None = None) -> None:
        """Something that is no event."""
        assert self._bus.publish(topic or wire.topic("shop-1", self._name, "event"), payload)

    def _publish(self, seq: int) -> None:
        with self._lock:
            if seq not in self.waiting:
                return
            since, kind, fields = self.waiting[seq]
        age = round((time.monotonic() - since) * 1000)
        event = wire.make_event(kind, self._boot, seq, age, fields)
        self._bus.publish(wire.topic("shop-1", self._name, "event"), event)

    def _resend(self) -> None:
        while not self._stopping.wait(RESEND_S):
            for seq in sorted(self.waiting)[:200]:
                self._publish(seq)

    def _ack(self, message: Message) -> None:
        ack = wire.parse_ack(message.payload)
        if ack and ack[0] == self._boot:
            with self._lock:
                for seq in ack[1]:
                    self.waiting.pop(seq, None)


def page(hub: HubProcess) -> dict[str, Any]:
    """/api/today of a running hub."""
    with urlopen(f"http://127.0.0.1:{hub.web}/api/today", timeout=5) as answer:
        today: dict[str, Any] = json.load(answer)
        return today
