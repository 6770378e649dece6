"""`emobox aim --page` in a real browser: what passes, what fails, and nothing that could be a picture."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models import fetch
from tests.servers import free_port
from tests.sites import LOOPED, SIGN, camera_shop
from tests.web.test_browser import browse

ROOT = Path(__file__).parents[2]


def command(folder: Path, media: str, camera: str = SIGN, *options: str) -> list[str]:
    config = folder / "site.toml"
    config.write_text(camera_shop(fetch.path(media), LOOPED, camera))
    return [sys.executable, "-m", "gateway.cli", "aim", "--config", str(config), *options]


@contextmanager
def aiming(folder: Path, media: str) -> Iterator[str]:
    """The page of a running `emobox aim`: its address."""
    port = str(free_port())
    line = command(folder, media, SIGN, "--page", "--port", port, "--seconds", "120")
    with subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            assert "on this box alone" in process.stderr.readline()
            said = next(text for text in process.stderr if text.startswith("open http"))
            yield said.split()[1]
        finally:
            process.terminate()


def test_the_page_shows_the_checks_of_a_face(tmp_path: Path) -> None:
    with aiming(tmp_path, "video_woman") as url:
        with urllib.request.urlopen(url + "/live", timeout=20) as stream:
            list(_lines(stream, 4))  # a face is seen
        shown = browse(url, tmp_path)
    assert re.search(r"✓ size 2\d\d px", shown.text)
    assert "sharpness" in shown.text
    assert shown.tags.count("rect") >= 4
    assert not {"img", "canvas", "video", "image"} & set(shown.tags)


def test_nothing_that_the_page_gets_can_hold_a_picture(tmp_path: Path) -> None:
    with aiming(tmp_path, "video_woman") as url, urllib.request.urlopen(url + "/live", timeout=20) as stream:
        pushed = [json.loads(line[6:]) for line in _lines(stream, 8)]
    for sight in pushed:
        assert len(json.dumps(sight)) < 1200
        assert set(sight) <= {"ok", "checks", "silhouette", "verdict", "seen"}
        assert all(set(row) <= set("#+.") and len(row) == 16 for row in sight["silhouette"])


def _lines(stream: Iterator[bytes], count: int) -> Iterator[bytes]:
    found = (line for line in stream if line.startswith(b"data: "))
    return (next(found) for _ in range(count))


@pytest.mark.parametrize(("media", "status"), [("video_woman", 0), ("video_cartoon", 1)])
def test_the_command_says_pass_or_fail_by_its_exit_status(tmp_path: Path, media: str, status: int) -> None:
    line = command(tmp_path, media, SIGN, "--seconds", "3", "--json")
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    assert json.loads(done.stdout)["ok"] == (status == 0)


def test_without_the_sign_the_command_opens_no_lens(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path, "video_woman", ""), cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "cam-1 stays off: there is no [camera] table" in done.stderr
