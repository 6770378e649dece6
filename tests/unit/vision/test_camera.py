"""The camera's loop on a made-up lens: open only while watched, patient but not for ever."""

import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest

from gateway.device import Health
from gateway.vision import camera as module
from gateway.vision.camera import Camera
from gateway.vision.capture import VideoError
from gateway.vision.faces import Face
from gateway.vision.watch import Watch
from tests import waiting

wait_for = partial(waiting.wait_for, timeout_s=5.0)


@dataclass
class Lens:
    """Stands for a USB camera of 30 frames a second."""

    broken: bool = False
    is_file: bool = False
    is_open: bool = False
    opened: int = 0

    def open(self) -> None:
        self.opened += 1
        if self.broken:
            raise VideoError("camera 0 does not answer")
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    def grab(self) -> float:
        time.sleep(1 / 30)
        if self.broken:
            raise VideoError("no picture from camera 0 any more")
        return time.monotonic()

    def image(self) -> Any:
        return np.zeros((4, 4, 3), np.uint8)


@dataclass
class OneFace:
    """Stands for the pipeline: one face in every frame; counts the frames it was shown."""

    seen: int = 0

    def see(self, image: Any, time_s: float) -> list[Face]:
        self.seen += 1
        return [Face(0, 0.9, 120, 0.0, True)]


@dataclass
class Shop:
    """A camera loop in a thread, what it sent, and its error."""

    lens: Lens = field(default_factory=Lens)
    pipeline: OneFace = field(default_factory=OneFace)
    watch: Watch = field(default_factory=Watch)
    sent: list[tuple[str, float]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None
    thread: threading.Thread | None = None

    def start(self) -> "Shop":
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def _run(self) -> None:
        health = Health(self._send, lambda: {"dropped": 0})
        camera: Any = Camera(self.lens, self.pipeline, self.watch, self._send, health, fps=5)  # type: ignore[arg-type]
        try:
            camera.run(self.stop)
        except VideoError as error:
            self.error = error

    def _send(self, kind: str, fields: dict[str, Any], happened_s: float) -> bool:
        self.sent.append((kind, happened_s))
        return True

    def faces(self) -> list[float]:
        return [t for kind, t in self.sent if kind == "face"]

    def tell(self, for_ms: int) -> None:
        self.watch.command({"v": 1, "command": "watch", "for_ms": for_ms})

    def end(self) -> None:
        self.stop.set()
        if self.thread:
            self.thread.join(5)


@pytest.fixture
def shop() -> Any:
    shop = Shop()
    yield shop
    shop.end()


def test_the_lens_stays_closed_until_watched_and_is_closed_afterwards(shop: Shop) -> None:
    shop.start()
    time.sleep(0.4)
    assert shop.lens.opened == 0
    shop.tell(600)
    wait_for(lambda: len(shop.faces()) >= 2, "two faces")
    wait_for(lambda: not shop.lens.is_open, "a closed lens")
    seen = len(shop.faces())
    time.sleep(0.4)
    assert len(shop.faces()) == seen


def test_lens_off_closes_it_at_once(shop: Shop) -> None:
    shop.start().tell(60_000)
    wait_for(lambda: shop.lens.is_open, "an open lens")
    shop.tell(0)
    wait_for(lambda: not shop.lens.is_open, "a closed lens", timeout_s=0.5)


def test_sends_five_readings_a_second(shop: Shop) -> None:
    shop.start().tell(2_100)
    wait_for(lambda: shop.lens.is_open, "an open lens")
    wait_for(lambda: not shop.lens.is_open, "a closed lens")
    assert 9 <= len(shop.faces()) <= 11


def test_an_unwatched_file_plays_on_but_no_frame_of_it_is_looked_at(shop: Shop) -> None:
    shop.lens.is_file = True
    shop.start()
    wait_for(lambda: shop.lens.is_open, "an open lens")
    time.sleep(0.5)
    assert (shop.pipeline.seen, shop.lens.opened) == (0, 1)
    shop.tell(400)
    wait_for(lambda: len(shop.faces()) >= 1, "a face")
    wait_for(lambda: not shop.watch.is_on(), "the end of the watch")
    time.sleep(0.2)
    assert shop.pipeline.seen == len(shop.faces()) <= 3
    assert shop.lens.opened == 1


def test_sends_health_at_the_start(shop: Shop) -> None:
    shop.start()
    wait_for(lambda: [kind for kind, _ in shop.sent] == ["health"], "health")


def test_sends_health_once_a_minute_and_tries_each_second_until_the_first_got_through() -> None:
    answers, sent = iter([False, True, True]), []
    health = Health(
        lambda kind, fields, now_s: sent.append((now_s, fields)) or next(answers), lambda: {"dropped": 7}
    )
    for now_s in range(1000, 1075):
        health.tick(float(now_s))
    assert [t for t, _ in sent] == [1000, 1001, 1061]
    assert sent[-1][1] == {"uptime_s": 61.0, "dropped": 7}


def test_sees_again_when_the_camera_is_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", (0.05,) * 50)
    shop.lens.broken = True
    shop.start().tell(60_000)
    wait_for(lambda: shop.lens.opened >= 3, "three tries")
    shop.lens.broken = False
    wait_for(lambda: bool(shop.faces()), "a face")


def test_gives_up_after_the_last_try(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", (0.05, 0.05))
    shop.lens.broken = True
    shop.start().tell(60_000)
    wait_for(lambda: shop.error is not None, "the error")
    assert "does not answer" in str(shop.error)
    assert shop.lens.opened == 3


def test_does_not_wait_for_a_file_that_is_missing(shop: Shop) -> None:
    shop.lens.broken = shop.lens.is_file = True
    shop.start()
    wait_for(lambda: shop.error is not None, "the error", timeout_s=1.0)
