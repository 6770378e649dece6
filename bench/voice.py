"""The microphone: CPU a frame with 1 and 20 heads, resident memory, and how soon a phrase is told.

CPU and memory: 80 ms frames of speech through our engine and through openwakeword 0.6.0 on ai-edge-litert,
in turn, each in a process of its own, one thread. Latency: the real microphone process hears speech at real
speed from a pipe; from the end of a phrase's last word to its event on a real broker. Peer: openwakeword in a
venv of its own, whose python stands in $EMOBOX_OPENWAKEWORD (without it there is no peer). It is made by
`python -m venv V; V/bin/pip install --no-deps openwakeword==0.6.0;
V/bin/pip install ai-edge-litert==2.3.0 numpy==2.4.6 scipy scikit-learn onnxruntime requests tqdm`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from tqdm import tqdm

from bench.rig import resident_mb, until
from bench.table import Row
from demo.sound import SPEECH, make_timeline, phrase_s
from firmware import wire
from gateway.bus import BrokerAddress, Bus, Message
from gateway.voice import opinion, whisper
from gateway.voice.audio import read_wav
from gateway.voice.phrases import catalogue
from models import fetch
from tests.servers import Server, start_mosquitto
from tests.sites import microphone_shop

PEER = "openwakeword 0.6.0 on ai-edge-litert"
PEER_PYTHON = "EMOBOX_OPENWAKEWORD"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
FRAMES = 1000
COUNTS = (1, 20)
ANSWERS = ("super", "normal", "could-be-better")
ROUND_S = 6.0


def measure(runs: int) -> list[Row]:
    """CPU and memory run by run in turn; 6 asks and answers a run for the latency."""
    with TemporaryDirectory(prefix="emobox-bench-") as name:
        folder = Path(name)
        return [*cpu_rows(folder, runs), *latency_rows(folder, runs)]


def cpu_rows(folder: Path, runs: int) -> Iterator[Row]:
    """Ours and the peer's, in turn."""
    np.save(folder / "sound.npy", np.concatenate([read_wav(path) for path in sorted(SPEECH.glob("*.wav"))]))
    for count in COUNTS:
        heads = _heads(folder, count)
        found = [
            (_hear("ours", folder, heads), _hear("peer", folder, heads))
            for _ in tqdm(range(runs), desc=f"{count} heads", disable=None)
        ]
        for key, unit, goal in (("ms", "ms", "≤ 0.75 ×"), ("mb", "MiB", "")):
            ours, theirs = ([one[key] for one in side if one] for side in zip(*found, strict=True))
            what = {"ms": "CPU a frame of 80 ms", "mb": "memory of the engine alone"}[key]
            yield Row(f"{what}, heads: {count}", unit, ours, PEER if theirs else "", theirs, goal)


def _heads(folder: Path, count: int) -> list[str]:
    """`count` files with shipped heads: the same ones over and over, under names of their own."""
    shipped, out = sorted(phrase.head for phrase in catalogue().values()), []
    for number in range(count):
        copy = folder / f"head-{number}.tflite"
        copy.write_bytes(shipped[number % len(shipped)].read_bytes())
        out.append(str(copy))
    return out


def _hear(who: str, folder: Path, heads: list[str]) -> dict[str, float] | None:
    """{"ms", "mb"} of one process; None where the peer is not installed."""
    python = os.environ.get(PEER_PYTHON) if who == "peer" else sys.executable
    if not python:
        return None
    script = ["bench/peer_openwakeword.py"] if who == "peer" else ["-m", "bench.voice_frames"]
    models = [str(fetch.path("melspectrogram")), str(fetch.path("embedding"))]
    command = [python, *script, *models, str(folder / "sound.npy"), str(FRAMES), *heads]
    done = subprocess.run(command, capture_output=True, check=True, env=os.environ | ONE_THREAD, timeout=300)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def latency_rows(folder: Path, runs: int) -> Iterator[Row]:
    """The process with all shipped heads, at real speed; once more with Whisper, where it is installed."""
    with start_mosquitto(folder) as broker:
        late, mb = _listen(folder, broker, 6 * runs, opinion.NONE)
        yield from _late_rows(
            f"last word to event on the broker, {len(late)} of {12 * runs} phrases", late, "≤ 300"
        )
        yield Row("memory of the microphone process, all shipped heads", "MiB", [mb], goal="≤ 80")
        if whisper.is_installed():
            late, mb = _listen(folder, broker, 6 * runs, "whisper")
            yield from _late_rows(
                f"the same with Whisper, {len(late)} of {12 * runs}, asks and answers", late
            )
            yield Row("memory of Whisper's process", "MiB", [mb])


