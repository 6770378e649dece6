"""One face at 5 looks a second in 1280x720: milliseconds of one core a frame, share of a core, memory.

Ours: the whole pipeline (search or follow, second look, smile), and the real camera process on a real broker.
Peers: the baseline, BlazeFace back on every frame and fer's network; the packages `fer` and `deepface` as
their users run them, each with the Python of an environment that has it:

    python3 -m venv /tmp/fer && /tmp/fer/bin/pip install fer==25.10.3
    EMOBOX_BENCH_FER=/tmp/fer/bin/python EMOBOX_BENCH_DEEPFACE=… script/bench vision
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from bench.rig import Child, resident_mb, until
from bench.table import Row
from firmware import wire
from gateway.bus import BrokerAddress, Bus
from gateway.tflite import Model
from gateway.vision.blazeface import BlazeFace
from gateway.vision.faces import Image
from gateway.vision.pipeline import load_pipeline
from gateway.vision.report import sampled
from gateway.vision.smile import load_fer
from gateway.vision.view import whole
from models import fetch
from models.evaluate.variants import VARIANTS
from tests.servers import Server, start_mosquitto
from tests.sites import LOOPED, SIGN, camera_shop

SIZE = (1280, 720)
MEDIA = "video_woman"
FACE_S = (1.3, 5.4)
FPS = 5
LIGHTS = "dark", "overexposed"
ROUNDS = 5  # of the face's stretch, one after the other
WARM_S, LOOK_S = 3.0, 10.0
PEERS = {"fer": "EMOBOX_BENCH_FER", "deepface": "EMOBOX_BENCH_DEEPFACE"}
PEER_S = 600.0
CAMERA = [sys.executable, "-m", "gateway.cli", "camera", "cam-1"]

Frames = Sequence[tuple[float, Image]]


def measure(runs: int) -> list[Row]:
    """All figures; a peer that is not there has a row that says so."""
    frames = face_frames()
    first = beside("one face", frames, runs, "≤ 1.0 of peer")
    rows = [first, beside("nobody", nobody(frames), runs)]
    for light in LIGHTS:
        hard = [(t, VARIANTS[light](image)) for t, image in frames]
        rows.append(beside(f"one face, {light}", hard, runs))
    for name in PEERS:
        rows += package(name, first.ours)
    with TemporaryDirectory(prefix="emobox-bench-") as folder, camera(Path(folder)) as look:
        return rows + process(runs, look)


def beside(what: str, frames: Frames, runs: int, goal: str = "") -> Row:
    """The pipeline beside the baseline on the same frames, in turn."""
    samples = [(ours(frames), baseline(frames)) for _ in range(runs)]
    mine, theirs = zip(*samples, strict=True)
    return Row(what, "ms CPU a frame", mine, "back + fer, every frame", theirs, goal)


def face_frames() -> Frames:
    """A woman before a till's camera, 5 a second, at 1280x720; each round a minute later."""
    seen = [(t, large(image)) for t, image in sampled(fetch.path(MEDIA), FPS) if FACE_S[0] <= t < FACE_S[1]]
    return [(60 * n + t, image) for n in range(ROUNDS) for t, image in seen]


def large(image: Image) -> Image:
    """The frame at 1280x720."""
    return np.asarray(cv2.resize(image, SIZE), np.uint8)


def nobody(frames: Frames) -> Frames:
    """The same light without a face."""
    return [(t, np.full_like(image, image.mean(axis=(0, 1)))) for t, image in frames]


def ours(frames: Frames) -> float:
    """CPU milliseconds a frame of the pipeline."""
    pipeline = load_pipeline()
    pipeline.see(frames[0][1].copy(), 0.0)
    return _ms(frames, pipeline.see)


def baseline(frames: Frames) -> float:
    """The same of BlazeFace back and fer."""
    back, smile = BlazeFace(Model(fetch.path("blazeface_back")), 0.6), load_fer()

    def see(image: Image, _: float) -> object:
        return [smile.read(image, face) for face in back.find(image, whole(image, back.side))]

    see(frames[0][1], 0.0)
    return _ms(frames, see)


