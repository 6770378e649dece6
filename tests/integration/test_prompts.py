"""A prompt and a status, through a real broker and the hub as a process, over a kill -9."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware import wire
from gateway.bus import BrokerAddress, Bus, Message
from tests.integration.hub import HubProcess, SureDevice
from tests.servers import Server, start_mosquitto
from tests.waiting import wait_for


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


def command(hub: HubProcess, *verb: str) -> subprocess.CompletedProcess[str]:
    words = [*hub.command()[:3], *verb, "--config", str(hub.config)]
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)


def test_a_click_that_follows_a_prompt_is_prompted_though_the_hub_is_killed_in_between(
    hub: HubProcess, broker: Server
) -> None:
    keyfob, lit = SureDevice(broker, "fob-1"), list[bytes]()
    keyfob.start()
    light = Bus(BrokerAddress(port=broker.port), "light", on_message=lambda m: lit.append(m.payload))
    light.subscribe(wire.topic("shop-1", "fob-1", "command"))
    light.start()
    journal = hub.journal()
    wait_for(lambda: light.connected, "the broker")
    keyfob.happen("click", {"pattern": "long"})
    wait_for(lambda: not keyfob.waiting, "a hub that listens")
    done = command(hub, "prompt", "till-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("term-1, fob-1: ask the next customer")
    wait_for(lambda: [row.kind for row in journal.events_after(0)].count("prompt") == 2, "both prompts")
    assert lit == [b'{"v":1,"command":"prompt","for_ms":60000}']
    hub.kill()
    hub.start()
    keyfob.happen("click", {"pattern": "single"})
    wait_for(lambda: len(journal.records("contact")) == 1, "the ask's time-out", 40)
    (contact,) = journal.records("contact")
    assert contact.tags["asked_by"] == "prompt"
    assert command(hub, "prompt", "till-2").stdout.startswith("term-2: ")
    journal.close()


def test_a_device_that_dies_is_a_record_online_false_by_its_last_will(
    hub: HubProcess, broker: Server
) -> None:
    topic, journal = wire.topic("shop-1", "term-1", "status"), hub.journal()
    will = Message(topic, b'{"v":1,"online":false}', retain=True)
    device = Bus(BrokerAddress(port=broker.port), "term-1", will=will)
    device.start()
    wait_for(lambda: device.connected, "the broker")
    device.publish(topic, wire.make_status(True), retain=True)
    wait_for(lambda: len(journal.records("device")) == 1, "the record of its coming")
    device._client._sock_close()  # as a cable that is pulled: no DISCONNECT
    device._client.loop_stop()
    wait_for(lambda: len(journal.records("device")) == 2, "the record of its going", 40)
    assert [record.fields["online"] for record in journal.records("device")] == [True, False]
    journal.close()
