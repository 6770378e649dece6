"""The real camera process and a source that stalls, sends garbage, goes away and comes back."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from gateway.vision.report import sampled
from models import fetch
from tests.integration.lens import Shop, open_shop
from tests.integration.mjpeg import NetworkCamera
from tests.waiting import wait_for

LIMITS = {"camera.RETRY_S": (0.2,) * 50, "capture.READ_TIMEOUT_MS": 1500, "guard.STALL_S": 0.6}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path) as shop:
        shop.listen()
        yield shop


@pytest.fixture
def network() -> Iterator[NetworkCamera]:
    frames = [
        np.asarray(cv2.resize(im, (640, 360)), np.uint8)
        for t, im in sampled(fetch.path("video_woman"), 5)
        if t < 3
    ]
    camera = NetworkCamera(frames[5:])
    yield camera
    camera.close()


def faces_come(shop: Shop) -> None:
    """New readings, from now on."""
    before = len(shop.events("face"))
    wait_for(lambda: len(shop.events("face")) >= before + 3, "three faces more")


@pytest.mark.parametrize("trouble", ["stall", "garbage", "gone"])
def test_readings_come_again_when_the_source_is_well_again(
    shop: Shop, network: NetworkCamera, trouble: str
) -> None:
    shop.start_camera(network.url, limits=LIMITS)
    wait_for(lambda: shop.events("health"), "health")
    shop.watch(120_000)
    faces_come(shop)
    assert shop.lenses()[-1] == "watching"

    network.mode = trouble
    wait_for(lambda: shop.lenses()[-1] == "blind", '"blind"')
    assert shop.process is not None
    assert shop.process.poll() is None, "it waits, it does not end"

    network.mode = "good"
    faces_come(shop)
    wait_for(lambda: shop.lenses()[-1] == "watching", '"watching"')
    shop.watch(0)
    wait_for(lambda: shop.lenses()[-1] == "off", '"off"')
    status, _, err = shop.end_camera()
    assert (status, err.count("Traceback")) == (0, 0)


def test_the_lens_is_let_go_when_the_watch_ends_and_taken_anew_for_the_next(
    shop: Shop, network: NetworkCamera
) -> None:
    shop.start_camera(network.url, limits=LIMITS)
    wait_for(lambda: shop.events("health"), "health")
    time.sleep(0.5)
    assert network.accepted == 0, "not opened before an ask"
    for watches in (1, 2):
        shop.watch(60_000)
        faces_come(shop)
        assert (network.connections, network.accepted) == (1, watches)
        shop.watch(0)
        wait_for(lambda: network.connections == 0, "no connection", 3)


def test_a_source_that_blocks_for_good_ends_the_process_so_that_a_fresh_one_is_started(
    shop: Shop, tmp_path: Path
) -> None:
    pipe = tmp_path / "camera.fifo"
    os.mkfifo(pipe)  # nobody writes: opening it never comes back
    shop.start_camera(pipe, limits=LIMITS | {"guard.DEAD_S": 2.0})
    wait_for(lambda: shop.events("health"), "health")
    shop.watch(60_000)
    wait_for(lambda: "blind" in shop.lenses(), '"blind"')
    assert shop.process is not None
    assert shop.process.wait(10) == 1
    _, _, err = shop.end_camera()
    assert "nothing from the source for 2 s" in err


def test_a_file_of_garbage_ends_it_for_a_person_to_look_at(shop: Shop, tmp_path: Path) -> None:
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(bytes(range(256)) * 400)
    shop.start_camera(noise)
    assert shop.process is not None
    assert shop.process.wait(20) == 2
    _, _, err = shop.end_camera()
    assert f"cam-1: {noise} is no video that can be read; try an MP4 file" in err
    assert "Traceback" not in err
