"""What the network of phones.py learns from: hours of speech whose words are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.random import Generator
from tqdm import tqdm

from gateway.voice.engine import RATE
from gateway.voice.phones import PAUSE
from models.training import augment, carriers, clips, morph, neighbours, speech, texts
from models.training.carriers import pick
from models.training.clips import Bag, Rows, Studio
from models.training.features import Batch, pcm
from models.training.speech import Sound

LINES = 20_000
"""About eighteen hours."""
STREAM_S = (3.0, 9.0)
LEAD_S, TAIL_S = (0.5, 0.9), 0.4
JOINED_SHARE, JOINED_S, APART_S = 0.3, (0.0, 0.1), (0.1, 0.6)
"""Between two lines."""
HEARD_S = 0.2
"""From here on a gap counts as a pause."""
LOUD = (0.4, 1.0)
IN_SHOP_SHARE = 0.35
"""Of the streams, the first time, too."""
RENDERINGS = 3
"""Of each stream: as it was said, in a shop, in a loud one."""
ALIKE = 200
"""Texts that sound like a phrase, of each."""
KINDS = 3 * ("random",) + 2 * ("told",) + 2 * ("among",) + ("altered",) + 2 * ("alike",) + ("before", "after")
"""Of lines, in turn."""
OTHERS = 160
"""Sounds for the background."""


def bags(studio: Studio, language: str) -> list[Bag]:
    """Streams of a few lines, most of them as they were said, all in a shop, all in a loud one.

    "|" is a pause one hears.
    """
    polite, family = carriers.table(language)["polite"], list(texts.family(language).values())
    parts = (polite, family, texts.held_out(language), LINES, KINDS, ALIKE, IN_SHOP_SHARE, RENDERINGS)
    return clips.kept(studio, f"utterances-{language}", parts, lambda rng: _bags(studio, language, rng))


def lines(language: str, count: int, rng: Generator) -> list[str]:
    """Words without an order, sentences of books, phrases and what sounds like them, in all sorts of company.

    None holds a near-phrase that the outcome is measured with, but for parts of phrases.
    """
    random, told = texts.jumble(language, count, rng), texts.fortunes(language, max(1, count // 3), rng)
    words = " ".join(random).split()
    rng.shuffle(words)
    family = texts.family(language).values()
    phrases = [text for one in family for text in one.texts for _ in range(3 if one.rating else 1)]
    alike = [text for one in family for text in neighbours.near(one, ALIKE, rng)]
    polite = carriers.table(language)["polite"]
    out = []
    for number in range(count):
        phrase = pick(phrases, rng)
        match KINDS[number % len(KINDS)]:
            case "told" if told:
                out.append(pick(told, rng))
            case "random" | "told":
                out.append(random[number])
            case "among":
                out.append(_among(phrase, words, rng))
            case "altered":
                out.append(_altered(phrase.split(), words, rng))
            case "alike":
                out.append(_among(pick(alike, rng), words, rng))
            case "before":
                out.append(f"{pick(polite['before'], rng)}, {phrase}")
            case "after":
                out.append(f"{phrase}, {pick(polite['after'], rng)}")
    return [line for line in out if not texts.is_held_out(line, language)]


def _among(phrase: str, words: Sequence[str], rng: Generator) -> str:
    """A phrase alone, or with words of chance before it, after it or both."""
    draw = rng.random()
    before = f"{_some(words, 3, rng)} " if 0.3 <= draw < 0.55 or draw >= 0.8 else ""
    after = f" {_some(words, 3, rng)}" if draw >= 0.55 else ""
    return before + phrase + after


def _altered(phrase: list[str], words: Sequence[str], rng: Generator) -> str:
    """A phrase with another word in place of one or before it, or that goes on otherwise."""
    place, draw = int(rng.integers(len(phrase))), rng.random()
    if draw < 0.4:
        made = [*phrase[:place], pick(words, rng), *phrase[place + 1 :]]
    elif draw < 0.7:
        made = [*phrase[:place], pick(words, rng), *phrase[place:]]
    else:
        made = [*phrase[: place + 1], _some(words, 2, rng)]
    return " ".join(made)


def _some(words: Sequence[str], most: int, rng: Generator) -> str:
    count = int(rng.integers(1, most + 1))
    first = int(rng.integers(max(1, len(words) - count)))
    return " ".join(words[first : first + count])


def _bags(studio: Studio, language: str, rng: Generator) -> Iterator[Bag]:
    batch, names, others = Batch(32), [], list[Sound]()
    renderings: list[list[Rows]] = [[] for _ in range(RENDERINGS)]
    loud = rng.spawn(1)[0]  # its own: lines, voices and the first two renderings stay what they were
    current, said, goal = [augment.silence(LEAD_S, rng)], [PAUSE], rng.uniform(*STREAM_S)
    for line in tqdm(lines(language, LINES, rng), desc=f"utterances ({language})", unit="line"):
        what = speech.saying(line, speech.draw(studio.voices, rng), rng)
        try:
            sound = speech.say(what, studio.cache / "speech")
        except (speech.SpeechError, EOFError):  # festival stumbles over a few words
            continue
        sound = morph.another(sound, rng) if rng.random() < 0.5 else sound
        others = [*others, sound][:OTHERS]
        gap = augment.silence(JOINED_S if rng.random() < JOINED_SHARE else APART_S, rng)
        current += [sound * rng.uniform(*LOUD), gap]
        said += [line, PAUSE] if len(gap) >= HEARD_S * RATE else [line]
        if sum(map(len, current)) >= goal * RATE:
            made = np.concatenate([*current, np.zeros(int(TAIL_S * RATE), np.float32)])
            heard = augment.in_shop(made, others, rng) if rng.random() < IN_SHOP_SHARE else made
            noisy, drowned = augment.in_shop(made, others, rng), augment.in_loud_shop(made, others, loud)
            for rows, sound in zip(renderings, (heard, noisy, drowned), strict=True):
                rows.append(batch.embed(pcm(sound)).astype(np.float16))
            names.append(" ".join([*said, PAUSE]))
            current, said, goal = [augment.silence(LEAD_S, rng)], [PAUSE], rng.uniform(*STREAM_S)
    for streams in renderings:
        yield Bag.of_streams("utterances", language, streams, names)
