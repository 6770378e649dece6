"""What happens in the demo's shop: who stands before the camera, how they are asked, what they answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from demo.sound import phrase_s
from demo.video import Kind, Segment

ASK = "rate-visit"
LEAD_S = 6.0  # until camera and microphone both run
SCENE_S = 6.0  # bursts are 5 s apart at least
VOICE_SLACK_S = 3.0  # the sound may start that much before or after the video
ANSWER_S = 2.0
TAIL_S = 4.0

Answer = Literal["top", "middle", "low", "super", "normal", "could-be-better", "cancel", "nothing"]
KEY = {"top": 1, "middle": 2, "low": 3}


@dataclass(frozen=True)
class Scene:
    """One customer; `spoken` asks by phrase, else the keyfob asks. `at_s` counts from the video's start."""

    face: Kind
    answer: Answer
    spoken: bool = False
    at_s: float = 0.0

    @property
    def by_voice(self) -> bool:
        """Whether its moments are the sound's, not the video's."""
        return self.spoken or self.answer in ("super", "normal", "could-be-better")


PLAY = (
    Scene("smile", "top"),
    Scene("neutral", "top"),
    Scene("empty", "top"),
    Scene("neutral", "low"),
    Scene("smile", "top"),
    Scene("neutral", "nothing"),
    Scene("smile", "super", spoken=True),
    Scene("smile", "normal"),
    Scene("smile", "could-be-better"),
    Scene("neutral", "middle"),
    Scene("smile", "top"),
    Scene("neutral", "cancel"),
    Scene("smile", "nothing"),
)


def scheduled(play: Sequence[Scene] = PLAY) -> list[Scene]:
    """The scenes with their moments; spoken ones stand together, with slack on both sides."""
    at_s, scenes = LEAD_S, []
    for before, scene in zip((None, *play), play, strict=False):
        at_s += VOICE_SLACK_S * (before is not None and before.by_voice != scene.by_voice)
        scenes.append(Scene(scene.face, scene.answer, scene.spoken, at_s))
        at_s += SCENE_S
    return scenes


def length_s(scenes: Sequence[Scene]) -> float:
    """How long the whole play takes."""
    return scenes[-1].at_s + SCENE_S + TAIL_S


def segments(scenes: Sequence[Scene]) -> list[Segment]:
    """What the camera is shown: each face from a little before its scene to the next."""
    ends = [*(scene.at_s - 0.5 for scene in scenes[1:]), length_s(scenes) + 30]
    starts = [0.0, *ends[:-1]]
    return [Segment(scene.face, end - start) for scene, start, end in zip(scenes, starts, ends, strict=True)]


def phrases(scenes: Sequence[Scene]) -> Iterator[tuple[float, str]]:
    """(start second, phrase id) of everything that is said, counted from the sound's start."""
    for scene in scenes:
        if scene.spoken:
            yield scene.at_s - phrase_s(ASK), ASK
        if scene.by_voice and scene.answer not in KEY:
            yield scene.at_s + ANSWER_S - 0.5, scene.answer
