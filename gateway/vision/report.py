"""`emobox vision VIDEO --json`: what the camera process would see in a file.

    {"video": "a.mp4", "fps": 5.0, "seconds": 12.4,
     "frames": [{"t": 0.2, "faces": [{"track", "smile", "px", "yaw", "ok", "emotion"}]}],
     "per_second": [{"second": 0, "faces": 1, "readings": 5, "ok": 5, "smile": 0.93}]}

`t` is in seconds since the file's start; the fields of a face are those of a `face` event. Of a second:
`faces` is the number of tracks, `readings` and `ok` those of readings and of readings that are ok, `smile`
the mean over the latter (null without any).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from gateway.vision.capture import Capture, EndOfVideoError
from gateway.vision.faces import Face, Image
from gateway.vision.pipeline import Pipeline, load_pipeline

FPS = 5.0


@dataclass(frozen=True)
class Seen:
    """The faces of one sampled frame; `time_s` since the file's start."""

    time_s: float
    faces: tuple[Face, ...]


def vision_file(video: Path, fps: float = FPS, *, show: bool = False) -> dict[str, Any]:
    """The report above; `show`: a progress bar. Raises VideoError, FetchError, ModelError."""
    sight = Capture(str(video))
    sight.open()  # before a bar is shown, or a model fetched
    sight.close()
    seen = list(tqdm(readings(video, fps), desc=video.name, unit="frame", disable=not show))
    return {
        "video": video.name,
        "fps": fps,
        "seconds": round(seen[-1].time_s, 3) if seen else 0.0,
        "frames": [{"t": round(s.time_s, 3), "faces": [face.fields() for face in s.faces]} for s in seen],
        "per_second": [_second(n, seen) for n in range(int(seen[-1].time_s) + 1)] if seen else [],
    }


def readings(video: Path, fps: float = FPS, pipeline: Pipeline | None = None) -> Iterator[Seen]:
    """The faces of a file's frames, `fps` a second, as fast as they can be computed."""
    pipeline = pipeline or load_pipeline()
    for time_s, image in sampled(video, fps):
        yield Seen(time_s, tuple(pipeline.see(image, time_s)))


def sampled(video: Path, fps: float) -> Iterator[tuple[float, Image]]:
    """Time (s) and picture of `fps` frames a second of a file."""
    capture, due_s = Capture(str(video), paced=False), 0.0
    capture.open()
    try:
        while True:
            time_s = capture.grab()
            if time_s >= due_s - 1e-3:
                due_s = max(due_s + 1 / fps, time_s)
                yield time_s, capture.image()
    except EndOfVideoError:
        return
    finally:
        capture.close()


def _second(number: int, seen: list[Seen]) -> dict[str, Any]:
    faces = [face for s in seen if int(s.time_s) == number for face in s.faces]
    ok = [face.smile for face in faces if face.ok]
    return {
        "second": number,
        "faces": len({face.track for face in faces}),
        "readings": len(faces),
        "ok": len(ok),
        "smile": round(sum(ok) / len(ok), 3) if ok else None,
    }


def lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for a person."""
    for second in report["per_second"]:
        smile = "no face" if second["smile"] is None else f"smile {second['smile']:.2f}"
        yield f"{second['second']:5d} s  {smile:<12} faces {second['faces']}  readings {second['readings']}"
    yield f"{report['seconds']:.1f} s of {report['video']} at {report['fps']:g} looks a second"
