"""Scenes of answers in their surroundings, as embeddings: what the check of context.py learns from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.random import Generator
from tqdm import tqdm

from gateway.voice.engine import FRAME_S, RATE
from models.training import augment, carriers, clips, morph, speech
from models.training.carriers import Spoken
from models.training.clips import Bag, Studio
from models.training.features import Batch, pcm
from models.training.speech import Saying, Sound, Voice
from models.training.texts import Wanted

FRAMES = 68
SECONDS = FRAMES * FRAME_S
AFTER_S = (0.9, 1.3)
"""Sound after the last word of a scene."""
PAUSES_S = {"polite": (0.05, 0.5), "turned": (0.0, 0.3)}
STRANGER_S = (0.35, 1.2)
"""Before somebody else speaks."""
STRANGER_SHARE = 0.35
OFF_SHARE = 0.3
"""The recording begins shortly before the words."""
COPIES = 2
TURNED = "turned"
"""The kind of sentences that hold an answer and are none."""
SAID = {"top": (200, 480), "middle": (150, 200), "low": (150, 160)}
"""Answers, and sentences that are none, for each phrase of a rating."""


def bags(studio: Studio, wanted: Wanted, talk: Sequence[Sound]) -> list[Bag]:
    """Answers (kind: the phrase's id) and sentences that are none ("turned"), in scenes."""
    parts = (carriers.table(wanted.language), wanted, SAID[wanted.rating], COPIES, FRAMES, AFTER_S)
    return clips.kept(studio, f"{wanted.id}-context", parts, lambda rng: _bags(studio, wanted, talk, rng))


def _bags(studio: Studio, wanted: Wanted, talk: Sequence[Sound], rng: Generator) -> Iterator[Bag]:
    answers, others = SAID[wanted.rating]
    yield _scenes(studio, wanted, wanted.id, carriers.polite(wanted, answers, rng), talk, rng)
    yield _scenes(studio, wanted, TURNED, carriers.turned(wanted, others, rng), talk, rng)


def _scenes(
    studio: Studio, wanted: Wanted, kind: str, said: Sequence[Spoken], talk: Sequence[Sound], rng: Generator
) -> Bag:
    batch, rows, ends_s, names, speakers = Batch(FRAMES), [], [], [], []
    for spoken in tqdm(said, desc=f"{wanted.id}, {kind}: speak and listen", unit="text"):
        voice = speech.draw(studio.voices, rng)
        sounds = [speech.say(what, studio.cache / "speech") for what in sayings(spoken, voice, rng)]
        for _ in range(COPIES):
            sound, end_s = scene(sounds, spoken, wanted.language, studio, talk, rng)
            rows.append(batch.embed(pcm(sound)).astype(np.float16))
            ends_s.append(end_s)
            names.append(" ".join(spoken.pieces))
            speakers.append(voice.speaker)
    starts = np.arange(len(rows)) * FRAMES
    return Bag(kind, wanted.language, np.concatenate(rows), starts, np.array(ends_s), names, speakers)


def sayings(spoken: Spoken, voice: Voice, rng: Generator) -> list[Saying]:
    """Every piece by one voice at one pace and pitch."""
    first = speech.saying(spoken.pieces[0], voice, rng)
    return [first, *(Saying(text, voice, first.rate, first.pitch) for text in spoken.pieces[1:])]


def scene(
    sounds: Sequence[Sound],
    spoken: Spoken,
    language: str,
    studio: Studio,
    talk: Sequence[Sound],
    rng: Generator,
) -> tuple[Sound, float]:
    """The pieces in a shop, SECONDS long, and when the answer ends (NaN without one)."""
    parts, end = _in_a_row(sounds, spoken, rng)
    if spoken.phrase is not None:
        parts, end = _with_strangers(parts, end, language, studio, rng)
    parts = np.concatenate([parts, augment.silence(AFTER_S, rng)])
    cut = len(parts) - int(SECONDS * RATE)
    made = parts[cut:] if cut > 0 else np.concatenate([np.zeros(-cut, np.float32), parts])
    heard = augment.in_shop(made, talk, rng)
    if cut < 0 and rng.random() < OFF_SHARE:
        heard[: max(0, -cut - int(rng.uniform(0.05, 0.8) * RATE))] = 0
    return heard, (end - cut) / RATE if spoken.phrase is not None else np.nan


def _in_a_row(sounds: Sequence[Sound], spoken: Spoken, rng: Generator) -> tuple[Sound, int]:
    """Pieces with pauses between them, by somebody like the speaker; where the answer ends, in samples."""
    low, high = PAUSES_S["turned" if spoken.phrase is None else "polite"]
    out, end = np.zeros(0, np.float32), 0
    seed = int(rng.integers(1 << 31)) if rng.random() < augment.MORPHED_SHARE else None
    for place, sound in enumerate(sounds):
        said = sound if seed is None else morph.another(sound, np.random.default_rng(seed))
        pause = np.zeros(int(rng.uniform(low, high) * RATE) if place else 0, np.float32)
        out = np.concatenate([out, pause, said])
        end = len(out) if place == spoken.phrase else end
    return out, end


def _with_strangers(
    parts: Sound, end: int, language: str, studio: Studio, rng: Generator
) -> tuple[Sound, int]:
    """Somebody else speaks before, or after, with a pause."""
    lists = carriers.table(language)["others"]
    if rng.random() < STRANGER_SHARE:
        before = np.concatenate([_stranger(lists["before"], studio, rng), augment.silence(STRANGER_S, rng)])
        parts, end = np.concatenate([before, parts]), end + len(before)
    if rng.random() < STRANGER_SHARE:
        parts = np.concatenate(
            [parts, augment.silence(STRANGER_S, rng), _stranger(lists["after"], studio, rng)]
        )
    return parts, end


def _stranger(lines: Sequence[str], studio: Studio, rng: Generator) -> Sound:
    what = Saying(str(rng.choice(list(lines))), speech.draw(studio.voices, rng))
    return np.asarray(speech.say(what, studio.cache / "speech") * rng.uniform(0.3, 1.0), np.float32)
