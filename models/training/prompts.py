"""Debian's telephone prompts: real speech whose words are known, a woman a language, 8 kHz."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.random import Generator
from tqdm import tqdm

from gateway.voice.engine import RATE
from gateway.voice.phones import PAUSE
from models.training import augment, clips, morph, recordings
from models.training.clips import Bag, Rows, Studio
from models.training.features import Batch, pcm
from models.training.phrases import PROMPTS, trained
from models.training.recordings import Sound
from models.training.utterances import LEAD_S, LOUD, TAIL_S

TEXTS = "/usr/share/doc/asterisk-core-sounds-{0}/core-sounds-{0}.txt.gz"
LINE = re.compile(r"([^:;]+): *(.+)")
UNSPOKEN = re.compile(r"[\[\]<>{}\d]")
"""What is no speech or may be read in several ways."""
KINDS = ("prompts", "prompts, bent")
"""As they were said, and by somebody like the speaker."""


def transcripts(texts: Path) -> Mapping[str, str]:
    """What each prompt says, where it says words only."""
    lines = gzip.decompress(texts.read_bytes()).decode("utf-8").splitlines()
    found = (match.groups() for line in lines if (match := LINE.fullmatch(line)))
    return {name: text for name, text in found if not UNSPOKEN.search(text)}


def places(language: str) -> dict[Path, tuple[str, str]]:
    """Where they are, with language and terms (as `phrases.places`); {} if they or their texts are not."""
    found = PROMPTS.items() if Path(TEXTS.format(language)).is_file() else ()
    return {place: about for place, about in found if about[0] == language and place.is_dir()}


def bags(studio: Studio, language: str) -> list[Bag]:
    """Those that training may use, of each kind in a quiet room and in a shop; none if not installed."""
    found = places(language)
    if not found:
        return []
    (sounds,), texts = found, Path(TEXTS.format(language))
    same = replace(studio, voices=())
    parts = (str(sounds), str(texts), KINDS, LEAD_S, TAIL_S, LOUD)
    return clips.kept(same, f"prompts-{language}", parts, lambda rng: _bags(sounds, texts, language, rng))


def _bags(sounds: Path, texts: Path, language: str, rng: Generator) -> Iterator[Bag]:
    told = transcripts(texts)
    spoken = {name: told[key] for name in trained(sounds) if (key := name.rpartition(".")[0]) in told}
    heard = dict(recordings.read(sounds, list(spoken)))
    said = [f"{PAUSE} {spoken[name]} {PAUSE}" for name in heard]
    others, batch = list(heard.values()), Batch(32)
    views: dict[str, tuple[list[Rows], list[Rows]]] = {kind: ([], []) for kind in KINDS}
    for sound in tqdm(heard.values(), desc=f"prompts ({language})", unit="prompt"):
        for kind, like in zip(KINDS, (sound, morph.another(sound, rng)), strict=True):
            quiet = _padded(like, rng)
            for rows, made in zip(views[kind], (quiet, augment.in_shop(quiet, others, rng)), strict=True):
                rows.append(batch.embed(pcm(made)).astype(np.float16))
    for kind, both in views.items():
        yield from (Bag.of_streams(kind, language, streams, said) for streams in both)


def _padded(sound: Sound, rng: Generator) -> Sound:
    """As a stream of one line."""
    loud = sound / max(1e-6, float(np.abs(sound).max())) * rng.uniform(*LOUD)
    tail = np.zeros(int(TAIL_S * RATE))
    return np.concatenate([augment.silence(LEAD_S, rng), loud, tail]).astype(np.float32)