def _late_rows(what: str, late: list[float], goal: str = "") -> Iterator[Row]:
    for name, figure in (
        ("median", median(late)),
        ("p95", float(np.percentile(late, 95))),
        ("most", max(late)),
    ):
        yield Row(f"{what}: {name}", "ms", [figure], goal=goal)


def _listen(folder: Path, broker: Server, rounds: int, confirm: str) -> tuple[list[float], float]:
    """Milliseconds from a phrase's end to its event; memory of Whisper's process, else the ear's, MiB."""
    site = folder / "site.toml"
    shop = (
        f'[phrases."{p.id}"]\nrole = "{p.role}"' + (f'\nrating = "{p.rating}"' if p.rating else "")
        for p in catalogue().values()
    )
    tables = f'[store]\npath = "{folder}"', *shop
    site.write_text(microphone_shop("-", *tables, port=broker.port, confirm=confirm))
    items = list(_items(rounds))
    wav = make_timeline(folder / "said.wav", items, ROUND_S * (rounds + 1))
    heard: list[tuple[float, dict[str, Any]]] = []
    bus = Bus(BrokerAddress(port=broker.port), "bench", on_message=lambda message: _note(heard, message))
    bus.subscribe(wire.topic("shop-1", "mic-1", "event"))
    bus.start()
    read_end, write_end = os.pipe()
    command = [sys.executable, "-m", "gateway.cli", "microphone", "mic-1", "--config", str(site)]
    process = subprocess.Popen(command, stdin=read_end, env=os.environ | ONE_THREAD)
    try:
        until(lambda: any(event["kind"] == "health" for _, event in heard), "the microphone")
        began_s = _speak(wav, write_end)
        mb = resident_mb(_child(process.pid) if confirm == "whisper" else process.pid)
    finally:
        process.kill()
        process.wait()
        bus.stop()
    return _late(items, heard, began_s), mb


def _child(pid: int) -> int:
    """The process that `pid` has started."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _items(rounds: int) -> Iterator[tuple[float, str]]:
    """(start, phrase): an ask and its answer every 6 s, at any place between two frames."""
    draw = np.random.default_rng(5)
    for number in range(rounds):
        at_s = 3 + ROUND_S * number + float(draw.uniform(0, 0.08))
        yield at_s, "rate-visit"
        yield at_s + 3 + float(draw.uniform(0, 0.08)), ANSWERS[number % len(ANSWERS)]


def _note(heard: list[tuple[float, dict[str, Any]]], message: Message) -> None:
    heard.append((time.monotonic(), json.loads(message.payload)))


def _speak(wav: Path, pipe: int) -> float:
    """Write the sound at real speed, as a card would give it; the monotonic time of its first sample."""
    sound, began_s = read_wav(wav).tobytes(), time.monotonic()
    for start in tqdm(range(0, len(sound), 2560), desc="speak", unit="frame", disable=None):
        threading.Event().wait(max(0.0, began_s + (start + 2560) / 32_000 - time.monotonic()))
        os.write(pipe, sound[start : start + 2560])
    return began_s


def _late(
    items: list[tuple[float, str]], heard: list[tuple[float, dict[str, Any]]], began_s: float
) -> list[float]:
    """For every phrase that was told: how long after the end of its recording, ms."""
    out = []
    for start_s, name in items:
        end_s = began_s + start_s + phrase_s(name)
        out += [
            1000 * (t - end_s) for t, e in heard if e.get("id") == name and 0 <= t - end_s + 0.1 < ROUND_S
        ][:1]
    return out
