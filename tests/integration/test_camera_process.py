"""The real camera process on a real broker, looking at a made video of real faces."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.video import Segment, make_video
from firmware import wire
from tests.integration.lens import Shop, open_shop
from tests.waiting import wait_for


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path) as shop:
        yield shop


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s nobody, 4 s neutral, 5 s smiling, then the same person neutral for long."""
    parts = [Segment("empty", 2), Segment("neutral", 4), Segment("smile", 5), Segment("neutral", 20)]
    return make_video(tmp_path_factory.mktemp("media") / "shop.mp4", parts)


def smiles(faces: list[tuple[float, dict[str, Any]]], start_s: float, end_s: float) -> list[float]:
    return [event["smile"] for t, event in faces if start_s <= t < end_s]


def test_publishes_valid_readings_of_the_watched_time_only_and_writes_nothing(
    shop: Shop, video: Path
) -> None:
    shop.listen()
    shop.start_camera(video)
    wait_for(lambda: shop.events("health"), "health")
    began = shop.events("health")[0][0] - shop.events("health")[0][1]["uptime_s"]
    wait_for(lambda: time.monotonic() > began + 3, "three seconds")
    assert not shop.events("face"), "readings before anybody asked"

    told = shop.watch(6_000)
    wait_for(lambda: time.monotonic() > told + 7.5, "the end of the watch")
    faces = shop.events("face")
    assert all(told - 0.1 <= t <= told + 6.1 for t, _ in faces)
    assert 28 <= len(faces) <= 31, "five readings a second"
    assert [wire.check(event, "camera") for _, event in faces] == [None] * len(faces)
    assert {event["track"] for _, event in faces} == {0}
    assert all(event["ok"] and event["px"] >= 120 for _, event in faces)
    assert max(smiles(faces, 0, began + 5.9)) <= 0.2
    assert min(smiles(faces, began + 6.1, told + 7)) >= 0.8

    shop.watch(60_000)
    wait_for(lambda: len(shop.events("face")) > len(faces), "a face")
    shop.watch(0)
    time.sleep(0.3)
    after = len(shop.events("face"))
    time.sleep(1.0)
    assert len(shop.events("face")) == after, "readings after lens off"

    status, out, err = shop.end_camera()
    assert (status, err.count("Traceback")) == (0, 0)
    written = [Path(name).name for name in out.partition("WRITTEN\n")[2].split("\n") if name]
    assert set(written) <= {"cam-1.new"}, "only the boot counter may be written"
    assert not list((shop.folder / "home").rglob("*"))
    assert [file.name for file in (shop.folder / "state").iterdir()] == ["cam-1.boot"]


def test_says_online_and_goodbye(shop: Shop, video: Path) -> None:
    shop.listen()
    shop.start_camera(video)
    wait_for(lambda: shop.events("health"), "health")
    shop.end_camera()
    wait_for(
        lambda: b"false" in [m.payload for _, m in shop.got if m.topic.endswith("/status")][-1],
        "the last will",
    )
    states = [json.loads(m.payload) for _, m in shop.got if m.topic.endswith("/status")]
    assert (states[0], states[-1]) == ({"v": 1, "online": True}, {"v": 1, "online": False})
    assert states[1:-1] in ([], [{"v": 1, "online": True, "lens": "off"}])


def test_a_missing_file_ends_it_with_a_plain_error(shop: Shop) -> None:
    shop.start_camera(Path("/no/such.mp4"))
    assert shop.process is not None
    shop.process.wait(20)
    status, _, err = shop.end_camera()
    assert status == 2
    assert "cam-1: video file /no/such.mp4 is missing; check the path" in err
    assert "Traceback" not in err


def test_ends_well_at_the_end_of_a_file(shop: Shop, tmp_path: Path) -> None:
    shop.start_camera(make_video(tmp_path / "short.mp4", [Segment("empty", 1)]))
    assert shop.process is not None
    assert shop.process.wait(20) == 0


def test_an_address_that_stays_away_is_tried_again_by_a_fresh_process_and_hides_its_password(
    shop: Shop,
) -> None:
    shop.listen()
    shop.start_camera("rtsp://till:s3cret@127.0.0.1:9/stream", limits={"camera.RETRY_S": (0.1, 0.1)})
    wait_for(lambda: shop.events("health"), "health")
    shop.watch(60_000)
    assert shop.process is not None
    assert shop.process.wait(20) == 1
    _, _, err = shop.end_camera()
    assert "rtsp://127.0.0.1:9/stream does not answer" in err
    assert "s3cret" not in err


def test_stays_off_until_the_sign_is_posted(shop: Shop, video: Path) -> None:
    shop.start_camera(video, camera="[camera]")
    assert shop.process is not None
    shop.process.wait(20)
    status, _, err = shop.end_camera()
    assert status == 2
    assert "the camera stays off: nobody has confirmed the sign" in err
