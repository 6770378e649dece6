"""No image, crop or embedding is written, logged or published: the kernel's view of the camera process."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.vision.smile import LABELS
from models import fetch
from tests.integration.calls import Calls
from tests.integration.lens import open_shop
from tests.waiting import wait_for

ENVELOPE = {"v", "boot", "seq", "age", "kind"}
FIELDS = {
    "face": ENVELOPE | {"track", "smile", "px", "yaw", "ok", "emotion"},
    "health": ENVELOPE | {"uptime_s", "dropped"},
}
PAYLOAD_MAX = 400  # bytes; the smallest crop that a model sees has 64 x 64 = 4096
LOG_MAX = 4000
LEAKS = {
    "a file": "import cv2, numpy; cv2.imwrite('frame.jpg', numpy.zeros((9, 9, 3)))",
    "a file of no name": "import os; os.write(os.memfd_create('f'), b'x' * 5000)",
    "a socket": "import socket; a, b = socket.socketpair(); a.sendall(b'x' * 5000)",
    "a log": "import sys; sys.stderr.write('x' * 5000)",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Calls, list[tuple[str, bytes]], str, Path]:
    """Five watched seconds of a woman who smiles: calls, messages, log, folder."""
    folder = tmp_path_factory.mktemp("shop")
    calls = Calls(folder / "calls")
    with open_shop(folder) as shop:
        shop.listen()
        shop.start_camera(fetch.path("video_woman"), under=calls.tracer())
        wait_for(lambda: shop.events("health"), "health")
        shop.watch(60_000)
        wait_for(lambda: len(shop.events("face")) >= 20, "twenty faces")
        status, out, err = shop.end_camera()
        wait_for(lambda: calls.over(), "strace's end")
        messages = [(m.topic, m.payload) for _, m in shop.got if not m.topic.endswith("/command")]
    assert status == 0
    return calls, messages, out + err, folder


def test_no_file_is_made_but_the_number_of_starts(
    seen: tuple[Calls, list[tuple[str, bytes]], str, Path],
) -> None:
    calls, _, _, folder = seen
    state = folder / "state"
    own = {str(state), str(state / "cam-1.new"), str(state / "cam-1.boot"), "/dev/null"}
    locks = {name for name in calls.made() if re.fullmatch(r"/dev/shm/sem\.[\w-]+", name)}
    assert calls.made() - own - locks == set()
    assert sum(size for where, size in calls.let_out() if where in own | locks) <= 100
    left = [path for place in ("home", "state") for path in (folder / place).rglob("*")]
    assert [path.name for path in left] == ["cam-1.boot"]


def test_no_write_is_large_enough_for_a_picture_and_all_go_to_the_broker_or_the_log(
    seen: tuple[Calls, list[tuple[str, bytes]], str, Path],
) -> None:
    calls, messages, log, _ = seen
    sizes = calls.let_out()
    assert sum(size for where, size in sizes if where.startswith("socket")) > 20 * 100, "strace saw the wire"
    assert max(size for _, size in sizes) <= PAYLOAD_MAX + 100
    on_the_wire = sum(len(topic) + len(payload) for topic, payload in messages)
    assert sum(size for where, size in sizes if where.startswith("socket")) <= 1.2 * on_the_wire + 1000
    assert len(log) <= LOG_MAX
    assert {where.partition(":")[0] for where, _ in sizes} - {"socket", "pipe"} <= {
        where for where, _ in sizes if where.startswith("/")
    }
    assert all('inet_addr("127.0.0.1")' in call for call in calls.others())


def test_every_message_has_the_allowed_fields_and_no_room_for_more(
    seen: tuple[Calls, list[tuple[str, bytes]], str, Path],
) -> None:
    _, messages, _, _ = seen
    assert sum(b'"face"' in payload for _, payload in messages) >= 20
    for topic, payload in messages:
        assert len(payload) <= PAYLOAD_MAX
        message = json.loads(payload)
        if topic.endswith("/status"):
            assert set(message) <= {"v", "online", "lens"}
            continue
        assert set(message) <= FIELDS[message["kind"]]
        emotion = message.pop("emotion", {})
        assert set(emotion) <= set(LABELS)
        numbers = [
            *emotion.values(),
            *(value for name, value in message.items() if name != "kind"),
        ]
        assert all(isinstance(number, int | float) and len(repr(number)) <= 16 for number in numbers)


@pytest.mark.parametrize("leak", LEAKS)
def test_the_watch_over_the_calls_sees_what_leaks(leak: str, tmp_path: Path) -> None:
    """So the tests above would see it, too."""
    calls = Calls(tmp_path / "calls")
    subprocess.run(
        [*calls.tracer(), sys.executable, "-c", LEAKS[leak]], cwd=tmp_path, check=True, stderr=subprocess.PIPE
    )
    end = time.monotonic() + 10
    while not calls.over() and time.monotonic() < end:
        time.sleep(0.02)
    large = max((size for _, size in calls.let_out()), default=0) > PAYLOAD_MAX + 100
    assert large or any(name.endswith("frame.jpg") for name in calls.made())
