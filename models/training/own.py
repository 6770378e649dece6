"""`emobox models train phrase`: a head for a shop's own phrase, on its own machine, in some minutes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gateway.indices.intervals import wilson
from models.training import calibrate, cards, clips, heads, learn, recordings, speech, texts
from models.training.clips import FULL, Bag, Size, Studio
from models.training.phrases import CACHE, SEED, Made, make, save
from models.training.speech import SpeechError, Voice
from models.training.texts import Wanted

VOWELS = {"en": "aeiouy", "ru": "аеёиоуыэюя"}
FEWEST_SYLLABLES, GOOD_SYLLABLES = 2, 4
RATINGS = ("top", "middle", "low")
SPLIT = 3
"""Every third recording, and every third voice, is kept out to see how strangers are heard."""
OTHER = Size(0, 0, 0, 0, 0, 0, 1, 250, 150, 0)
"""Talk of the other language: espeak alone, for it is quick."""


class PhraseError(ValueError):
    """The order cannot be carried out; the text says what is allowed."""


@dataclass(frozen=True)
class Order:
    """What a shop asks for."""

    wanted: Wanted
    recordings: Path | None = None
    negatives: Path | None = None
    out: Path = Path("phrases")
    cache: Path = CACHE
    size: Size = FULL


def order(name: str, language: str, said: Sequence[str], role: str, rating: str) -> Wanted:
    """The checked phrase. Raises PhraseError, SpeechError (unknown language)."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise PhraseError(
            f"id {name!r}: allowed are lower-case letters, digits and single hyphens, as in rate-visit"
        )
    if language not in VOWELS:
        raise SpeechError(f"language {language!r} is not known; allowed are {', '.join(sorted(VOWELS))}")
    if (role == "rating") != bool(rating):
        raise PhraseError(f"role rating needs a rating ({', '.join(RATINGS)}), and other roles have none")
    for text in said:
        _check(text, language)
    return Wanted(name, language, role, rating, tuple(" ".join(text.split()) for text in said))


def _check(text: str, language: str) -> None:
    if re.search(rf"[^{texts.ALPHABETS[language]}\s,.!?'-]", text):
        raise PhraseError(f"{text!r}: write it in the letters of {language!r}, numbers as words")
    if syllables(text, language) < FEWEST_SYLLABLES:
        raise PhraseError(
            f"{text!r} is too short to be told from other talk; give at least two syllables, better four"
        )


def syllables(text: str, language: str) -> int:
    """About so many: groups of vowels (English), vowels (Russian)."""
    group = "+" if language == "en" else ""
    return len(re.findall(f"[{VOWELS[language]}]{group}", text.lower()))


def train(given: Order) -> dict[str, Any]:
    """Synthesise, augment, mine, train, calibrate and write; the report, JSON-ready. Progress on stderr.

    Raises SpeechError, RecordingError.
    """
    wanted = given.wanted
    voices = speech.installed(wanted.language)
    studio = Studio(voices, given.cache, given.size, SEED)
    talk = clips.some_talk(studio, wanted.language)
    own, kept_out = _recordings(given, studio, talk)
    spoken = clips.positives(studio, wanted, talk)
    negatives = [
        clips.near(studio, wanted, talk),
        *clips.shared(studio, wanted.language),
        *clips.scraps(studio, wanted.language, talk),
        *_other(studio, wanted),
    ]
    negatives += _negatives(given, studio)
    made = make(wanted, [spoken, *own, *negatives], studio.size)
    card = save(made, studio, given.out, {})
    strangers = _strangers(made, spoken, negatives, studio)
    cards.measured(card, {"strangers": strangers} | ({"own": _own(made, kept_out)} if kept_out else {}))
    return _report(made, card, voices, strangers, _own(made, kept_out) if kept_out else None, given)


def _other(studio: Studio, wanted: Wanted) -> list[Bag]:
    """Talk of the other language, where espeak is there to say it."""
    language = next(name for name in VOWELS if name != wanted.language)
    voices = [v for v in speech.installed(language) if v.program == "espeak"]
    if not voices or studio.size != FULL:
        return []
    return clips.shared(replace(studio, voices=voices, size=OTHER), language)[:1]


def _negatives(given: Order, studio: Studio) -> list[Bag]:
    if given.negatives is None:
        return []
    sounds = [sound for _, sound in recordings.read(given.negatives, recordings.names(given.negatives))]
    rng = studio.generator("negatives")
    return [clips.streams("real", given.wanted.language, [s for s in sounds if len(s)], studio, rng)]


