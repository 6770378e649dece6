"""No sound is written, logged or published: the kernel's view of the microphone process, clips off and on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.sound import make_timeline
from firmware import wire
from gateway.bus import BrokerAddress, Bus, Message
from gateway.clips import Clips
from gateway.voice.audio import read_wav
from tests.integration.calls import Calls
from tests.servers import start_mosquitto
from tests.sites import ASK_AND_ANSWER, microphone_shop
from tests.waiting import wait_for

ENVELOPE = {"v", "boot", "seq", "age", "kind"}
LEVELS = {"level_db", "floor_db", "clipped", "undecided", "unasked", "out_of_place", "heard_ago_s"}
LOSSES = {"dropped", "sound_lost_s", "sound_restarts", "zero_s"}
FIELDS = {
    "phrase": ENVELOPE | {"id", "score"},
    "health": ENVELOPE | {"uptime_s"} | LEVELS | LOSSES,
}
PAYLOAD_MAX = 400  # bytes; 80 ms of sound has 2560


@dataclass(frozen=True)
class Seen:
    """What a microphone process did: its calls, what it published, what it said, its store."""

    calls: Calls
    messages: list[Message]
    said: str
    store: Path

    def events(self, kind: str) -> list[dict[str, Any]]:
        events = [json.loads(m.payload) for m in self.messages if m.topic.endswith("/event")]
        return [event for event in events if event["kind"] == kind]


def listen(folder: Path, *, clips: bool, confirm: str = "none") -> Seen:
    """An ask and an answer at real speed under strace, and a wish for a clip in between."""
    wav, store, calls = folder / "shop.wav", folder / "store", Calls(folder / "calls")
    make_timeline(wav, [(2.5, "rate-visit"), (5.5, "super")], 9.0)
    messages: list[Message] = []
    with start_mosquitto(folder) as broker:
        tables = (f'[store]\npath = "{store}"', ASK_AND_ANSWER)
        voice = f"clips = {str(clips).lower()}"
        text = microphone_shop(wav, *tables, port=broker.port, voice=voice, confirm=confirm)
        (folder / "site.toml").write_text(text)
        bus = Bus(BrokerAddress(port=broker.port), "test", on_message=messages.append)
        bus.subscribe("emobox/v1/shop-1/mic-1/#")
        bus.start()
        command = [sys.executable, "-m", "gateway.cli", "microphone", "mic-1"]
        process = subprocess.Popen(
            [*calls.tracer(), *command, "--config", str(folder / "site.toml")],
            stderr=subprocess.PIPE,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        wait_for(lambda: any(b'"rate-visit"' in m.payload for m in messages), "the ask", 40)
        wish = {"clip": {"reason": "spike", "from_ms": 1000, "to_ms": -1000}}
        bus.publish(wire.topic("shop-1", "mic-1", "command"), wire.make_command("watch", wish))
        _, said = process.communicate(timeout=40)
        wait_for(calls.over, "strace's end")
        time.sleep(0.2)
        bus.stop()
    own = [m for m in messages if not m.topic.endswith("/command")]
    return Seen(calls, own, said.decode(), store)


@pytest.fixture(scope="module")
def off(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return listen(tmp_path_factory.mktemp("off"), clips=False)


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return listen(tmp_path_factory.mktemp("on"), clips=True)


@pytest.fixture(scope="module")
def confirmed(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return listen(tmp_path_factory.mktemp("confirmed"), clips=False, confirm="whisper")


def made(seen: Seen) -> set[str]:
    """What it made beside the number of starts."""
    devices = seen.store / "devices"
    own = {str(path) for path in (seen.store, devices, devices / "mic-1.new", devices / "mic-1.boot")}
    locks = {name for name in seen.calls.made() if re.fullmatch(r"/dev/shm/sem\.[\w-]+", name)}
    return seen.calls.made() - own - locks - {"/dev/null"}


def test_with_clips_off_no_file_is_made_whoever_asks_for_one(off: Seen) -> None:
    assert made(off) == set()
    assert [path.name for path in off.store.rglob("*") if path.is_file()] == ["mic-1.boot"]


def test_no_write_is_large_enough_for_sound_and_all_go_to_the_broker_or_the_log(off: Seen) -> None:
    sizes = off.calls.let_out()
    wire_bytes = sum(size for where, size in sizes if where.startswith("socket"))
    on_the_wire = sum(len(m.topic) + len(m.payload) for m in off.messages)
    assert wire_bytes > 500, "strace saw the wire"
    assert max(size for _, size in sizes) <= PAYLOAD_MAX + 100
    assert wire_bytes <= 1.2 * on_the_wire + 1000
    assert len(off.said) < 4000
    assert all('inet_addr("127.0.0.1")' in call for call in off.calls.others())


def test_every_message_has_the_allowed_fields_and_no_room_for_more(off: Seen) -> None:
    assert [event["id"] for event in off.events("phrase")] == ["rate-visit", "super"]
    for message in off.messages:
        assert len(message.payload) <= PAYLOAD_MAX
    for kind in FIELDS:
        for event in off.events(kind):
            assert set(event) <= FIELDS[kind]
            values = [value for name, value in event.items() if name not in ("kind", "id")]
            assert all(isinstance(value, int | float) and len(repr(value)) <= 20 for value in values)


def test_with_clips_on_the_one_that_was_asked_for_is_written_sealed_and_nothing_else(on: Seen) -> None:
    folder = on.store / "clips"
    (clip,) = Clips(folder, on.store / "clips.key").all()
    allowed = {str(folder), str(on.store / "clips.key"), str(clip.path), str(clip.path.with_suffix(".new"))}
    assert made(on) <= allowed
    sound = Clips(folder, on.store / "clips.key").sound(clip)
    heard = read_wav(on.store.parent / "shop.wav").tobytes()
    assert len(sound) == 2 * 16_000 * 2
    assert sound in heard
    sealed = clip.path.read_bytes()
    assert not any(sound[at : at + 16] in sealed for at in range(0, len(sound), 1000))
    to_files = [size for where, size in on.calls.let_out() if where.startswith("/") and size > PAYLOAD_MAX]
    assert sum(to_files) == len(sealed)
    assert max(len(message.payload) for message in on.messages) <= PAYLOAD_MAX


def test_whisper_hears_through_a_pipe_and_neither_writes_a_file_nor_calls_anybody(confirmed: Seen) -> None:
    assert made(confirmed) == set()
    large = {where for where, size in confirmed.calls.let_out() if size > PAYLOAD_MAX + 100}
    assert large
    assert all(where.startswith("pipe:") for where in large), large
    assert all('inet_addr("127.0.0.1")' in call for call in confirmed.calls.others())
    assert [event["id"] for event in confirmed.events("phrase")] == ["rate-visit", "super"]
