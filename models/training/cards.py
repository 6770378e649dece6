"""What a head can do, measured on speakers it never heard, and its card beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.voice.engine import FRAME_S, WARM_UP_FRAMES
from gateway.voice.phrases import Phrase
from gateway.voice.spotter import Spotted, Spotter
from models.training import clips
from models.training.clips import Clip

THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Not below 0.5: two hours of negatives are too few to say that a lower one is safe."""
FALSE_ACCEPTS_PER_H = 0.5
NEAR_MISS_SHARE = 0.03
LATEST_S = 0.5
"""An event this far from the phrase's end is not a recall."""
UNTRIED = "Recall on synthetic voices only; real shop speech not tried."
VOICES = "espeak-ng (7 accents x 12 variants), flite kal16 awb rms slt, festival kal ked, RHVoice bdl clb slt"
DATA_TERMS = {
    "librispeech_train.zip": "negatives: read English, LibriSpeech, CC BY 4.0",
    "commonvoice_other_languages.zip": "negatives: Common Voice cs, pl, de, tt, CC0",
}

Scores = Mapping[str, NDArray[np.float32]]
Track = tuple[Clip, dict[str, NDArray[np.float32]]]


@dataclass(frozen=True)
class Measured:
    """Figures of one head; shares are 0…1, `n_` their denominators."""

    threshold: float
    lag_s: float
    recall_clean: float
    n_clean: int
    recall_shop: float
    n_shop: int
    recall_by_voice: dict[str, float]
    end_error_p90_s: float
    near_miss_share: float
    n_near: int
    other_phrase_share: float
    n_other: int
    false_accepts: int
    false_accept_hours: float


def measure(every: Sequence[Clip], owner: NDArray[np.int64], scores: Scores) -> dict[str, Measured]:
    """Thresholds, lags and figures of all heads from held-out scores by window; `owner`: a window's clip."""
    tracks = list(_tracks(every, owner, scores))
    tuned = {name: _tune(name, tracks) for name in scores}
    heard = [(clip, _events(list(tuned.values()), per_head)) for clip, per_head in tracks]
    return {name: _figures(phrase, heard) for name, phrase in tuned.items()}


def _tracks(every: Sequence[Clip], owner: NDArray[np.int64], scores: Scores) -> Iterator[Track]:
    starts = np.searchsorted(owner, np.arange(len(every) + 1))
    for clip, start, end in zip(every, starts[:-1], starts[1:], strict=True):
        yield clip, {name: values[start:end] for name, values in scores.items()}


def _events(phrases: Sequence[Phrase], per_head: Scores) -> list[Spotted]:
    """What the spotter makes of a clip."""
    if not any(values.size and values.max() >= p.threshold for p in phrases for values in [per_head[p.id]]):
        return []
    spotter, out = Spotter(phrases), []
    for number in range(len(per_head[phrases[0].id])):
        now_s = (WARM_UP_FRAMES + number + 1) * FRAME_S
        out.append(spotter.push(now_s, {phrase.id: float(per_head[phrase.id][number]) for phrase in phrases}))
    return [event for event in [*out, spotter.flush()] if event]


def _tune(name: str, tracks: Sequence[Track]) -> Phrase:
    """The lowest threshold that real speech and near misses pass seldom enough; the lag that goes with it."""
    threshold = next((t for t in THRESHOLDS if _is_strict_enough(name, t, tracks)), THRESHOLDS[-1])
    own = [(clip, per_head) for clip, per_head in tracks if clip.kind == name]
    late = [
        event.end_s - (clip.end_s or 0.0)
        for clip, per_head in own
        for event in _events([_phrase(name, threshold, 0.0)], per_head)
    ]
    return _phrase(name, threshold, round(float(np.median(late)), 3))


def _phrase(name: str, threshold: float, lag_s: float) -> Phrase:
    return Phrase(name, "", "", "", Path(), threshold, lag_s)


def _is_strict_enough(name: str, threshold: float, tracks: Sequence[Track]) -> bool:
    alone = [_phrase(name, threshold, 0.0)]
    real = [len(_events(alone, per_head)) for clip, per_head in tracks if clip.kind == "real"]
    near = [bool(_events(alone, per_head)) for clip, per_head in tracks if clip.kind == "near"]
    hours = _hours(clip for clip, _ in tracks)
    return sum(real) <= FALSE_ACCEPTS_PER_H * hours and sum(near) <= NEAR_MISS_SHARE * len(near)


def _hours(every: Iterator[Clip] | Sequence[Clip]) -> float:
    return sum(len(clip.embeddings) for clip in every if clip.kind == "real") * FRAME_S / 3600


