"""The link's words in the log: one line when the broker goes or never was there, one when it is back."""

import logging
from pathlib import Path

import pytest

from gateway.bus import BrokerAddress, Bus
from tests.servers import start_mosquitto
from tests.waiting import wait_for


@pytest.mark.timeout(60)
def test_each_outage_is_told_once_with_its_address_and_so_is_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with start_mosquitto(tmp_path) as broker, caplog.at_level(logging.INFO, "gateway.bus"):
        broker.kill()
        bus = Bus(BrokerAddress(port=broker.port), "test")
        tries: list[int] = []
        bus.start()
        failed = bus._client.on_connect_fail
        bus._client.on_connect_fail = lambda *given: (tries.append(1), failed and failed(*given))  # type: ignore[misc]
        try:
            wait_for(lambda: len(tries) >= 2, "a second try")
            said = [record.getMessage() for record in caplog.records]
            assert len(said) == 1
            assert f"cannot reach the broker at 127.0.0.1:{broker.port}" in said[0]
            assert "[broker] in site.toml" in said[0]
            broker.start()
            wait_for(lambda: bus.connected, "the broker")
            broker.kill()
            wait_for(lambda: not bus.connected, "the end")
            tries.clear()
            wait_for(lambda: bool(tries), "a try")
            broker.start()
            wait_for(lambda: bus.connected and len(caplog.records) == 4, "the broker")
        finally:
            bus.stop()
    said = [record.getMessage() for record in caplog.records]
    assert [("back" in line, "lost" in line) for line in said] == [
        (False, False),
        (True, False),
        (False, True),
        (True, False),
    ]
