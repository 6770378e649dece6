"""The ring of sound in memory, and the clips that are cut from it when the hub asks."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import numpy as np
import pytest

from gateway.clips import Clips
from gateway.config import parse_site
from gateway.voice.capture import Frame
from gateway.voice.engine import FRAME, FRAME_S, Samples
from gateway.voice.keeper import REACH_S, Keeper
from gateway.voice.microphone import _keeper
from gateway.voice.ring import Ring
from tests.web.shop import table


def ramp(start: int, count: int = FRAME) -> Samples:
    """Samples that say at which absolute place they are."""
    return (np.arange(start, start + count) % 30_000).astype(np.int16)


def filled(seconds: float, until: int) -> Ring:
    ring = Ring(seconds)
    for start in range(0, until, FRAME):
        ring.push(start, ramp(start), (start + FRAME) / 16_000)
    return ring


def test_the_ring_gives_exactly_the_samples_of_a_stretch() -> None:
    sound, begins_s = filled(2.0, 100 * FRAME).cut(7.0, 7.5)
    np.testing.assert_array_equal(sound, ramp(7 * 16_000, 8000))
    assert begins_s == pytest.approx(7.0)


def test_the_ring_forgets_what_is_older_and_does_not_know_what_is_to_come() -> None:
    ring = filled(2.0, 100 * FRAME)
    sound, begins_s = ring.cut(0.0, 100.0)
    np.testing.assert_array_equal(sound, ramp(100 * FRAME - 32_000, 32_000))
    assert begins_s == pytest.approx(6.0)
    assert len(ring.cut(1.0, 2.0)[0]) == 0


def test_a_gap_is_silence_and_shifts_nothing() -> None:
    ring = filled(2.0, 100 * FRAME)
    ring.push(102 * FRAME, ramp(102 * FRAME), 103 * FRAME_S)
    sound, _ = ring.cut(99 * FRAME_S, 103 * FRAME_S)
    np.testing.assert_array_equal(sound[:FRAME], ramp(99 * FRAME))
    assert not sound[FRAME : 3 * FRAME].any()
    np.testing.assert_array_equal(sound[3 * FRAME :], ramp(102 * FRAME))


def test_after_a_gap_longer_than_the_ring_nothing_old_is_left() -> None:
    ring = filled(2.0, 10 * FRAME)
    ring.push(1000 * FRAME, ramp(1000 * FRAME), 1001 * FRAME_S)
    assert len(ring.cut(0.0, 2000.0)[0]) == FRAME


class Stopped:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def wish(**clip: object) -> dict[str, object]:
    return {"v": 1, "command": "watch", "clip": {"reason": "spike", "from_ms": 3000, "to_ms": -1000} | clip}


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    return Clips(tmp_path / "clips", tmp_path / "clips.key")


def hear(keeper: Keeper, first: int, last: int, since_s: float) -> None:
    for number in range(first, last):
        keeper.push(Frame(number * FRAME, ramp(number * FRAME), since_s + (number + 1) * FRAME_S))


def test_a_clip_has_the_seconds_before_and_after_and_says_when(clips: Clips) -> None:
    since_s, since = time.monotonic() - 10.0, time.time() - 10.0
    clock = Stopped()
    clock.now_s = since_s + 8.0
    keeper = Keeper(clips, "mic-1", "till-1", clock)
    hear(keeper, 0, 100, since_s)
    keeper.command(wish())
    assert clips.all() == []
    hear(keeper, 100, 125, since_s)
    keeper.close()
    (clip,) = clips.all()
    np.testing.assert_array_equal(np.frombuffer(clips.sound(clip), "<i2"), ramp(5 * 16_000, 4 * 16_000))
    assert clip.start / 1000 == pytest.approx(since + 5.0, abs=0.1)
    assert clip.about is not None
    assert (clip.about.point, clip.about.device, clip.about.reason) == ("till-1", "mic-1", "spike")
    assert keeper.figures() == {"clips_kept": 1, "clips_failed": 0}


@pytest.mark.parametrize(
    "other",
    [
        {"reason": "curiosity"},
        {"from_ms": "3000"},
        {"to_ms": 1.5},
        {"from_ms": 3000, "to_ms": 3000},
        {"from_ms": 70_000, "to_ms": 0},
        {"from_ms": int(REACH_S * 1000) + 1, "to_ms": 100_000},
        {"from_ms": 0, "to_ms": -70_000},
        {"from_ms": -65_000, "to_ms": -70_000},
    ],
)
def test_a_wish_that_is_not_understood_or_too_long_keeps_nothing(
    clips: Clips, other: dict[str, object]
) -> None:
    keeper = Keeper(clips, "mic-1", "till-1", Stopped())
    keeper.command(wish(**other))
    keeper.command({"v": 2, "command": "watch", "clip": {}})
    keeper.command({"v": 1, "command": "watch", "for_ms": 60_000})
    assert keeper._wishes == []
    hear(keeper, 0, 50, -2.0)
    keeper.close()
    assert clips.all() == []


def test_a_disk_that_takes_nothing_is_said_and_counted_and_the_microphone_hears_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "clips").write_text("a file stands in the way")
    keeper = Keeper(Clips(tmp_path / "clips", tmp_path / "clips.key"), "mic-1", "till-1", Stopped())
    with caplog.at_level(logging.ERROR):
        keeper.command(wish())
        hear(keeper, 0, 100, -4.0)
        keeper.close()
    assert keeper.figures() == {"clips_kept": 0, "clips_failed": 1}
    assert "a clip could not be kept" in caplog.text


@pytest.mark.parametrize(
    ("region", "voice", "kept"),
    [
        ("other", {}, False),
        ("other", {"clips": True}, True),
        ("eu", {"clips": True}, False),
        ("eu", {"clips": True, "clips_consent": "2026-11-02 M. Weber, file 12"}, True),
    ],
)
def test_without_the_profiles_leave_there_is_no_ring_at_all_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, region: str, voice: dict[str, object], kept: bool
) -> None:
    site = parse_site(table(region=region, voice=voice, store={"path": str(tmp_path)}))
    assert (_keeper(site, "mic-1") is not None) is kept
    assert ("region eu needs the recorded consent" in caplog.text) is (bool(voice) and not kept)
