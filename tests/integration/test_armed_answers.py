"""The hub tells the microphones of a voice point when an ask is open: at once, and after every reconnect."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.bus import BrokerAddress, Bus, Message
from tests.integration.hub import HubProcess, SureDevice
from tests.servers import Server, start_mosquitto
from tests.waiting import wait_for


class Microphone:
    """Hears what mic-1 is told."""

    def __init__(self, broker: Server, name: str = "mic-1") -> None:
        self.told: list[dict[str, Any]] = []
        self._name = name
        self._bus = Bus(BrokerAddress(port=broker.port), f"test-{name}", on_message=self._take)
        self._bus.subscribe(f"emobox/v1/shop-1/{name}/command")
        self._bus.start()
        wait_for(self.comes, "the link")

    def _take(self, message: Message) -> None:
        self.told.append(json.loads(message.payload))

    def comes(self) -> bool:
        """Say that it is online, as at every connect."""
        return self._bus.publish(f"emobox/v1/shop-1/{self._name}/status", {"v": 1, "online": True})

    def stop(self) -> None:
        self._bus.stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    with start_mosquitto(tmp_path) as server:
        yield server


@pytest.fixture
def hub(tmp_path: Path, broker: Server) -> Iterator[HubProcess]:
    process = HubProcess(tmp_path, broker)
    text = process.config.read_text()
    process.config.write_text(
        text.replace("[points.till-1.devices]", VOICE_POINT + "[points.till-1.devices]")
    )
    process.start()
    process.journal().close()
    yield process
    process.kill()


VOICE_POINT = '[points.till-1]\ntechnology = "voice"\n'


@pytest.mark.timeout(90)
def test_a_microphone_is_told_of_every_ask_its_end_and_again_after_a_restart(
    hub: HubProcess, broker: Server
) -> None:
    microphone = Microphone(broker)
    keyfob, terminal = SureDevice(broker, "fob-1"), SureDevice(broker, "term-1")
    for device in (keyfob, terminal):
        device.start()
    began_s = time.monotonic()
    keyfob.happen("click", {"pattern": "single"})
    wait_for(lambda: bool(microphone.told), "the ask")
    took_ms = 1000 * (time.monotonic() - began_s)
    opened = microphone.told[0]
    assert opened["command"] == "watch"
    assert opened["for_ms"] + opened["since_ms"] == 60_000
    assert 0 <= opened["since_ms"] <= took_ms + 50

    microphone.told.clear()
    microphone.comes()
    wait_for(lambda: bool(microphone.told), "the ask again after a reconnect")
    assert 0 < microphone.told[0]["for_ms"] < opened["for_ms"]

    microphone.told.clear()
    hub.kill()
    hub.start()
    wait_for(lambda: bool(microphone.told), "the ask again from a new hub", 40)
    assert microphone.told[0]["for_ms"] > 0

    microphone.told.clear()
    terminal.happen("press", {"key": 1})
    wait_for(lambda: bool(microphone.told), "the end of the ask")
    assert microphone.told[0] == {"v": 1, "command": "watch", "for_ms": 0}
    for one in (microphone, keyfob, terminal):
        one.stop()


@pytest.mark.timeout(60)
def test_a_microphone_at_a_point_of_keys_alone_is_told_nothing(tmp_path: Path, broker: Server) -> None:
    hub, microphone, camera = HubProcess(tmp_path, broker), Microphone(broker), Microphone(broker, "cam-1")
    hub.start()
    hub.journal().close()
    keyfob = SureDevice(broker, "fob-1")
    keyfob.start()
    keyfob.happen("click", {"pattern": "single"})
    wait_for(lambda: bool(camera.told), "the camera's command")
    time.sleep(0.3)
    assert microphone.told == []
    for one in (microphone, camera, keyfob):
        one.stop()
    hub.kill()
