"""False accepts of the shipped heads on any sound: `python -m models.training.check FOLDER [--note TEXT]`.

With `--note` (what the sound is) the result goes into the cards; use only sound that had no part in training.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from gateway.voice.audio import frames_of
from gateway.voice.engine import FRAME_S, Engine, Samples
from gateway.voice.phrases import catalogue
from gateway.voice.spotter import Spotted, Spotter
from models.training import cards, clips

GAP = np.zeros(6400, np.int16)
KINDS = (".wav", ".flac", ".mp3", ".ogg")


def main(arguments: Sequence[str] | None = None) -> int:
    """Listen to all of it as one stream, print every event, sum up."""
    options = _options(arguments)
    phrases = list(catalogue().values())
    engine, spotter = Engine({phrase.id: phrase.head for phrase in phrases}), Spotter(phrases)
    files = sorted(file for file in options.folder.rglob("*") if file.suffix in KINDS)
    frames, counts = 0, Counter[str]()
    for file in tqdm(files, unit="file"):
        for sound in frames_of(np.concatenate([_samples(file), GAP])):
            frames += 1
            counts.update(_names(spotter.push(frames * FRAME_S, engine.push(sound) or {}), file))
    hours = frames * FRAME_S / 3600
    print(f"{hours:.2f} h of {len(files)} files: {dict(counts) or 'no phrase'}")
    for phrase in phrases if options.note else ():
        cards.add_check(phrase.head.with_suffix(".toml"), hours, counts[phrase.id], options.note)
    return 0


def _names(event: Spotted | None, file: Path) -> Iterator[str]:
    if event:
        tqdm.write(f"{event.id} {event.score:.2f} {file}")
        yield event.id


def _samples(file: Path) -> Samples:
    return (clips.decode(file.read_bytes()) * 32767).astype(np.int16)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.check", description=__doc__)
    parser.add_argument("folder", type=Path, help="sound files of any format that ffmpeg reads")
    parser.add_argument(
        "--note", default="", help="what the sound is; written into the cards with the result"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
