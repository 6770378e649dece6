"""The card beside a head: what it hears, how it was made, what it can do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.voice.networks import WINDOW
from gateway.voice.phones import STEPS, Limits
from models.training.calibrate import Calibrated
from models.training.speech import Voice
from models.training.texts import Wanted

BY = "models/training (emobox models train phrase)"
TERMS = {
    "rhvoice": "RHVoice: bdl clb slt anna elena irina aleksandr LGPL-2.1+, aleksandr-hq CC BY-SA 4.0",
    "flite": "flite 2.2, BSD-like",
    "festival": "festival 2.5, BSD-like",
    "espeak": "espeak-ng 1.51, GPL-3.0+",
}
"""Terms of the programs and voices; what they say is not theirs."""
MEASURED = "\n[measured."
ESPEAK = "1.51"


@dataclass(frozen=True)
class Made:
    """How a head was made; `data` is sha256 and terms of recordings by name, `use` what they were."""

    seed: int
    voices: Sequence[Voice]
    data: Mapping[str, tuple[str, str]]
    use: str = "negatives"


def write(path: Path, wanted: Wanted, calibrated: Calibrated, hours: Mapping[str, float], made: Made) -> None:
    """The card as TOML; the head's file lies beside it already."""
    path.write_text("\n".join([*_about(path, wanted), *_hear(calibrated), *_made(hours, made), ""]), "utf-8")


def _about(path: Path, wanted: Wanted) -> Iterator[str]:
    yield "# Written by models/training; do not edit."
    yield f"texts = {_plain(list(wanted.texts))}"
    yield f'language = "{wanted.language}"\nrole = {_plain(wanted.role)}\nrating = {_plain(wanted.rating)}'
    yield f'sha256 = "{digest(path.with_suffix(".tflite"))}"'
    yield 'input = "float32 (1, 16, 96): the last 16 openWakeWord embeddings, 80 ms apart"'
    yield 'output = "float32 (1, 1): score 0 to 1"'
    yield 'licence = "Apache-2.0"'


def _hear(calibrated: Calibrated) -> Iterator[str]:
    yield "\n[hear]\n# lag_s: from the phrase's end to the middle of the scores over the threshold (median)"
    yield f"threshold = {calibrated.threshold}\nlag_s = {calibrated.lag_s}"
    yield "\n[calibrated]\n# What the threshold was chosen by: talk that the judging part never saw."
    yield f"false_accepts = {calibrated.false_accepts}\nhours = {calibrated.hours}"
    yield f"near_miss_share = {calibrated.near_share}\nn_near = {calibrated.n_near}"


def _made(hours: Mapping[str, float], made: Made, by: str = BY) -> Iterator[str]:
    yield f'\n[made]\nby = "{by}"\nseed = {made.seed}'
    yield f"voices = {_plain(_voices(made.voices))}"
    yield f"terms = {_plain([TERMS[name] for name in TERMS if any(v.program == name for v in made.voices)])}"
    if hours:
        yield f"hours = {{ {', '.join(f'{_plain(kind)} = {value:.2f}' for kind, value in hours.items())} }}"
    for name, (sha256, terms) in made.data.items():
        yield f'\n[[made.data]]\nfile = "{name}"\nsha256 = "{sha256}"\nuse = "{made.use}: {terms}"'


def write_context(path: Path, outputs: Sequence[str], limits: Mapping[str, float], made: Made) -> None:
    """The card of a check of the surroundings; its network lies beside it already."""
    lines = [
        *_check(path, "models/training/context.py"),
        f"outputs = {_plain(list(outputs))}",
        f'output = "float32 (1, {len(outputs)}): how much each phrase is said for itself, 0 to 1"',
        "\n[limits]\n# A phrase passes from this score on; those without a limit always do.",
        *(f"{name} = {least}" for name, least in limits.items()),
        *_made({}, made, "models/training/context.py"),
        "",
    ]
    path.write_text("\n".join(lines), "utf-8")


def write_phones(
    path: Path,
    symbols: Sequence[str],
    before: Sequence[str],
    after: Sequence[str],
    polite: Sequence[str],
    phrases: Mapping[str, tuple[Sequence[str], Limits]],
    made: Made,
) -> None:
    """The card of a network that hears phones; its network lies beside it already."""
    lines = [
        *_check(path, "models/training/phones.py"),
        f'output = "float32 (1, {WINDOW}, {STEPS * len(symbols)}): logits, three steps an embedding"',
        f'# A blank, a pause ("|"), and phones as espeak-ng {ESPEAK} writes them.',
        f"symbols = {_plain(list(symbols))}",
        "\n[polite]\n# May be said in the same breath.",
        f"before = {_plain(list(before))}\nafter = {_plain(list(after))}",
        f"# All of them, as a recogniser would write them.\ntexts = {_plain(list(polite))}",
    ]
    for name, (said, limits) in phrases.items():
        lines += [
            f"\n[phrases.{name}]\nsaid = {_plain(list(said))}",
            f"at_once = {limits.at_once}\nlater = {limits.later}\nclear = {limits.clear}",
        ]
    path.write_text("\n".join([*lines, *_made({}, made, "models/training/phones.py"), ""]), "utf-8")


def _check(path: Path, by: str) -> Iterator[str]:
    yield f"# Written by {by}; do not edit."
    yield f'sha256 = "{digest(path.with_suffix(".tflite"))}"'
    yield f'input = "float32 (1, {WINDOW}, 96): the last {WINDOW} openWakeWord embeddings, 80 ms apart"'
    yield 'licence = "Apache-2.0"'


def _voices(voices: Sequence[Voice]) -> list[str]:
    """Natural voices by name, espeak's counted."""
    named = [f"{voice.program} {voice.name}" for voice in voices if voice.program != "espeak"]
    espeaks = sum(voice.program == "espeak" for voice in voices)
    return [*named, f"espeak-ng, {espeaks} accents and variants"] if espeaks else named


def measured(path: Path, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Put tests into the card at `path`, in place of earlier ones: [measured.<name>] with plain values."""
    text = path.read_text("utf-8").split(MEASURED)[0].rstrip("\n") + "\n"
    for name, table in tables.items():
        text += f"{MEASURED}{name}]\n" + "".join(f"{key} = {_plain(v)}\n" for key, v in table.items())
    path.write_text(text, "utf-8")


def digest(path: Path) -> str:
    """sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _plain(value: object) -> str:
    """A string, number or list as TOML."""
    return json.dumps(value, ensure_ascii=False)