def _ms(frames: Frames, see: Callable[[Image, float], object]) -> float:
    start = time.process_time()
    for time_s, image in frames:
        see(image, 60 + time_s)
    return 1000 * (time.process_time() - start) / len(frames)


def package(name: str, samples: Sequence[float]) -> Iterator[Row]:
    """Ours beside a package as its users run it, on the same frames."""
    python = os.environ.get(PEERS[name])
    if not python:
        yield Row(f"one face ({name}: not installed, set {PEERS[name]})", "ms CPU a frame", samples)
        return
    with TemporaryDirectory(prefix="emobox-bench-") as folder:
        for n, (_, image) in enumerate(face_frames()[:20]):
            cv2.imwrite(f"{folder}/{n:03}.png", image)
        script = Path(__file__).with_name("vision_peer.py")
        told = subprocess.run(
            [python, str(script), name, folder], capture_output=True, text=True, timeout=PEER_S
        )
    if told.returncode:
        why = (told.stderr.strip().splitlines() or ["no reason given"])[-1][:120]
        yield Row(f"one face ({name}: does not run here: {why})", "ms CPU a frame", samples)
        return
    found = json.loads(told.stdout.splitlines()[-1])
    theirs = [found["cpu_ms"]] * len(samples)
    yield Row(f"one face; {name} sees {found['faces']} faces in 20", "ms CPU a frame", samples, name, theirs)
    yield Row(f"resident memory, {name}", "MiB", [], name, [found["rss_mb"]])


class Look:
    """The real camera process; `watch` turns its lens on."""

    def __init__(self, child: Child, bus: Bus) -> None:
        self._child, self._bus = child, bus

    def watch(self, for_ms: int) -> None:
        """As the hub does."""
        topic = wire.topic("shop-1", "cam-1", "command")
        self._bus.publish(topic, wire.make_command("watch", {"for_ms": for_ms}))

    def share(self) -> float:
        """Percent of one core that it takes."""
        before, start = cpu_s(self._child.pid), time.monotonic()
        time.sleep(LOOK_S)
        return 100 * (cpu_s(self._child.pid) - before) / (time.monotonic() - start)

    def resident_mb(self) -> float:
        """Its memory in MiB."""
        return resident_mb(self._child.pid)


@contextmanager
def camera(folder: Path) -> Iterator[Look]:
    """The process on a broker of its own, with a 1280x720 video at 24 frames a second, over and over."""
    video = enlarged(folder / "large.mp4")
    with start_mosquitto(folder) as broker:
        config = folder / "site.toml"
        config.write_text(
            camera_shop(video, LOOPED, SIGN, f'[store]\npath = "{folder}/store"', port=broker.port)
        )
        heard: list[str] = []
        bus = listener(broker, heard)
        with Child([*CAMERA, "--config", str(config)], folder / "camera.log") as child:
            until(lambda: any(topic.endswith("/event") for topic in heard), "the camera process")
            yield Look(child, bus)
        bus.stop()


def listener(broker: Server, heard: list[str]) -> Bus:
    """Notes the topics of all messages."""
    bus = Bus(
        BrokerAddress(port=broker.port), "bench", on_message=lambda message: heard.append(message.topic)
    )
    bus.subscribe("emobox/v1/shop-1/cam-1/event")
    bus.start()
    until(lambda: bus.connected, "the broker")
    return bus


def enlarged(path: Path) -> Path:
    """The woman at 1280x720, all of the video."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 24, SIZE)
    for time_s, image in sampled(fetch.path(MEDIA), 1000):
        if time_s < FACE_S[1]:
            writer.write(large(image))
    writer.release()
    return path


def process(runs: int, look: Look) -> list[Row]:
    """Share of a core while watched and while not, in turn; memory at the end."""
    watched, idle = list[float](), list[float]()
    for _ in range(runs):
        look.watch(0)
        idle.append(look.share())
        look.watch(600_000)
        time.sleep(WARM_S)
        watched.append(look.share())
    peer = "the same, unwatched (decoding)"
    return [
        Row("camera process, 5 fps of 1280x720", "% of a core", watched, peer, idle, "≤ 15"),
        Row("camera process, resident", "MiB", [look.resident_mb()], goal="≤ 200"),
    ]


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
