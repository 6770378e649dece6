"""Clips of sound: sealed, owner's alone, gone after 72 hours or by erasure, asked for only where allowed."""

from __future__ import annotations

import json
import stat
import threading
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.audit import CLIP, ERASURE
from gateway.cli import main
from gateway.clip_asks import ClipAsks
from gateway.clips import KEEP_MS, About, ClipError, Clips, clips_of
from gateway.config import Site, parse_site
from gateway.erase import erase
from gateway.journal import Journal
from tests.waiting import wait_for
from tests.web.shop import NOON, Shop, open_shop, table

SOUND = np.arange(8000, dtype="<i2").tobytes()
HOUR_MS = 3_600_000


def about(end: int = NOON, point: str = "till-1") -> About:
    return About("mic-1", point, "spike", end - 500, end)


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    return Clips(tmp_path / "clips", tmp_path / "clips.key")


def test_a_clip_is_sealed_and_only_the_key_opens_it(clips: Clips, tmp_path: Path) -> None:
    path = clips.keep(about(), SOUND)
    assert SOUND[100:120] not in path.read_bytes()
    (clip,) = clips.all()
    assert (clips.sound(clip), clip.about, clip.start, clip.end) == (SOUND, about(), NOON - 500, NOON)
    for file in (path, tmp_path / "clips.key"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "clips").stat().st_mode) == 0o700
    (tmp_path / "clips.key").unlink()
    with pytest.raises(ClipError, match="the key is gone"):
        clips.sound(clip)


@pytest.mark.parametrize("place", [5, -1])
def test_a_changed_clip_is_refused_also_in_what_it_says_of_itself(clips: Clips, place: int) -> None:
    path = clips.keep(about(), SOUND)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    (clip,) = clips.all()
    with pytest.raises(ClipError, match="cannot be heard"):
        clips.sound(clip)


def test_a_key_that_others_may_read_is_refused(clips: Clips, tmp_path: Path) -> None:
    clips.keep(about(), SOUND)
    (tmp_path / "clips.key").chmod(0o640)
    with pytest.raises(ClipError, match="chmod 600"):
        clips.keep(about(), SOUND)


def test_two_clips_of_the_same_sound_have_nothing_in_common(clips: Clips) -> None:
    first, second = (clips.keep(about(), SOUND).read_bytes().partition(b"\n")[2] for _ in range(2))
    assert first[:12] != second[:12]
    assert sum(a == b for a, b in zip(first, second, strict=True)) < len(first) / 100


def test_a_clip_lives_for_72_hours_and_not_longer(clips: Clips) -> None:
    clips.keep(about(), SOUND)
    assert clips.purge(NOON + KEEP_MS) == 0
    assert (clips.purge(NOON + KEEP_MS + 1), clips.all()) == (1, [])


def test_a_clip_of_a_wrong_clock_and_one_that_was_never_finished_go_too(clips: Clips, tmp_path: Path) -> None:
    path = clips.keep(about(NOON + KEEP_MS + 1), SOUND)
    (tmp_path / "clips" / f"{NOON - 10}-{NOON}-ab.new").write_bytes(b"half")
    path.with_name("notes.txt").write_text("not ours")
    assert (clips.purge(NOON), clips.purge(NOON + KEEP_MS + 1)) == (1, 1)
    assert [one.name for one in (tmp_path / "clips").iterdir()] == ["notes.txt"]


def test_erasing_takes_the_clips_of_the_point_and_the_stretch_and_those_that_cannot_be_told(
    clips: Clips,
) -> None:
    for end, point in ((NOON, "till-1"), (NOON, "desk"), (NOON + HOUR_MS, "till-1")):
        clips.keep(about(end, point), SOUND)
    clips.keep(about(), SOUND).write_bytes(b"\0broken\n")
    assert clips.erase("till-1", NOON - 100, NOON + 100) == 2
    assert [(one.end, one.about and one.about.point) for one in clips.all()] == [
        (NOON, "desk"),
        (NOON + HOUR_MS, "till-1"),
    ]
    assert clips.erase("till-1", NOON + HOUR_MS + 1, NOON + 2 * HOUR_MS) == 0


def shop_table(folder: Path, **voice: Any) -> dict[str, Any]:
    return table(store={"path": str(folder)}, voice={"clips": True} | voice)


def test_the_receipt_of_an_erasure_counts_the_clips(tmp_path: Path) -> None:
    with open_shop(tmp_path, shop_table(tmp_path)) as shop:
        shop.contact(NOON, 1)
        shop.catch_up()
        clips_of(shop.site).keep(about(NOON + 1000), SOUND)
        receipt = erase(shop.journal, shop.site, "till-1", NOON, NOON + 100, shop.clock.now)
        (line,) = shop.journal.audit(ERASURE)
    assert receipt.clips == 1
    assert json.loads(line.detail)["clips"] == 1
    assert clips_of(shop.site).all() == []


Asked = list[tuple[str, str, int, int]]


def asks(shop: Shop) -> tuple[ClipAsks, Asked]:
    found: Asked = []
    stage = ClipAsks(shop.journal, shop.site, shop.clock, lambda *wish: found.append(wish) is None)
    return stage, found


