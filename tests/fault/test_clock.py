"""The wall clock jumps, while the hub runs and between its runs: no age, time-out or contact moves."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fault.shop import (
    Hub,
    Witness,
    every_acknowledged_event_is_stored_once_at_its_own_time,
    settled,
)
from tests.servers import ServerError
from tests.waiting import wait_for

MakeHub = Callable[..., Hub]
Connect = Callable[..., list[Witness]]

DAY_S = 86_400
TO_1970_S = -round(time.time()) + 100
JUMPS = pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S, TO_1970_S], ids=["+1 day", "-1 day", "1970"])
SEEN_S = 1.2  # libfaketime looks into its file once a second; at every call it slows the hub down
TIMEOUT_S = 4
NEW_CLICK_S = 2.5  # clicks closer than 1.5 s are one ask
QUIET_S = 8
SHORT_QUIET = f"import gateway.ingest; gateway.ingest.QUIET_S = {QUIET_S}"  # 120 s in a shop


class WallClock:
    """The wall clock of one hub, which a test sets (libfaketime); the monotonic clock is the real one."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "faketime"
        self.set_off(0)

    def set_off(self, by_s: int) -> None:
        """Set the hub's wall clock so far off the true time."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{by_s:+d}\n")
        fresh.replace(self._file)
        time.sleep(SEEN_S)

    @property
    def env(self) -> dict[str, str]:
        """What makes a process live by this clock."""
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not found:
            raise ServerError("libfaketime is not installed; run: apt-get install faketime")
        return {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture
def wall(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path)


@JUMPS
def test_a_jump_while_the_hub_runs_moves_no_contact_and_is_followed_after_a_quiet(
    make_hub: MakeHub, connect: Connect, wall: WallClock, jump_s: int
) -> None:
    hub = make_hub(env=wall.env, patches=SHORT_QUIET, timeout_s=TIMEOUT_S)
    terminal, keyfob = devices = connect("term-1", "fob-1")
    journal = hub.journal()
    terminal.happen("health", {"uptime_s": 0})
    settled(devices)
    asked = ask(keyfob)
    settled(devices)
    wall.set_off(jump_s)
    terminal.happen("press", {"key": 1})
    time.sleep(NEW_CLICK_S)
    silent = ask(keyfob)
    wait_for(
        lambda: len(journal.records("contact")) == 2,
        "the second ask's time-out, by true seconds",
        TIMEOUT_S + 6,
    )
    rated, unrated = journal.records("contact")
    assert near(rated.time_ms, asked)
    assert near(unrated.time_ms, silent)
    assert (rated.tags["via"], unrated.tags["outcome"]) == ("key", "silent")
    assert SEEN_S - 0.5 < float(rated.fields["answer_s"] or 0) < TIMEOUT_S
    settled(devices)
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices)
    before = journal.records("contact")

    follow(hub, terminal)
    known = len(journal.records("press"))
    pressed = time.time() + jump_s
    terminal.happen("press", {"key": 1})
    wait_for(lambda: len(journal.records("press")) == known + 1, "a press by the new clock")
    assert any(near(press.time_ms, pressed) for press in journal.records("press"))
    assert journal.records("contact") == before, "a contact moved, or went"
    journal.close()


def follow(hub: Hub, terminal: Witness) -> None:
    """A shop without customers, in which the devices still say how they fare, until the clock is followed."""
    end = time.monotonic() + QUIET_S + 6
    while not hub.said("followed while the shop was quiet"):
        assert time.monotonic() < end, "the new clock was never followed"
        terminal.happen("health", {"uptime_s": 1})
        time.sleep(1)


@JUMPS
def test_a_jump_between_two_runs_moves_no_contact(
    make_hub: MakeHub, connect: Connect, wall: WallClock, jump_s: int
) -> None:
    hub = make_hub(env=wall.env, patches=SHORT_QUIET, timeout_s=TIMEOUT_S)
    terminal, keyfob = devices = connect("term-1", "fob-1")
    journal = hub.journal()
    terminal.happen("health", {"uptime_s": 0})
    settled(devices)
    ask(keyfob)
    time.sleep(0.2)
    terminal.happen("press", {"key": 1})
    time.sleep(NEW_CLICK_S)
    asked = ask(keyfob)
    settled(devices)
    hub.kill()
    wall.set_off(jump_s)
    terminal.happen("press", {"key": 3})
    hub.start()
    wait_for(lambda: len(journal.records("contact")) == 2, "the second contact, closed in time", 20)
    settled(devices)
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices)
    contact = journal.records("contact")[1]
    assert near(contact.time_ms, asked)
    wait_for(lambda: journal.records("contact")[1].tags["outcome"] == "critic", "the press that answers it")
    journal.close()


def ask(keyfob: Witness) -> float:
    """An ask; its true time in seconds."""
    keyfob.happen("click", {"pattern": "single"})
    return time.time()


def near(time_ms: int, true_s: float) -> bool:
    """Whether a label is that time, as exactly as a test can know it."""
    return abs(time_ms / 1000 - true_s) < 2.0
