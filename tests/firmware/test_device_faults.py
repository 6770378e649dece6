"""Devices while something dies: power, broker, radio. Nothing that was accepted is lost."""

import random
import subprocess
import time
from collections.abc import Callable

from firmware.shim.board import FIRMWARE, Board, find_micropython
from tests.firmware.conftest import needs_wheels
from tests.firmware.shop import Ear, identity, without_age
from tests.servers import Server
from tests.waiting import wait_for

MakeBoard = Callable[..., Board]


def test_after_a_power_cut_the_same_event_comes_again_without_a_time(
    make_board: MakeBoard, ear: Ear, runtime: str
) -> None:
    board = make_board(runtime=runtime)
    board.start()
    board.wait_log("link: up")
    board.press(1)
    first = ear.wait("press")[0]
    board.power_cut()
    heard = len(ear.of("press"))
    board.start()
    wait_for(lambda: len(ear.of("press")) > heard, "the press of the first boot")
    again = ear.of("press")[heard]
    assert again["age"] is None
    assert without_age(again) == without_age(first)
    board.press(1)
    wait_for(lambda: ear.of("press")[-1]["boot"] == 2, "a press of the second boot")
    assert ear.of("press")[-1]["age"] < 1_000
    assert ear.of("press")[-1]["totals"] == [2, 0, 0]


def test_presses_without_a_broker_are_kept_and_come_oldest_first_with_their_ages(
    make_board: MakeBoard, ear: Ear, broker: Server
) -> None:
    ear.acks = True
    board = make_board()
    board.start()
    board.wait_log("link: up")
    broker.kill()
    board.wait_log("link: down")
    for key in (3, 1, 2):
        board.press(key)
    board.wait_log("press", count=3)
    time.sleep(1.0)
    board.wifi(False)  # until somebody hears: what comes before is lost and sent again, after the others
    broker.start()
    ear.wait_link()
    board.wifi(True)
    presses = ear.wait("press", 3, timeout_s=40.0)
    assert [press["key"] for press in presses] == [3, 1, 2]
    assert all(press["boot"] == 1 and press["age"] > 1_000 for press in presses)


def test_a_broker_that_comes_and_goes_is_the_same_path_as_a_start(
    make_board: MakeBoard, ear: Ear, broker: Server
) -> None:
    ear.acks = True
    board = make_board()
    board.start()
    for times in range(1, 4):
        board.wait_log("link: up", count=times, timeout_s=40.0)
        board.press(1)
        wait_for(lambda times=times: times in totals(ear), f"press {times}", 40.0)
        broker.kill()
        board.wait_log("link: down", count=times)
        broker.start()
    assert totals(ear) == {1, 2, 3}


def totals(ear: Ear) -> set[int]:
    """How often the key had been pressed, by every press that was heard; a lost ack makes a copy."""
    return {press["totals"][0] for press in ear.of("press")}


def test_a_device_that_starts_before_the_broker_finds_it(
    make_board: MakeBoard, broker: Server, ear: Ear
) -> None:
    broker.kill()
    board = make_board()
    board.start()
    board.press(1)
    board.wait_log("event: 1 1 press")
    broker.start()
    assert identity(ear.wait("press", timeout_s=40.0)[0]) == (1, 1)


def test_a_radio_that_loses_its_network_comes_back(make_board: MakeBoard, ear: Ear) -> None:
    ear.acks = True
    board = make_board()
    board.start()
    board.wait_log("link: up")
    board.wifi(False)
    board.wait_log("link: down")
    board.press(1)
    board.wait_log("press")
    assert ear.of("press") == []
    board.wifi(True)
    assert ear.wait("press", timeout_s=40.0)[0]["key"] == 1


def test_an_acknowledgement_of_some_leaves_the_others(make_board: MakeBoard, ear: Ear) -> None:
    board = make_board(health_s=3600)
    board.start()
    for key in (1, 2, 3):
        board.press(key)
    ear.wait("press", 3)
    middle = next(press for press in ear.of("press") if press["key"] == 2)
    ear.ack(board.device_dir.name, middle["boot"], [middle["seq"]])
    time.sleep(1.0)
    board.power_cut()
    heard = len(ear.of("press"))
    board.start()
    wait_for(lambda: len(ear.of("press")) >= heard + 2, "the two others")
    time.sleep(1.0)
    assert {press["key"] for press in ear.of("press")[heard:]} == {1, 3}


@needs_wheels
def test_littlefs_loses_nothing_at_any_cut() -> None:
    command = [*(find_micropython() or ["micropython"]), "-X", "heapsize=64M"]
    script = FIRMWARE.parent / "tests" / "firmware" / "littlefs_cuts.py"
    env = {"MICROPYPATH": f"{FIRMWARE}:.frozen", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([*command, str(script)], env=env, capture_output=True, text=True, check=True)
    words = done.stdout.split()
    assert words[0::2] == ["cuts", "lost", "invented"], done.stdout + done.stderr
    assert int(words[1]) > 100
    assert words[3::2] == ["0", "0"]


def test_every_press_that_a_device_saw_accepted_arrives_whatever_dies(
    make_board: MakeBoard, ear: Ear, broker: Server
) -> None:
    ear.acks = True
    dice = random.Random(20)
    board = make_board()
    accepted: set[tuple[int, int]] = set()
    for _ in range(12):
        board.start()
        for _ in range(dice.randrange(1, 5)):
            board.press(dice.randrange(1, 4), held_s=0.05)
        time.sleep(dice.uniform(0.1, 1.0))
        if dice.random() < 0.4:
            broker.kill()
            time.sleep(dice.uniform(0.0, 0.3))
            broker.start()
        board.power_cut()
        accepted |= said_accepted(board)
    board.start()
    wait_for(lambda: accepted <= heard_identities(ear), "every accepted event", timeout_s=40.0)
    outbox = board.device_dir / "data" / "outbox"
    wait_for(lambda: not list(outbox.glob("*.log")), "an empty outbox", timeout_s=40.0)
    assert len(accepted) >= 8
    assert all(copies_agree(ear, who) for who in accepted)


def said_accepted(board: Board) -> set[tuple[int, int]]:
    """Identities of the presses that the device said it keeps, in this start."""
    lines = (line.split() for line in board.output().splitlines() if line.startswith("event:"))
    return {(int(words[1]), int(words[2])) for words in lines if len(words) > 3 and words[3] == "press"}


def heard_identities(ear: Ear) -> set[tuple[int, int]]:
    """Identities of all presses that arrived."""
    return {identity(press) for press in ear.of("press")}


def copies_agree(ear: Ear, who: tuple[int, int]) -> bool:
    """Whether all copies of this event are equal but for their age."""
    copies = [without_age(press) for press in ear.of("press") if identity(press) == who]
    return all(copy == copies[0] for copy in copies)