def test_an_answered_question_is_asked_for_once_with_the_seconds_before_and_after(tmp_path: Path) -> None:
    with open_shop(tmp_path, shop_table(tmp_path)) as shop:
        stage, found = asks(shop)
        shop.contact(NOON, 1)
        shop.clock.now = NOON + 10_000
        shop.recorder.step()
        stage.step()
        shop.send("term-1", NOON + 5000, "press", key=2)  # the same burst: the contact is written anew
        shop.recorder.step()
        stage.step()
        assert len(shop.journal.records("contact")) == 1
    assert found == [("till-1", "question", 15_000, 10_000 - 4000 - 10_000)]


def test_a_leap_of_the_smile_is_asked_for(tmp_path: Path) -> None:
    with open_shop(tmp_path, shop_table(tmp_path)) as shop:
        stage, found = asks(shop)
        shop.send("fob-1", NOON, "click", pattern="single")
        for step in range(60):
            smile = 0.05 if step < 30 else 0.95
            shop.send("cam-1", NOON + 200 * step, "face", track=1, smile=smile, px=120, yaw=0, ok=True)
        shop.send("term-1", NOON + 12_000, "press", key=1)
        shop.clock.now = NOON + 40_000
        shop.recorder.step()
        stage.step()
    spikes = [wish for wish in found if wish[1] == "spike"]
    assert len(spikes) == 1
    assert 30_000 < spikes[0][2] <= 45_000
    assert spikes[0][2] - spikes[0][3] == 15_000


def test_what_no_microphone_remembers_any_more_is_not_asked_for(tmp_path: Path) -> None:
    with open_shop(tmp_path, shop_table(tmp_path)) as shop:
        stage, found = asks(shop)
        shop.contact(NOON, 1)
        shop.catch_up()
        stage.step()
    assert found == []


def run_once(shop: Shop) -> Asked:
    """The stage's own loop, for a moment."""
    stage, found = asks(shop)
    stopping = threading.Event()
    thread = threading.Thread(target=stage.run, args=(stopping,))
    thread.start()
    wait_for(lambda: clips_of(shop.site).all() == [], "the purge")
    shop.contact(NOON, 1)
    shop.clock.now = NOON + 10_000
    shop.recorder.step()
    stopping.wait(0.5)
    stopping.set()
    shop.journal.wake()
    thread.join(10)
    return found


@pytest.mark.parametrize(
    ("region", "voice", "allowed"),
    [
        ("other", {"clips": True}, True),
        ("other", {"clips": False}, False),
        ("eu", {"clips": True}, False),
        ("ch", {"clips": True}, False),
        ("eu", {"clips": True, "clips_consent": "2026-11-02 M. Weber, file 12"}, True),
        ("", {"clips": True, "clips_consent": "2026-11-02 M. Weber, file 12"}, False),
    ],
)
def test_clips_are_asked_for_only_where_they_are_allowed_and_purged_everywhere(
    tmp_path: Path, region: str, voice: dict[str, Any], allowed: bool
) -> None:
    with open_shop(tmp_path, shop_table(tmp_path, **voice) | {"region": region}) as shop:
        clips_of(shop.site).keep(about(NOON - KEEP_MS - 1), SOUND)
        assert bool(run_once(shop)) is allowed
        assert clips_of(shop.site).all() == []


def site_file(folder: Path) -> tuple[Path, Site]:
    """A site.toml with one kept clip and a journal."""
    file = folder / "site.toml"
    file.write_text(
        f'site = "shop-1"\nzone = "Europe/Berlin"\nregion = "other"\n[store]\npath = "{folder}"\n'
        '[points.till-1.devices]\nmic-1 = { kind = "microphone" }\n'
    )
    site = parse_site({"site": "shop-1", "zone": "Europe/Berlin", "store": {"path": str(folder)}})
    clips_of(site).keep(about(), SOUND)
    journal = Journal(folder / "journal.db")
    journal.open()
    journal.close()
    return file, site


def test_the_owner_lists_and_takes_out_a_clip_and_the_audit_log_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, _ = site_file(tmp_path)
    assert main(["clips", "list", "--config", str(file)]) == 0
    assert "2026-09-22 11:59:59    0.5 s  till-1, mic-1, spike" in capsys.readouterr().out
    out = tmp_path / "clip.wav"
    assert main(["clips", "export", "1", "--out", str(out), "--config", str(file)]) == 0
    with wave.open(str(out)) as wav:
        assert (wav.getframerate(), wav.readframes(8000)) == (16_000, SOUND)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    journal = Journal(tmp_path / "journal.db")
    journal.open(read_only=True)
    (line,) = journal.audit(CLIP)
    journal.close()
    assert json.loads(line.detail)["did"] == "export"


def test_a_clip_is_played_without_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, _ = site_file(tmp_path)
    player = tmp_path / "bin" / "aplay"
    player.parent.mkdir()
    player.write_text(f"#!/bin/sh\n/bin/cat > {tmp_path}/heard\n")
    player.chmod(0o755)
    monkeypatch.setenv("PATH", str(player.parent))
    assert main(["clips", "play", "1", "--config", str(file)]) == 0
    assert (tmp_path / "heard").read_bytes() == SOUND


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["play"], "give the number of a clip, 1 to 1"),
        (["play", "2"], "give the number of a clip, 1 to 1"),
        (["export", "1"], "--out clip.wav"),
    ],
)
def test_what_cannot_be_done_with_a_clip_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    file, _ = site_file(tmp_path)
    assert main(["clips", *words, "--config", str(file)]) == 2
    assert says in capsys.readouterr().err
