"""The hub as a process: real broker, real database, real firmware; killed, restarted, fed with nonsense."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from firmware.shim.board import Board
from gateway.bus import BrokerAddress, Bus, Message
from gateway.records import Record
from tests.integration.hub import HubProcess, SureDevice, page
from tests.servers import Server, is_listening, start_influxd, start_mosquitto
from tests.waiting import wait_for

REASONS = {
    "bad_topic": ("emobox/v1/shop-1/term-1/else", b"{}"),
    "unknown_site": ("emobox/v1/shop-9/term-1/event", b"{}"),
    "unknown_device": ("emobox/v1/shop-1/term-9/event", b"{}"),
    "too_large": ("emobox/v1/shop-1/term-1/event", b" " * 4097),
    "not_utf8": ("emobox/v1/shop-1/term-1/event", b'{"v":"\xff"}'),
    "bad_json": ("emobox/v1/shop-1/term-1/event", b"{"),
    "version": ("emobox/v1/shop-1/term-1/event", b'{"v":2}'),
    "kind": ("emobox/v1/shop-1/term-1/event", b'{"v":1,"kind":"click"}'),
    "identity": ("emobox/v1/shop-1/term-1/event", b'{"v":1,"kind":"press","boot":-1,"seq":1}'),
    "age": ("emobox/v1/shop-1/term-1/event", b'{"v":1,"kind":"press","boot":7,"seq":1}'),
    "value": ("emobox/v1/shop-1/term-1/event", b'{"v":1,"kind":"press","boot":7,"seq":2,"age":0,"key":4}'),
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    with start_mosquitto(tmp_path) as server:
        yield server


@pytest.fixture
def hub(tmp_path: Path, broker: Server) -> Iterator[HubProcess]:
    process = HubProcess(tmp_path, broker)
    process.start()
    yield process
    process.kill()


def device(broker: Server, name: str) -> SureDevice:
    sure = SureDevice(broker, name)
    sure.start()
    return sure


def test_stores_each_event_once_and_closes_each_ask_over_kill_9(hub: HubProcess, broker: Server) -> None:
    terminal, keyfob = device(broker, "term-1"), device(broker, "fob-1")
    journal = hub.journal()
    for round_ in range(4):
        for n in range(50):
            terminal.happen("press", {"key": n % 3 + 1})
        keyfob.happen("click", {"pattern": "single"})
        if round_ < 3:
            time.sleep(0.05 * round_)
            hub.kill()
            terminal.happen("press", {"key": 1})
            hub.start()
        time.sleep(1.6)
    wait_for(lambda: not terminal.waiting and not keyfob.waiting, "every acknowledgement", 40)
    wait_for(lambda: len(journal.records("contact")) == 4, "the last ask's time-out", 40)
    stored = [(row.device, row.n) for row in journal.events_after(0)]
    assert len([name for name, _ in stored if name == "term-1"]) == terminal.sent == 203
    assert journal.gaps() == 0
    presses = journal.records("press")
    assert len(presses) == len({record.id for record in presses}) == 203
    journal.close()


def test_keeps_a_press_of_the_real_firmware_that_was_made_while_the_hub_was_down(
    hub: HubProcess, broker: Server, tmp_path: Path
) -> None:
    config = {
        "site": "shop-1",
        "device": "term-1",
        "keys": 3,
        "broker": {"host": "127.0.0.1", "port": broker.port},
    }
    board = Board(tmp_path / "term-1", "terminal", config)
    board.start()
    journal = hub.journal()
    wait_for(lambda: any(row.kind == "health" for row in journal.events_after(0)), "the device")
    hub.kill()
    pressed = time.time()
    board.press(2)
    time.sleep(2)
    hub.start()
    wait_for(lambda: len(journal.records("press")) == 1, "the press", 40)
    (press,) = journal.records("press")
    assert (press.tags["rating"], press.tags["state"]) == ("middle", "spontaneous")
    assert abs(press.time_ms / 1000 - pressed) < 1.0
    board.stop()
    journal.close()


def test_every_reason_of_spec_2_ends_in_the_quarantine_and_the_hub_goes_on(
    hub: HubProcess, broker: Server
) -> None:
    terminal, journal = device(broker, "term-1"), hub.journal()
    terminal.happen("press", {"key": 1})
    wait_for(lambda: not terminal.waiting, "the first acknowledgement")
    for topic, payload in REASONS.values():
        terminal.raw(payload, topic)
    terminal.raw(b'{"v":1,"boot":1,"seq":1,"age":0,"kind":"press","key":3}')
    expected = dict.fromkeys([*REASONS, "conflict"], 1)
    wait_for(
        lambda: journal.quarantine_counts() == expected, f"{expected}, got {journal.quarantine_counts()}"
    )
    terminal.happen("press", {"key": 2})
    wait_for(lambda: not terminal.waiting, "the hub to go on")
    assert {item["reason"]: item["count"] for item in page(hub)["quarantine"]["counts"]} == expected
    journal.close()


def test_acknowledges_what_is_quarantined_where_its_identity_can_be_read(
    hub: HubProcess, broker: Server
) -> None:
    terminal = device(broker, "term-1")
    hub.journal().close()
    seq = terminal.happen("press", {"key": 9})
    wait_for(lambda: seq not in terminal.waiting, "the acknowledgement")


def test_the_page_says_that_the_broker_is_away_and_forgets_who_was_there(
    hub: HubProcess, broker: Server
) -> None:
    def online() -> dict[str, Any]:
        return {one["name"]: one["online"] for one in page(hub)["devices"]}

    bus = Bus(BrokerAddress(port=broker.port), "term-1")
    bus.start()
    wait_for(lambda: bus.connected, "the broker")
    wait_for(lambda: is_listening(hub.web), "the page")
    bus.publish("emobox/v1/shop-1/term-1/status", {"v": 1, "online": True}, retain=True)
    wait_for(lambda: online()["term-1"] is True, "the terminal")
    bus.stop()
    broker.kill()
    wait_for(lambda: page(hub)["connected"] is False, "the red line")
    broker.start()  # it keeps nothing: nobody has said that the terminal is there
    wait_for(lambda: page(hub)["connected"] is True, "the broker", 40)
    assert online()["term-1"] is None


def test_a_second_hub_on_the_same_journal_refuses(hub: HubProcess) -> None:
    hub.journal().close()
    second = subprocess.run(hub.command(), capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode != 0
    assert "another hub is using this journal" in second.stderr


def test_a_camera_that_comes_while_an_ask_is_open_is_told_to_watch(hub: HubProcess, broker: Server) -> None:
    keyfob, journal = device(broker, "fob-1"), hub.journal()
    keyfob.happen("click", {"pattern": "single"})
    wait_for(lambda: not keyfob.waiting, "the acknowledgement")
    time.sleep(0.5)
    heard: list[Message] = []
    camera = Bus(BrokerAddress(port=broker.port), "cam-1", on_message=heard.append)
    camera.subscribe("emobox/v1/shop-1/cam-1/command")
    camera.start()
    wait_for(lambda: camera.publish("emobox/v1/shop-1/cam-1/status", {"v": 1, "online": True}), "the link")
    wait_for(lambda: bool(heard), "the command")
    command = json.loads(heard[0].payload)
    assert command["command"] == "watch"
    assert 55_000 < command["for_ms"] <= 63_000
    camera.stop()
    journal.close()


def test_stops_in_peace_when_told(hub: HubProcess) -> None:
    hub.journal().close()
    wait_for(lambda: is_listening(hub.web), "the page")
    assert hub.stop() == 0
    hub.start()


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[Server]:
    with start_influxd(tmp_path) as server:
        yield server


@pytest.fixture
def storing_hub(tmp_path: Path, broker: Server, influx: Server) -> Iterator[HubProcess]:
    process = HubProcess(tmp_path, broker, influx)
    process.start()
    yield process
    process.kill()


def test_what_stands_in_influxdb_equals_the_journal_field_by_field(
    storing_hub: HubProcess, broker: Server, influx: Server
) -> None:
    terminal, keyfob, camera = (device(broker, name) for name in ("term-1", "fob-1", "cam-1"))
    journal = storing_hub.journal()
    for key in (1, 3):
        keyfob.happen("click", {"pattern": "single"})
        time.sleep(0.3)
        terminal.happen("press", {"key": key})
        for n in range(16):
            camera.happen("face", {"track": key, "smile": 0.9, "px": 120, "yaw": 0, "ok": True})
            time.sleep(0.2 if n else 0.1)
        if key == 1:
            influx.kill()
            time.sleep(1)
    influx.start()
    keyfob.happen("click", {"pattern": "single"})
    wait_for(lambda: len(journal.records("contact")) == 3, "three contacts")
    wait_for(lambda: journal.cursor("influx") == journal.last_change(), "influx to catch up", 60)
    for measurement in ("contact", "press"):
        expected = {row["time"]: row for row in map(as_row, journal.records(measurement))}
        assert {row["time"]: row for row in points(influx, measurement)} == expected
    outcomes = {record.tags["outcome"] for record in journal.records("contact")}
    assert outcomes == {"loyal", "critic", "silent"}
    journal.close()


def points(influx: Server, measurement: str) -> list[dict[str, Any]]:
    """Every point of a measurement, with its time in ns, its tags and its fields."""
    query = urlencode({"db": "emobox", "epoch": "ns", "q": f"SELECT * FROM {measurement}"})
    with urlopen(f"{influx.url}/query?{query}", timeout=10) as answer:
        (series,) = json.load(answer)["results"][0]["series"]
    found = [dict(zip(series["columns"], row, strict=True)) for row in series["values"]]
    return [{name: value for name, value in row.items() if value not in (None, "")} for row in found]


def as_row(record: Record) -> dict[str, Any]:
    """A record as the database gives it back: time in ns, tags and fields side by side."""
    fields = {name: value for name, value in record.fields.items() if value is not None and value != ""}
    return {"time": record.time_ns, **{k: v for k, v in record.tags.items() if v}, **fields}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('[hour]\nmon = "09:00-20:00"', "hour: unknown name; allowed here: site, zone"),
        ("[k]\nbutton = 3", "k.button.0.value: allowed is 0.2 to 1"),
        ("[points.b.devices]\nterm-1 = { kind = 'keyfob' }", "term-1: this device is named twice"),
        (
            "[points.b.devices]\nt = { kind = 'terminal' }",
            "points.b.devices.t: a terminal needs `keys`, 2 to 5",
        ),
    ],
)
def test_a_wrong_configuration_names_file_key_and_what_is_allowed(
    hub: HubProcess, tmp_path: Path, line: str, message: str
) -> None:
    config, log = tmp_path / "wrong.toml", tmp_path / "log.jsonl"
    config.write_text(hub.config.read_text() + line)
    log.write_text("")
    for verb in (["run"], ["replay", str(log), "--json"]):
        command = [*hub.command()[:3], *verb, "--config", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert str(config) in done.stderr
        assert message in done.stderr


def test_a_missing_file_is_named(tmp_path: Path, hub: HubProcess) -> None:
    command = [*hub.command()[:3], "run", "--config", str(tmp_path / "nowhere.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "nowhere.toml: cannot be read" in done.stderr
    assert json.dumps(done.stdout) == '""'
