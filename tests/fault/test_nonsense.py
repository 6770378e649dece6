"""Poison: bytes, topics and retained garbage at speed, and a device that reconnects in a loop."""

import contextlib
import json
import random
import socket
import time
from collections.abc import Callable

from gateway.bus import BrokerAddress, Bus
from tests.fault.shop import (
    Hub,
    Witness,
    every_acknowledged_event_is_stored_once_at_its_own_time,
    settled,
)
from tests.integration.hub import page
from tests.servers import Server
from tests.waiting import wait_for

MakeHub = Callable[..., Hub]
Connect = Callable[..., list[Witness]]

POISONS = 5000
PROMPT_S = 5.0
GOOD = {"v": 1, "boot": 9, "seq": 1, "age": 0, "kind": "press", "key": 1}
LEAVES = ("event", "ack", "status", "command", "evil", "", "event/event", "$SYS", "\U0001f4a9")


def poison(dice: random.Random) -> bytes:
    """Anything: noise, broken or nested JSON, valid events with one thing wrong, enormous numbers."""
    event = GOOD | {
        dice.choice(sorted(GOOD)): dice.choice([None, -1, 2**70, 1e308, "x", [], {}, True, "\ud800"])
    }
    good = json.dumps(event).encode()
    at = dice.randrange(len(good))
    return dice.choice(
        [
            dice.randbytes(dice.randrange(300)),
            good,
            good[:at],
            good[:at] + dice.randbytes(1) + good[at + 1 :],
            b"[" * dice.randrange(1, 6000),
            b'{"a":' * dice.randrange(1, 3000),
            b'{"boot":' + b"9" * dice.randrange(1, 6000) + b',"seq":1}',
            b" " * dice.randrange(4000, 5000),
            b'{"v":1e999,"boot":NaN}',
            good.decode().encode("utf-16"),
        ]
    )


def poison_topic(dice: random.Random) -> str:
    """Topics near ours, and as long as MQTT allows."""
    if dice.random() < 0.01:
        return "emobox/" + "x" * 65_000
    if dice.random() < 0.5:
        return "emobox/v1/shop-1/term-1/event"
    parts = ["emobox", dice.choice(["v1", "v2"]), dice.choice(["shop-1", "shop-2", "ü"])]
    return "/".join([*parts, dice.choice(["term-1", "fob-1", "nobody", "'; DROP"]), dice.choice(LEAVES)])


def test_poison_at_speed_stops_nobody_and_every_piece_of_it_is_accounted_for(
    make_hub: MakeHub, connect: Connect, broker: Server
) -> None:
    dice, sender = random.Random(3), Bus(BrokerAddress(port=broker.port), "poisoner")
    retained = Bus(BrokerAddress(port=broker.port), "retainer")
    for bus in (sender, retained):
        bus.start()
    wait_for(lambda: sender.connected and retained.connected, "the broker")
    for leaf in ("event", "ack", "status", "command"):
        assert retained.publish(f"emobox/v1/shop-1/term-1/{leaf}", b"\xff garbage", retain=True)
        assert retained.publish(f"emobox/v1/shop-1/cam-1/{leaf}", b"[" * 5000, retain=True)
    hub, devices = make_hub(), connect("term-1", "fob-1")
    journal = hub.journal()
    for n in range(POISONS):
        sender.publish(poison_topic(dice), poison(dice))
        if n % 500 == 0:
            devices[0].happen("press", {"key": 1})
            devices[1].happen("click", {"pattern": "single"})
            settled(devices, PROMPT_S)
    sender.publish("emobox/v1/shop-1/term-1/event", b"{" + b" " * 20_000_000)
    devices[0].happen("press", {"key": 2})
    settled(devices, PROMPT_S)
    assert page(hub)["site"] == "shop-1"
    wait_for(lambda: journal.quarantine_counts().get("too_large", 0) > 0, "the enormous one")
    assert set(journal.quarantine_counts()) >= {
        "bad_topic",
        "unknown_site",
        "unknown_device",
        "bad_json",
        "version",
    }
    assert max(len(item.payload) for item in journal.quarantined()) <= 4097
    assert max(len(item.topic) for item in journal.quarantined()) <= 1001
    journal.close()
    for bus in (sender, retained):
        bus.stop()
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices)


def test_a_device_that_reconnects_in_a_loop_and_one_that_speaks_no_mqtt_disturb_nobody(
    make_hub: MakeHub, connect: Connect, broker: Server
) -> None:
    hub, devices = make_hub(), connect("term-1", "fob-1")
    hub.journal().close()
    for n in range(60):
        with contextlib.closing(socket.create_connection((broker.host, broker.port))) as raw:
            raw.sendall(random.Random(n).randbytes(200))
        loop = Bus(BrokerAddress(port=broker.port), "shop-1-term-2")
        loop.start()
        wait_for(lambda bus=loop: bus.connected, "the broker")
        loop.publish("emobox/v1/shop-1/term-2/status", {"v": 1, "online": bool(n % 2)}, retain=True)
        loop.stop()
        devices[0].happen("press", {"key": n % 3 + 1})
    settled(devices, PROMPT_S)
    time.sleep(0.5)
    assert hub.alive
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices)