def _figures(phrase: Phrase, heard: Sequence[tuple[Clip, list[Spotted]]]) -> Measured:
    own = [
        (clip, error)
        for clip, events in heard
        if clip.kind == phrase.id
        for error in [_error(phrase, clip, events)]
    ]
    errors = [abs(error) for _, error in own if error is not None]
    hits = {key: [e is not None for c, e in own if c.clean == key] for key in (True, False)}
    fired = {kind: _fired(phrase.id, heard, kind) for kind in ("near", "other", "real")}
    return Measured(
        threshold=phrase.threshold,
        lag_s=phrase.lag_s,
        recall_clean=_share(hits[True]),
        n_clean=len(hits[True]),
        recall_shop=_share(hits[False]),
        n_shop=len(hits[False]),
        recall_by_voice={
            v: _share([e is not None for c, e in own if c.speaker == v]) for v in _speakers(own)
        },
        end_error_p90_s=round(float(np.percentile(errors, 90)), 3),
        near_miss_share=_share([count > 0 for count in fired["near"]]),
        n_near=len(fired["near"]),
        other_phrase_share=_share([count > 0 for count in fired["other"]]),
        n_other=len(fired["other"]),
        false_accepts=sum(fired["real"]),
        false_accept_hours=round(_hours([clip for clip, _ in heard]), 3),
    )


def _error(phrase: Phrase, clip: Clip, events: Sequence[Spotted]) -> float | None:
    """How far the event is from the phrase's end, s; None when it was missed."""
    late = [event.end_s - (clip.end_s or 0.0) for event in events if event.id == phrase.id]
    return next((error for error in late if abs(error) <= LATEST_S), None)


def _fired(name: str, heard: Sequence[tuple[Clip, list[Spotted]]], kind: str) -> list[int]:
    """Events `name` in each clip that has none: near misses, other phrases or real speech."""
    others = set(clips.texts()) - {name} if kind == "other" else {kind}
    return [sum(event.id == name for event in events) for clip, events in heard if clip.kind in others]


def _speakers(own: Sequence[tuple[Clip, float | None]]) -> list[str]:
    return sorted({clip.speaker for clip, _ in own})


def _share(values: Sequence[bool]) -> float:
    return round(sum(values) / max(1, len(values)), 3)


def hashes(folder: Path | None) -> dict[str, str]:
    """sha256 of the recordings that were used, by file name."""
    if folder is None:
        return {}
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in clips.REAL_ARCHIVES}


def write(path: Path, name: str, measured: Measured, seed: int, data: Mapping[str, str]) -> None:
    """The card of head `name` as TOML; the head's file lies beside it already."""
    path.write_text(
        "\n".join([*_about(path, name), *_hear(measured), *_accuracy(measured), *_made(seed, data), ""])
    )


def add_check(path: Path, hours: float, events: int, folder: str) -> None:
    """Append what the shipped head did on sound that had no part in its making."""
    with path.open("a") as card:
        card.write(f'\n[independent]\nsound = "{folder}"\nhours = {hours:.3f}\nfalse_accepts = {events}\n')


def _about(path: Path, name: str) -> Iterator[str]:
    phrase = clips.texts()[name]
    yield "# Written by models/training/phrases.py; do not edit."
    yield f"texts = {_list(phrase['texts'])}"
    yield f'language = "en"\nrole = "{phrase["role"]}"\nrating = "{phrase["rating"]}"'
    yield f'sha256 = "{hashlib.sha256(path.with_suffix(".tflite").read_bytes()).hexdigest()}"'
    yield 'input = "float32 (1, 16, 96): the last 16 openWakeWord embeddings, 80 ms apart"'
    yield 'output = "float32 (1, 1): score 0 to 1"'
    yield 'licence = "Apache-2.0"'


def _hear(measured: Measured) -> Iterator[str]:
    yield "\n[hear]\n# lag_s: from the phrase's end to the middle of the scores over the threshold (median)"
    yield f"threshold = {measured.threshold}\nlag_s = {measured.lag_s}"


def _accuracy(measured: Measured) -> Iterator[str]:
    yield "\n[measured]"
    yield "# On speakers that the measured head never heard (three folds by speaker), all heads competing."
    yield f'note = "{UNTRIED}"'
    for key in (
        "recall_clean",
        "n_clean",
        "recall_shop",
        "n_shop",
        "end_error_p90_s",
        "near_miss_share",
        "n_near",
    ):
        yield f"{key} = {getattr(measured, key)}"
    yield f"other_phrase_share = {measured.other_phrase_share}\nn_other = {measured.n_other}"
    yield "# real read speech (en, cs, pl, de, tt), each recording once as it is and once noisy;"
    yield "# the threshold was chosen on it, so this is the best case: see [independent]"
    yield f"false_accepts = {measured.false_accepts}\nfalse_accept_hours = {measured.false_accept_hours}"
    yield f"false_accepts_per_h = {round(measured.false_accepts / max(1e-9, measured.false_accept_hours), 3)}"
    yield "\n[measured.recall_by_voice]"
    yield from (f"{voice} = {recall}" for voice, recall in measured.recall_by_voice.items())


def _made(seed: int, data: Mapping[str, str]) -> Iterator[str]:
    yield f'\n[made]\nby = "models/training/phrases.py"\nseed = {seed}\nvoices = "{VOICES}"'
    for file, digest in data.items():
        yield f'\n[[made.data]]\nfile = "{file}"\nsha256 = "{digest}"\nuse = "{DATA_TERMS[file]}"'


def _list(values: object) -> str:
    return str(list(values) if isinstance(values, list) else []).replace("'", '"')
