"""A device of the moment: what camera and microphone processes are to the rest (spec 2)."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware import wire
from gateway.bus import BrokerAddress, Bus, Message

log = logging.getLogger(__name__)

HEALTH_S = 60.0
HEALTH_RETRY_S = 1.0  # until it has got through
MAX_DIGITS = 15
NO_COUNT_GOT_HERE = 1_767_225_600  # the seconds of 2026-01-01: also where the clock was not set yet


class DeviceError(Exception):
    """The device cannot keep what it must keep; the text says what to put right."""


def next_boot(path: Path) -> int:
    """One more than the last start's number, kept in `path` before it is used. DeviceError: it cannot be."""
    try:
        boot = _last_boot(path) + 1
        _keep(path, boot)
    except OSError as error:
        what = "give the folder of [store] path in site.toml to this user, and check that the disk has room"
        raise DeviceError(
            f"{path.parent} cannot keep the number of starts ({error.strerror}); {what}"
        ) from None
    return boot


def _keep(path: Path, boot: int) -> None:
    """Write it so that a power cut leaves the old number or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        file.write(str(boot))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)  # else a power cut may bring the old number back
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _last_boot(path: Path) -> int:
    """The number in the file; where a power cut destroyed it, one that no count of starts has reached."""
    try:
        text = path.read_bytes().strip()
    except FileNotFoundError:
        return 0
    return (
        int(text) if text.isdigit() and len(text) < MAX_DIGITS else max(NO_COUNT_GOT_HERE, int(time.time()))
    )


class Health:
    """One `health` event at the start and one a minute; `uptime_s` is since `started_s` or the first tick."""

    def __init__(
        self,
        send: Callable[[str, dict[str, Any], float], bool],
        figures: Callable[[], dict[str, Any]],
        started_s: float | None = None,
    ) -> None:
        self._send, self._figures, self._started_s = send, figures, started_s
        self._due_s = 0.0

    def tick(self, now_s: float) -> None:
        """Sends the event when it is due; call often."""
        if self._started_s is None:
            self._started_s = now_s
        if now_s >= self._due_s:
            fields = {"uptime_s": round(now_s - self._started_s, 3), **self._figures()}
            self._due_s = now_s + (HEALTH_S if self._send("health", fields, now_s) else HEALTH_RETRY_S)


class MomentDevice:
    """Publishes events that are worth nothing later: while the link is down they are dropped and counted."""

    def __init__(
        self,
        address: BrokerAddress,
        site: str,
        device: str,
        state_dir: Path,
        on_command: Callable[[dict[str, object]], None],
    ) -> None:
        self.dropped = 0
        self._site, self._device, self._state_dir = site, device, state_dir
        self._on_command = on_command
        self._boot, self._seq = 0, 0
        self._state: dict[str, str] = {}
        self._lock = threading.Lock()
        will = Message(self._topic("status"), json.dumps(wire.make_status(False)).encode(), retain=True)
        self._bus = Bus(
            address,
            f"{site}-{device}",
            on_message=self._command,
            will=will,
            on_connect=self._announce,
        )

    @property
    def connected(self) -> bool:
        """Whether an event would go out now."""
        return self._bus.connected

    def start(self) -> None:
        """Count the boot and connect in the background. DeviceError, BusError."""
        self._boot = next_boot(self._state_dir / f"{self._device}.boot")
        self._bus.subscribe(self._topic("command"))
        self._bus.start()

    def stop(self) -> None:
        """Say goodbye and disconnect."""
        self._bus.publish(self._topic("status"), wire.make_status(False), retain=True)
        self._bus.stop()

    def send(self, kind: str, fields: dict[str, Any], happened_s: float) -> bool:
        """Publish an event that happened at `happened_s` (time.monotonic()); False: dropped and counted.

        A health event that finds no link is not counted: it is sent again.
        """
        with self._lock:
            age_ms = max(0, round((time.monotonic() - happened_s) * 1000))
            event = wire.make_event(kind, self._boot, self._seq + 1, age_ms, fields)
            sent = self._bus.publish(self._topic("event"), event)
            self._seq += sent  # a number that nobody got is no gap
            self.dropped += not sent and kind != "health"
            return sent

    def tell(self, state: dict[str, str]) -> bool:
        """Say in the retained status how the device is; False: no link, it is said when there is one."""
        self._state = state
        return self._bus.publish(self._topic("status"), wire.make_status(True) | state, retain=True)

    def _topic(self, leaf: str) -> str:
        return str(wire.topic(self._site, self._device, leaf))

    def _announce(self) -> None:
        self._bus.publish(self._topic("status"), wire.make_status(True), retain=True)
        if self._state:
            self.tell(self._state)

    def _command(self, message: Message) -> None:
        try:
            command = json.loads(message.payload)
        except ValueError:
            command = None
        if isinstance(command, dict):
            self._on_command(command)
        else:
            log.warning("%s: ignored a command that is no JSON object", self._device)
