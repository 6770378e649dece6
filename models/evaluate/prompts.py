"""How phones fare with a real voice: would a phrase pass that they never learnt?

    python -m models.evaluate.prompts --language en --json

Debian's telephone prompts (asterisk-core-sounds-en-wav and -ru-wav: one woman each, 8 kHz) come with their
texts. Those that no training may use and that are as long as an answer are taken as phrases: how far below
"nothing fits better" is each, by gateway/voice/phones.py, and how many would pass the limits of answers, as
far as the ratio goes? There is no recording of real people who answer; this is the nearest. Phrases that were
learnt pass far more often: --voice says the same prompts by a synthetic voice, to compare with. The
networks learnt from the other prompts, by the same women, so it is the words that are new.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from tqdm import tqdm

from gateway.indices.intervals import wilson
from gateway.voice import networks
from gateway.voice.check import APART
from gateway.voice.engine import FRAME, RATE
from gateway.voice.networks import WINDOW
from gateway.voice.phones import PAUSE, Card, Grammar, Word, read_card
from models.training import phones, recordings, speech
from models.training.features import Batch, pcm
from models.training.phrases import HEADS, PROMPTS, trained
from models.training.prompts import TEXTS, transcripts
from models.training.recordings import RecordingError, Sound
from models.training.spelling import spell

SOUNDS = {language: place for place, (language, _) in PROMPTS.items()}
PHONES = (5, 22)
"""As many as answers have."""
LEAD_S, TAIL_S = 0.6, 0.4
SEED = 3
JUDGED_FRAMES = 8
"""A phrase may pass in one of so many."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 2 when the prompts are not installed."""
    options = _options(arguments)
    try:
        found = evaluate(options.sounds, options.texts, options.language, options.voice)
    except speech.SpeechError as error:
        print(error, file=sys.stderr)
        return 2
    except (OSError, RecordingError) as error:
        package = f"asterisk-core-sounds-{options.language}-wav"
        print(f"{error}\nThe prompts come with `sudo apt install {package}`.", file=sys.stderr)
        return 2
    print(json.dumps(found, indent=2) if options.json else "\n".join(_lines(found)))
    return 0


def evaluate(sounds: Path, texts: Path, language: str, voice: str = "") -> dict[str, Any]:
    """Figures of the prompts under `sounds` that training may not use, or of their texts said by `voice`.

    Raises OSError, RecordingError, SpeechError.
    """
    card = read_card(HEADS / f"phones-{language}.toml")
    speaker = speech.named(voice, language) if voice else None
    batch, ratios, counts, rng = Batch(WINDOW), [], [], np.random.default_rng(SEED)
    for text, word, sound in tqdm(list(short(sounds, texts, language, card)), desc="listen", unit="prompt"):
        said = speech.speak(speech.saying(text, speaker, rng)) if speaker else sound
        ratios.append(ratio(card, word, batch, said))
        counts.append(len(word))
    found, each = np.array(ratios), np.array(ratios) / counts
    _, later = phones.BELOW_TOP
    return {
        "prompts": len(found),
        "median_log_ratio": round(median(ratios), 2) if ratios else None,
        "passes_as_praise": _share(found >= phones.TOP),
        "passes_as_another_answer": _share(each >= later),
    }


def short(sounds: Path, texts: Path, language: str, card: Card) -> Iterator[tuple[str, Word, Sound]]:
    """Text, phones and sound of prompts as long as an answer that training may not use."""
    told, places = transcripts(texts), {symbol: place for place, symbol in enumerate(card.symbols)}
    kept = set(recordings.names(sounds)) - set(trained(sounds))
    for name, sound in recordings.read(sounds, sorted(kept)):
        text = told.get(name.rpartition(".")[0], "")
        said = spell(text.strip().rstrip(".!?"), language) if text else []
        word = tuple(places[phone] for phone in said if phone in places)
        if PAUSE not in said and PHONES[0] <= len(word) <= PHONES[1]:
            yield text, word, sound


def ratio(card: Card, word: Word, batch: Batch, sound: Sound) -> float:
    """The best log ratio of `word` in the last frames of `sound`, heard twice, with silence around it."""
    loud = 0.5 * sound / max(float(np.abs(sound).max()), 1e-6)
    padded = np.pad(loud, (int(LEAD_S * RATE) + WINDOW * FRAME, int(TAIL_S * RATE)))
    hearings = batch.embed_twice(pcm(padded))
    grammar = Grammar(replace(card, said={"prompt": (word,)}), ["prompt"], apart=APART)
    ends = range(len(hearings[0]) - JUDGED_FRAMES + 1, len(hearings[0]) + 1)
    heard = [networks.ask(card.network, rows[end - WINDOW : end]) for rows in hearings for end in ends]
    steps = np.stack(heard).reshape(len(hearings), len(ends), -1, len(card.symbols))
    return float(grammar.ratios(steps)[0]["prompt"].mean(0).max())


def _share(passed: np.ndarray) -> dict[str, Any]:
    """How many of them, with the 95 % interval (Wilson 1927)."""
    count = int(passed.sum())
    interval = [round(end, 3) for end in wilson(count, len(passed))] if len(passed) else None
    return {"count": count, "share": round(count / max(1, len(passed)), 3), "interval": interval}


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['prompts']} prompts; median log ratio {found['median_log_ratio']} (0: nothing fits better)"
    for name, about in (("passes_as_praise", "praise"), ("passes_as_another_answer", "other answers")):
        low, high = found[name]["interval"] or (0, 1)
        yield f"would pass the limit of {about}: {found[name]['share']:.2f} ({low:.2f} to {high:.2f})"


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate.prompts", description=__doc__)
    parser.add_argument("--language", choices=("en", "ru"), default="en")
    parser.add_argument("--sounds", type=Path, help="folder of prompts; default: where Debian puts them")
    parser.add_argument("--texts", type=Path, help="their texts, a .txt.gz; default: where Debian puts it")
    parser.add_argument("--voice", default="", help="say them by a voice, such as rhvoice:victoria")
    parser.add_argument("--json", action="store_true", help="figures for programs")
    options = parser.parse_args(arguments)
    options.sounds = options.sounds or SOUNDS[options.language]
    options.texts = options.texts or Path(TEXTS.format(options.language))
    return options


if __name__ == "__main__":
    sys.exit(main())
