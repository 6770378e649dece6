"""`emobox vision VIDEO --json`, and the demo's video as the pipeline sees it."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.video import Segment, make_video
from gateway.cli import main
from gateway.vision.capture import VideoError
from gateway.vision.faces import Face
from gateway.vision.report import Seen, readings, vision_file


@pytest.fixture(scope="module")
def seen(shop_video: Path) -> list[Seen]:
    return list(readings(shop_video))


def by_segment(seen: list[Seen], schedule: Sequence[Segment]) -> list[tuple[Segment, list[Face]]]:
    """The faces of each segment."""
    found, start = [], 0.0
    for segment in schedule:
        end = start + segment.seconds
        inside = [s for s in seen if start - 0.01 <= s.time_s < end - 0.01]
        found.append((segment, [face for s in inside for face in s.faces]))
        start = end
    return found


def test_the_demos_customers_smile_and_do_not_as_scheduled(
    seen: list[Seen], schedule: Sequence[Segment]
) -> None:
    for segment, faces in by_segment(seen, schedule):
        if segment.kind == "empty":
            assert not faces
        else:
            assert len(faces) == segment.seconds * 5
            assert all(face.ok and face.px >= 120 and abs(face.yaw) <= 20 for face in faces)
            assert all(face.smile >= 0.8 if segment.kind == "smile" else face.smile <= 0.2 for face in faces)


def test_each_of_the_demos_customers_is_one_track(seen: list[Seen], schedule: Sequence[Segment]) -> None:
    tracks = [{face.track for face in faces} for segment, faces in by_segment(seen, schedule)]
    assert tracks == [set(), {0}, {0}, set(), {1}, {1}]


def test_the_report_is_json_with_a_smile_for_every_second(shop_video: Path) -> None:
    report = json.loads(json.dumps(vision_file(shop_video)))
    assert report["video"] == "shop.mp4"
    assert report["fps"] == 5
    assert len(report["frames"]) == 80
    assert [second["second"] for second in report["per_second"]] == list(range(16))
    assert report["per_second"][0] == {"second": 0, "faces": 0, "readings": 0, "ok": 0, "smile": None}
    assert report["per_second"][2]["smile"] <= 0.2
    assert report["per_second"][6]["smile"] >= 0.8
    assert report["per_second"][6]["readings"] == 5


def test_the_report_of_a_missing_file_is_a_plain_error() -> None:
    with pytest.raises(VideoError, match="is missing; check the path"):
        vision_file(Path("/no/such.mp4"))


@pytest.mark.parametrize("text", [None, "no video"])
def test_no_progress_is_shown_of_a_file_that_is_no_video(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str | None
) -> None:
    path = tmp_path / "no.mp4"
    if text:
        path.write_text(text)
    assert main(["vision", str(path)]) == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "frame/s" not in said
    assert str(path) in said


def test_a_video_that_cannot_be_written_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="check that its folder exists"):
        make_video(tmp_path / "nowhere" / "a.mp4", [Segment("empty", 1)])
