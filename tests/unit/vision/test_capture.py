"""Sources: files at their own speed, plain words for everything that is missing."""

import contextlib
import time
from pathlib import Path

import pytest

from gateway.vision.capture import Capture, EndOfVideoError, VideoError, shown
from models import fetch


def times(capture: Capture) -> list[float]:
    """Times of all frames until the end."""
    found: list[float] = []
    capture.open()
    with contextlib.suppress(EndOfVideoError):
        while True:
            found.append(capture.grab())
    capture.close()
    return found


def test_a_file_is_read_as_fast_as_asked_with_times_since_its_start() -> None:
    found = times(Capture(str(fetch.path("video_man")), paced=False))
    assert found[0] == 0.0
    assert 6.2 <= found[-1] <= 6.5


def test_a_paced_file_plays_at_its_own_speed_on_the_monotonic_clock() -> None:
    video = str(fetch.path("video_cartoon"))
    start = time.monotonic()
    found = times(Capture(video))
    assert time.monotonic() - start == pytest.approx(3.9, abs=0.4)
    assert found[0] == pytest.approx(start, abs=0.3)
    assert found[-1] == pytest.approx(time.monotonic(), abs=0.2)


def test_a_looped_file_starts_again_and_its_time_runs_on() -> None:
    capture = Capture(str(fetch.path("video_cartoon")), paced=False, loop=True)
    capture.open()
    found = [capture.grab() for _ in range(250)]
    assert found == sorted(found)
    assert found[-1] > 8
    capture.close()


def test_a_missing_file_is_named() -> None:
    with pytest.raises(VideoError, match=r"video file /no/such\.mp4 is missing; check the path"):
        Capture("/no/such.mp4").open()


def test_a_file_that_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(VideoError, match="is no video that can be read"):
        Capture(str(tmp_path / "a.mp4")).open()


def test_a_camera_that_is_not_there_is_named() -> None:
    with pytest.raises(VideoError, match="camera 63 does not answer; check the cable"):
        Capture("63").open()


def test_an_address_that_does_not_answer_is_named_without_its_password(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(VideoError) as caught:
        Capture("rtsp://till:s3cret@127.0.0.1:9/stream").open()
    assert "rtsp://127.0.0.1:9/stream does not answer" in str(caught.value)
    assert "s3cret" not in str(caught.value) + "".join(capfd.readouterr())


@pytest.mark.parametrize("password", ["s3cret", "s3/cret", "s3@cret", "s3@/c:r/e@t", "s3 cret", "s3?cret#"])
def test_no_part_of_a_password_is_shown_whatever_is_in_it(password: str) -> None:
    assert shown(f"rtsp://till:{password}@10.0.0.5/live") == "rtsp://10.0.0.5/live"


def test_an_address_without_password_is_shown_as_it_is() -> None:
    assert shown("http://10.0.0.5/a/b.mjpg") == "http://10.0.0.5/a/b.mjpg"