def _recordings(given: Order, studio: Studio, talk: Sequence[speech.Sound]) -> tuple[list[Bag], Bag | None]:
    """The shop's recordings of the phrase, split by file: those to train on, those to test on."""
    if given.recordings is None:
        return [], None
    names = recordings.names(given.recordings)
    sounds = [speech.trim(sound) for _, sound in recordings.read(given.recordings, names)]
    tested = sounds[::SPLIT] if len(sounds) >= SPLIT else []
    trained = [sound for number, sound in enumerate(sounds) if number % SPLIT or not tested]
    bags = [clips.recordings(studio, given.wanted, trained, talk)]
    return bags, clips.recordings(studio, given.wanted, tested, talk) if tested else None


def _strangers(made: Made, spoken: Bag, negatives: Sequence[Bag], studio: Studio) -> dict[str, Any]:
    """How a head that never heard a third of the voices hears them, in a shop's noise and rooms."""
    held = held_out(studio.voices)
    known, strange = _split(spoken, held)
    partial = make(made.wanted, [known, *negatives], studio.size)
    return {"voices": sorted(held)} | _recall(partial, strange)


def held_out(voices: Sequence[Voice]) -> set[str]:
    """Every third natural speaker and every third accent of espeak."""
    speakers = dict.fromkeys(voice.speaker for voice in voices)
    natural = [name for name in speakers if not name.startswith("espeak")]
    accents = [name for name in speakers if name.startswith("espeak")]
    return {*natural[1::SPLIT], *(accents[1::SPLIT] if len(accents) > 1 else accents if natural else [])}


def _split(bag: Bag, held: set[str]) -> tuple[Bag, Bag]:
    """The clips of other speakers, and of `held` (or every third clip where that is none)."""
    strange = np.array([name in held for name in bag.speakers])
    if not strange.any() or strange.all():
        strange = np.arange(len(bag.speakers)) % SPLIT == 0
    return clips.some(bag, np.flatnonzero(~strange)), clips.some(bag, np.flatnonzero(strange))


def _own(made: Made, kept_out: Bag) -> dict[str, Any]:
    return {"files": len(set(kept_out.speakers))} | _recall(made, kept_out)


def _recall(made: Made, bag: Bag) -> dict[str, Any]:
    """Share of the clips of `bag` that the head hears."""
    windows = learn.windows_of(made.wanted.id, made.wanted.texts, [bag])
    every = np.arange(len(windows.last))
    best = calibrate.best_by_clip(learn.scores(made.head, windows, every), windows.clip)
    hits = int((best >= made.calibrated.threshold).sum())
    low, high = wilson(hits, len(best))
    return {"recall": round(hits / len(best), 3), "n": len(best), "interval": [round(low, 3), round(high, 3)]}


def _report(
    made: Made, card: Path, voices: Sequence[Voice], strangers: Mapping[str, Any], own: object, given: Order
) -> dict[str, Any]:
    wanted = made.wanted
    short = min(syllables(text, wanted.language) for text in wanted.texts)
    found = made.calibrated
    return {
        "id": wanted.id,
        "head": str(card.with_suffix(".tflite")),
        "card": str(card),
        "threshold": found.threshold,
        "strangers": dict(strangers),
        "own_recordings": own,
        "false_accepts_per_hour": round(found.false_accepts / max(found.hours, 1e-9), 3),
        "hours": found.hours,
        "negatives": "synthetic talk" + (f" and {given.negatives}" if given.negatives else ""),
        "voices": len(voices),
        "verdict": verdict(strangers["recall"], short),
        "advice": speech.advice(wanted.language, voices),
    }


def verdict(recall: float, syllable_count: int) -> str:
    """One plain sentence."""
    misses = (
        "almost none is missed" if recall >= 0.97 else f"expect one miss in {max(2, round(1 / (1 - recall)))}"
    )
    if syllable_count < GOOD_SYLLABLES:
        return f"short ({syllable_count} syllables): {misses}; a phrase of four syllables and more is safer"
    if recall >= 0.85:
        return f"good: {misses} from strangers in a shop's noise"
    return f"usable: {misses}; more voices or --recordings of your own staff help"


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report for a person."""
    strangers, own = report["strangers"], report["own_recordings"]
    yield f"{report['head']} (threshold {report['threshold']})"
    yield f"verdict: {report['verdict']}"
    names = ", ".join(strangers["voices"])
    yield f"voices kept out, in noise: {strangers['recall']:.0%} of {strangers['n']} ({names})"
    if own:
        yield f"your recordings kept out: {own['recall']:.0%} of {own['n']} scenes of {own['files']} files"
    yield (
        f"false accepts: {report['false_accepts_per_hour']} per hour in {report['hours']:.1f} h of "
        f"{report['negatives']} (the threshold was chosen on it; expect more in your shop)"
    )
    if report["advice"]:
        yield report["advice"]


__all__ = ["Order", "PhraseError", "heads", "lines", "order", "train"]
