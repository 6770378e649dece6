"""Where mosquitto is not installed the demo's own broker carries the same real devices and hub."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from demo import broker as demo_broker
from firmware.shim.board import Board
from tests.integration.hub import HubProcess
from tests.servers import Server, free_port, is_listening
from tests.waiting import wait_for

ACK_S = 2.0  # ample for the acknowledgement to come back


def test_a_press_of_the_real_firmware_reaches_the_journal_through_amqtt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    port = free_port()
    name, process = demo_broker.start_broker(tmp_path, port)
    monkeypatch.undo()
    assert name == "amqtt"
    address = {"host": "127.0.0.1", "port": port}
    board = Board(
        tmp_path / "term-1", "terminal", {"site": "shop-1", "device": "term-1", "keys": 3, "broker": address}
    )
    hub = HubProcess(tmp_path, Server("amqtt", (), port, tmp_path / "log", is_listening))
    hub.start()
    board.start()
    try:
        board.wait_log("link: up")
        board.press(3)
        journal = hub.journal()
        wait_for(lambda: len(journal.records("press")) == 1, "the press")
        journal.close()
        time.sleep(ACK_S)
        board.stop()
        board.start()
        board.wait_log("queued 0")
    finally:
        board.stop()
        hub.kill()
        process.kill()
        process.wait()


def test_a_free_port_is_none_that_the_system_gives_away_meanwhile() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(free_port() for _ in range(200)) < first
