"""The outbox: what append() returned for is there until delete(), whatever power does."""

import builtins
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import store.files
import store.outbox
from store import record
from store.outbox import PER_SEGMENT, Outbox


def opened(folder: Path, **settings: Any) -> Outbox:
    box = Outbox(str(folder), **settings)
    box.open()
    return box


def identities(box: Outbox) -> list[tuple[int, int]]:
    return [event[:2] for event in box.oldest(10_000)]


def fill(box: Outbox, boot: int, count: int, first: int = 1) -> None:
    for seq in range(first, first + count):
        box.append(boot, seq, seq * 10, b"body %d" % seq)


def test_gives_back_what_was_appended_oldest_first(tmp_path: Path) -> None:
    box = opened(tmp_path)
    fill(box, boot=7, count=70)
    assert box.oldest(2) == [(7, 1, 10, b"body 1"), (7, 2, 20, b"body 2")]
    assert identities(opened(tmp_path)) == [(7, seq) for seq in range(1, 71)]


def test_events_of_earlier_boots_come_first(tmp_path: Path) -> None:
    for boot in (2, 9, 10, 11):
        fill(opened(tmp_path), boot, 2)
    assert identities(opened(tmp_path)) == [(boot, seq) for boot in (2, 9, 10, 11) for seq in (1, 2)]


def test_deletes_only_what_is_named_and_remembers_it(tmp_path: Path) -> None:
    box = opened(tmp_path)
    fill(box, boot=1, count=5)
    assert box.delete(1, [2, 4, 4, 99, 0, -3]) == 2
    assert box.delete(2, [1]) == 0
    assert identities(box) == identities(opened(tmp_path)) == [(1, 1), (1, 3), (1, 5)]


def test_an_acknowledged_queue_leaves_no_file(tmp_path: Path) -> None:
    box = opened(tmp_path)
    fill(box, boot=1, count=65)
    for seq in range(1, 66):
        box.delete(1, [seq])
    assert os.listdir(tmp_path) == []
    fill(box, boot=1, count=1, first=66)
    assert identities(opened(tmp_path)) == [(1, 66)]


def test_a_full_ring_drops_its_oldest_segment_and_counts(tmp_path: Path) -> None:
    box = opened(tmp_path, max_segments=3)
    fill(box, boot=1, count=3 * PER_SEGMENT)
    box.delete(1, [1, 2])
    fill(box, boot=1, count=1, first=3 * PER_SEGMENT + 1)
    assert box.dropped == PER_SEGMENT - 2
    assert identities(box)[0] == (1, PER_SEGMENT + 1)
    assert opened(tmp_path).dropped == PER_SEGMENT - 2


def test_a_record_cut_at_any_byte_is_lost_alone(tmp_path: Path) -> None:
    fill(opened(tmp_path), boot=3, count=4)
    path = tmp_path / "3-1.log"
    whole = path.read_bytes()
    last = len(whole) - record.size(b"body 4")
    for cut in range(last, len(whole)):
        path.write_bytes(whole[:cut])
        assert identities(opened(tmp_path)) == [(3, 1), (3, 2), (3, 3)], cut


def flipped(whole: bytes, at: int) -> bytes:
    return whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]


