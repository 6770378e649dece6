"""kill -9 of hub, broker, database and firmware, in random combination, while events flow."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.shim.board import Board
from tests.fault.shop import (
    Hub,
    Identity,
    Witness,
    every_acknowledged_event_is_stored_once_at_its_own_time,
    followed,
    settled,
    stored_times,
)
from tests.servers import Server
from tests.waiting import wait_for

MakeHub = Callable[..., Hub]
Connect = Callable[..., list[Witness]]
Spans = dict[Identity, tuple[float, float]]
ROUNDS = 10


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_killed_during_a_flow_nothing_acknowledged_is_lost(
    make_hub: MakeHub, connect: Connect, broker: Server, influx: Server, seed: int
) -> None:
    dice, hub = random.Random(seed), make_hub(influx.url)
    devices = connect("term-1", "term-2", "fob-1")
    victims = {"hub": hub.kill, "broker": broker.kill, "database": influx.kill}
    healers = {"hub": hub.start, "broker": broker.start, "database": influx.start}
    hub.journal().close()
    for _ in range(ROUNDS):
        dying = dice.sample(sorted(victims), dice.randrange(1, 4))
        flow(devices, dice, dice.randrange(5, 40))
        for name in dying:
            victims[name]()
            flow(devices, dice, dice.randrange(0, 10))
        time.sleep(dice.uniform(0, 0.3))
        for name in dice.sample(dying, len(dying)):
            healers[name]()
            flow(devices, dice, dice.randrange(0, 10))
        time.sleep(dice.uniform(0, 1.5))
    settled(devices)
    journal = hub.journal()
    followed(journal)
    journal.close()
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices, influx)


def flow(devices: list[Witness], dice: random.Random, count: int) -> None:
    """Some events of every kind of device, some of them in the same millisecond."""
    for _ in range(count):
        device = dice.choice(devices)
        if device is devices[2]:
            device.happen("click", {"pattern": dice.choice(["single", "double"])})
        else:
            device.happen("press", {"key": dice.randrange(1, 4)})
        time.sleep(dice.choice([0, 0.002, 0.01]))


def test_power_cuts_of_the_real_firmware_in_mid_write_beside_kills_of_hub_and_broker(
    make_hub: MakeHub, broker: Server, tmp_path: Path
) -> None:
    dice, hub = random.Random(7), make_hub()
    address = {"host": broker.host, "port": broker.port}
    config = {"site": "shop-1", "device": "term-1", "keys": 3, "broker": address}
    board = Board(tmp_path / "term-1", "terminal", config)
    spans: Spans = {}
    for _ in range(8):
        board.start()
        board.wait_log("start: boot", 30)
        began = time.time()
        for _ in range(dice.randrange(2, 6)):
            board.press(dice.randrange(1, 4), held_s=0.04)
        board.wait_log("press", 30)
        time.sleep(dice.uniform(0.0, 1.0))
        for victim in dice.sample([hub, broker], dice.randrange(0, 3)):
            victim.kill()
            victim.start()
        board.power_cut()
        spans |= dict.fromkeys(kept_by(board), (began, time.time()))
    board.start()
    began = time.time()
    board.press(1)
    board.wait_log("press", 30)
    spans |= dict.fromkeys(kept_by(board), (began, time.time()))
    outbox = board.device_dir / "data" / "outbox"
    wait_for(lambda: not list(outbox.glob("*.log")), "an empty outbox: all was acknowledged", 60)
    board.stop()
    assert len(spans) >= 8
    every_accepted_press_is_stored_once_at_its_own_time_or_untrusted(hub, spans)


def every_accepted_press_is_stored_once_at_its_own_time_or_untrusted(hub: Hub, spans: Spans) -> None:
    """The one sentence for firmware: a time that a power cut destroyed is null, never wrong."""
    times = stored_times(hub)
    assert spans.keys() <= times.keys(), "a press that the device kept is not in the journal"
    trusted = {who: times[who] for who in spans if times[who] is not None}
    assert trusted, "no press kept its time: the test says nothing"
    for who, t in trusted.items():
        assert t is not None
        assert spans[who][0] - 1 <= t / 1000 <= spans[who][1] + 1, f"{who} lies outside of its boot"


def kept_by(board: Board) -> set[Identity]:
    """Presses that the device said it keeps, in this start."""
    lines = (line.split() for line in board.output().splitlines() if line.startswith("event:"))
    presses = [words for words in lines if len(words) > 3 and words[3] == "press"]
    return {(board.device_dir.name, int(words[1]), int(words[2])) for words in presses}
