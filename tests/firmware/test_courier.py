"""What is sent when, on a clock that the test turns."""

import asyncio
from itertools import pairwise
from pathlib import Path

from net.courier import BATCH, FIRST_MS, LAST_MS, Courier
from store.outbox import Outbox

from tests.firmware.shop import FakeClock

BOOT = 5


class Desk:
    """A courier with a link that a test switches, and the list of what it sent: (moment, boot, seq)."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.up = True
        self.takes = 10_000  # so many sends until the link breaks
        self.sent: list[tuple[int, int, int]] = []
        self.outbox = Outbox(str(folder))
        self.outbox.open()
        self.courier = Courier(self.outbox, self.clock, self._send, lambda: self.up)
        self.seq = 0

    async def _send(self, boot: int, seq: int, happened_ms: int, body: bytes) -> bool:
        if not self.up or not self.takes:
            return False
        self.takes -= 1
        self.sent.append((self.clock.ms, boot, seq))
        return True

    def happen(self, boot: int = BOOT) -> int:
        """One more event; its seq."""
        self.seq += 1
        self.outbox.append(boot, self.seq, self.clock.ms, b"{}")
        self.courier.add(boot, self.seq, self.clock.ms, b"{}")
        return self.seq

    def run(self, for_ms: int, step_ms: int = 100) -> list[tuple[int, int]]:
        """(moment, seq) of what is sent within this time."""
        before = len(self.sent)
        for _ in range(for_ms // step_ms):
            asyncio.run(self.courier.step())
            self.clock.ms += step_ms
        return [(moment, seq) for moment, _, seq in self.sent[before:]]


def test_a_fresh_event_goes_out_at_once_and_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.clock.ms = 7_000
    seq = desk.happen()
    assert desk.run(FIRST_MS - 100) == [(7_000, seq)]


def test_without_an_acknowledgement_the_wait_doubles_to_a_minute(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.happen()
    moments = [moment for moment, _ in desk.run(300_000)]
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert waits == [1000, 2000, 4000, 8000, 16_000, 32_000, LAST_MS, LAST_MS, LAST_MS]


def test_an_acknowledged_event_is_not_sent_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    seq = desk.happen()
    assert desk.run(500) == [(0, seq)]
    desk.courier.acknowledge(BOOT, [seq])
    assert desk.run(100_000) == []


def test_a_backlog_goes_oldest_first_a_batch_at_a_time(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.up = False
    for _ in range(20):
        desk.happen()
    assert desk.run(1_000) == []
    desk.up = True
    assert [seq for _, seq in desk.run(100)] == list(range(1, BATCH + 1))
    desk.courier.acknowledge(BOOT, list(range(1, BATCH + 1)))
    assert [seq for _, seq in desk.run(100)] == list(range(BATCH + 1, 2 * BATCH + 1))


def test_a_fresh_event_overtakes_a_backlog_whose_wait_is_a_minute(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.up = False
    for _ in range(30):
        desk.happen()
    desk.up = True
    desk.run(200_000)
    fresh = desk.happen()
    assert desk.run(100) == [(200_000, fresh)]


def test_one_acknowledgement_wakes_the_backlog(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for _ in range(12):
        desk.happen()
    desk.run(200_000)
    desk.courier.acknowledge(BOOT, [3])
    sent = desk.run(FIRST_MS + 100)
    assert [seq for _, seq in sent] == [1, 2, 4, 5, 6, 7, 8, 9]


def test_a_reconnect_keeps_the_wait(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.happen()
    desk.run(70_000)
    desk.up = False
    desk.run(1_000)
    desk.up = True
    desk.courier.link_changed()
    assert desk.run(20_000) == []


def test_a_link_that_breaks_in_a_batch_does_not_lengthen_the_wait(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.up = False
    for _ in range(5):
        desk.happen()
    desk.up, desk.takes = True, 2
    assert [seq for _, seq in desk.run(100)] == [1, 2]
    desk.takes = 100
    assert [seq for _, seq in desk.run(100)] == [1, 2, 3, 4, 5]


def test_what_is_no_longer_wanted_is_not_sent_in_the_batch(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.up = False
    for _ in range(3):
        desk.happen()
    desk.up = True
    desk.courier.acknowledge(BOOT, [1, 2])
    assert [seq for _, seq in desk.run(100)] == [3]


def test_an_event_that_cannot_be_read_holds_up_no_other_and_costs_no_time(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.up = False
    desk.happen()
    path = next(tmp_path.glob("*.log"))
    path.write_bytes(b"\xff" + path.read_bytes()[1:])
    desk.up = True
    assert desk.run(5_000) == []
    desk.up = False
    seq = desk.happen()
    desk.up = True
    assert desk.run(100) == [(5_000, seq)]
    assert (desk.outbox.dropped, desk.outbox.queued()) == (1, 1)


def test_a_file_that_cannot_be_opened_is_not_tried_without_a_pause(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.up = False
    desk.happen()
    path = next(tmp_path.glob("*.log"))
    path.rename(tmp_path / "away")
    desk.up = True
    desk.run(2_000)
    assert desk.courier._due_ms > desk.clock.ms
    (tmp_path / "away").rename(path)
    assert [seq for _, seq in desk.run(10_000)][:1] == [1]


def test_acknowledgements_of_strangers_change_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.happen()
    desk.run(100)
    desk.courier.acknowledge(BOOT + 1, [1])
    desk.courier.acknowledge(BOOT, [2, -1, 10**20])
    assert desk.outbox.queued() == 1


def test_run_sends_within_milliseconds_of_the_event(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    async def live() -> list[tuple[int, int, int]]:
        courier = asyncio.create_task(desk.courier.run())
        await asyncio.sleep(0.05)
        desk.happen()
        await asyncio.sleep(0.05)
        courier.cancel()
        return desk.sent

    assert asyncio.run(live()) == [(0, BOOT, 1)]