def test_a_flipped_bit_costs_one_event_and_makes_no_false_one(tmp_path: Path) -> None:
    fill(opened(tmp_path), boot=3, count=2)
    path = tmp_path / "3-1.log"
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(flipped(whole, at))
        assert identities(opened(tmp_path)) == [(3, 2 if at < len(whole) // 2 else 1)], at
        for left in tmp_path.glob("3-1.ack"):
            left.unlink()


def test_what_can_no_longer_be_read_is_dropped_and_counted_once(tmp_path: Path) -> None:
    for at in range(3):
        folder = tmp_path / str(at)
        box = opened(folder)
        fill(box, boot=3, count=3)
        path = folder / "3-1.log"
        whole = path.read_bytes()
        path.write_bytes(flipped(whole, at * len(whole) // 3 + 5))
        left = [(3, seq) for seq in (1, 2, 3) if seq != at + 1]
        assert identities(box) == identities(box) == identities(opened(folder)) == left
        assert (box.dropped, box.queued(), opened(folder).dropped) == (1, 2, 1)
        box.delete(3, [1, 2, 3])
        assert not list(folder.glob("3-*"))


def test_what_cannot_be_read_at_a_start_is_there_at_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(opened(tmp_path), boot=3, count=2)
    fill(opened(tmp_path), boot=4, count=3)
    assert opened(tmp_path).delete(4, [1]) == 1

    def failing(path: str, mode: str = "r") -> Any:
        if path.endswith("4-1.log"):
            raise OSError(5)
        return builtins.open(path, mode)

    with monkeypatch.context() as patch:
        patch.setattr(store.outbox, "open", failing, raising=False)
        box = Outbox(str(tmp_path))
        assert box.open() == 4  # its number is taken, whatever it holds
        assert (identities(box), box.dropped) == ([(3, 1), (3, 2)], 0)
    assert identities(opened(tmp_path)) == [(3, 1), (3, 2), (4, 2), (4, 3)]


def test_what_cannot_be_read_for_a_moment_is_neither_dropped_nor_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = opened(tmp_path)
    fill(box, boot=1, count=3)

    def failing(*_: object) -> Any:
        raise OSError(5)

    with monkeypatch.context() as patch:
        patch.setattr(store.outbox, "open", failing, raising=False)
        assert box.oldest(5) == []
    assert (identities(box), box.dropped) == ([(1, 1), (1, 2), (1, 3)], 0)


def test_the_file_of_a_segment_is_closed_as_soon_as_its_events_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, files, kept = opened(tmp_path), [], []
    fill(box, boot=1, count=3)

    def noting(*how: Any) -> Any:
        files.append(builtins.open(*how))  # noqa: SIM115
        return files[-1]

    reads = Outbox._records
    monkeypatch.setattr(Outbox, "_records", lambda self, one: kept.append(reads(self, one)) or kept[-1])
    monkeypatch.setattr(store.outbox, "open", noting, raising=False)
    assert len(box.oldest(2)) == 2
    assert (len(files), len(kept)) == (1, 1)
    assert files[0].closed, "MicroPython closes what is dropped only when it collects garbage"


def test_acknowledgements_whose_log_is_gone_are_swept_at_the_next_start(tmp_path: Path) -> None:
    fill(opened(tmp_path), boot=1, count=1)
    (tmp_path / "7-1.ack").write_bytes(b"\x80")
    assert identities(opened(tmp_path)) == [(1, 1)]
    assert [path.name for path in tmp_path.iterdir()] == ["1-1.log"]


def test_a_length_that_no_record_has_asks_for_no_memory() -> None:
    class Flash(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert 0 <= size <= record.MAX_BODY
            return super().read(size)

    assert record.read(Flash(b"\xff" * 70_000), 0, 1) is None


class Cut(BaseException):
    """The power goes."""


class Power:
    """Lets so many bytes and file operations through, then goes off within one of them."""

    def __init__(self, budget: int) -> None:
        self.left = budget

    def spend(self, wanted: int) -> int:
        """How much of this still happens."""
        done = min(wanted, self.left)
        self.left -= done
        return done

    def write(self, file: Any, data: Any) -> None:
        """Write what power allows."""
        done = self.spend(len(data))
        file.write(data[:done])
        file.flush()
        if done < len(data):
            raise Cut

    def step(self, work: Callable[..., None]) -> Callable[..., None]:
        """A rename or remove: happens whole or not."""

        def stepped(*paths: str) -> None:
            if not self.spend(1):
                raise Cut
            work(*paths)

        return stepped

    def open(self, path: str, mode: str = "r") -> Any:
        """A file whose writes this power feeds."""
        file = builtins.open(path, mode)  # noqa: SIM115 - the caller closes it
        return Fed(file, self) if mode[0] in "wa" else file


class Fed:
    """A file on such power."""

    def __init__(self, file: Any, power: Power) -> None:
        self._file = file
        self._power = power

    def write(self, data: Any) -> None:
        """Write, perhaps in part."""
        self._power.write(self._file, data)

    def __enter__(self) -> "Fed":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.fixture
def cut_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Power]]:
    """Puts the store's files on a power that will be cut."""
    real_remove, real_rename = os.remove, os.rename

    def prepare(budget: int) -> Power:
        power = Power(budget)
        for module in (store.files, store.outbox):
            monkeypatch.setattr(module, "open", power.open, raising=False)
        monkeypatch.setattr(store.files.os, "remove", power.step(real_remove))
        monkeypatch.setattr(store.files.os, "rename", power.step(real_rename))
        return power

    yield prepare
    monkeypatch.undo()


class Story:
    """A day of one device: two boots, acknowledgements in between, a ring that gets full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: set[tuple[int, int]] = set()  # append() returned, delete() was not called
        self.maybe: set[tuple[int, int]] = set()  # in the middle of append(), delete() or a drop

    def play(self) -> None:
        """Run it; Cut may end it anywhere."""
        for boot in (1, 2):
            box = opened(self.folder, max_segments=3)
            for seq in range(1, PER_SEGMENT + 4):
                self._append(box, boot, seq)
            self._delete(box, boot, [1, 2, 3])
            self._delete(box, boot, list(range(4, PER_SEGMENT + 1)))
            self._delete(box, boot, [PER_SEGMENT + 2])

    def _append(self, box: Outbox, boot: int, seq: int) -> None:
        self.maybe = {(boot, seq)}
        box.append(boot, seq, seq, b"x")
        self.maybe = set()
        self.kept.add((boot, seq))

    def _delete(self, box: Outbox, boot: int, seqs: list[int]) -> None:
        self.maybe = {(boot, seq) for seq in seqs} & self.kept
        self.kept -= self.maybe
        box.delete(boot, seqs)
        self.maybe = set()


def test_a_power_cut_at_any_byte_of_a_day_loses_nothing(
    tmp_path: Path, cut_after: Callable[[int], Power], monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts = 0
    while True:
        folder = tmp_path / str(cuts)
        story = Story(folder)
        cut_after(cuts)
        try:
            story.play()
            break
        except Cut:
            pass
        finally:
            monkeypatch.undo()
        box = opened(folder)
        there = set(identities(box))
        assert story.kept <= there <= story.kept | story.maybe, cuts
        fill(box, boot=3, count=2)
        assert set(identities(opened(folder))) == there | {(3, 1), (3, 2)}, cuts
        cuts += 1
    assert cuts > 1_000


def test_nothing_is_appended_behind_a_failed_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = opened(tmp_path)
    fill(box, boot=1, count=2)
    with monkeypatch.context() as patch:
        patch.setattr(store.outbox, "open", Full().open, raising=False)
        with pytest.raises(OSError, match="full"):
            box.append(1, 3, 0, b"lost")
    fill(box, boot=1, count=2, first=3)
    assert box.dropped == 1
    assert identities(opened(tmp_path)) == [(1, 1), (1, 2), (1, 3), (1, 4)]


class Full(Power):
    """A flash that takes half a record."""

    def __init__(self) -> None:
        super().__init__(9)

    def write(self, file: Any, data: Any) -> None:
        """Half, then no more."""
        file.write(data[: self.spend(len(data))])
        raise OSError("flash is full")
