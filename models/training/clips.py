"""Training sets as embeddings: phrases, near misses and talk, spoken, put into scenes and kept on disk."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from tqdm import tqdm

from gateway.voice.engine import FRAME_S, RATE, WARM_UP_FRAMES
from models.training import augment, heads, morph, neighbours, speech, texts
from models.training.features import Batch, pcm
from models.training.speech import Saying, Sound, Voice
from models.training.texts import Wanted

SCENE_FRAMES = WARM_UP_FRAMES + 22
"""Those after the warm-up are judged: the last second of a phrase and 0.8 s after it."""
STREAM_S = 20.0
SCRAPS = 900
"""Texts in one lot of scraps."""
LISTED_VOICES = 5
VERSION = 3
"""Part of every kept file's name: raise it when scenes change."""


@dataclass(frozen=True)
class Size:
    """How much is spoken: clips of a phrase by program (and scenes of each); voices for each other text.

    `scraps`: lots of them.
    """

    rhvoice: int = 90
    flite: int = 60
    festival: int = 8
    espeak: int = 120
    near: int = 4
    negated: int = 12
    talk: int = 5
    salads: int = 200
    fortunes: int = 420
    scraps: int = 2
    own_near: int = 220
    scenes: int = 6
    steps: tuple[int, int] = (450, 750)
    noise: float = heads.INPUT_NOISE
    texts: int | None = None
    """Of each list so many only."""

    @property
    def clips(self) -> dict[str, int]:
        """Clips of a phrase by program, spread evenly over the program's voices."""
        return {name: getattr(self, name) for name in ("rhvoice", "flite", "festival", "espeak")}


FULL = Size()
QUICK = Size(6, 4, 2, 12, 1, 1, 1, 6, 0, 0, 8, 2, (25, 25), texts=8)
"""For tests: proves the path, makes no good head."""


Rows = NDArray[np.float16]
"""Embeddings (n, 96)."""


@dataclass
class Bag:
    """Clips of one kind: `rows` are the embeddings of all of them; `starts` where each begins."""

    kind: str
    language: str
    rows: Rows
    starts: NDArray[np.int64]
    ends_s: NDArray[np.float64]
    """When the phrase of each clip ends, s from the clip's start; NaN without one."""
    texts: list[str] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)

    @classmethod
    def of_streams(cls, kind: str, language: str, streams: Sequence[Rows], texts: Sequence[str]) -> Bag:
        """Streams of which only the words are known."""
        starts = np.cumsum([0, *map(len, streams[:-1])])
        never = np.full(len(streams), np.nan)
        return cls(kind, language, np.concatenate(streams), starts, never, list(texts), [""] * len(streams))

    @property
    def hours(self) -> float:
        """Sound in the bag."""
        return len(self.rows) * FRAME_S / 3600


@dataclass(frozen=True)
class Studio:
    """What sets are made with: voices, the folder for what is kept, other people's talk, the size, a seed."""

    voices: Sequence[Voice]
    cache: Path
    size: Size
    seed: int

    def generator(self, name: str) -> Generator:
        """One for each set, so that a set does not depend on what was made before."""
        return np.random.default_rng([self.seed, *name.encode()])


def kept(studio: Studio, name: str, parts: object, make: Callable[[Generator], Iterator[Bag]]) -> list[Bag]:
    """The bags of `make`, or what is kept of them from an earlier run with the same ingredients."""
    file = _place(studio, name, parts)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _save(file, list(make(studio.generator(name))))
    return _load(file)


def _place(studio: Studio, name: str, parts: object) -> Path:
    key = hashlib.sha256(repr((VERSION, name, parts, studio.voices, studio.seed)).encode())
    return studio.cache / "sets" / f"{name}-{key.hexdigest()[:16]}.npz"


def _save(file: Path, bags: Sequence[Bag]) -> None:
    content: dict[str, NDArray[Any]] = {}
    for number, bag in enumerate(bags):
        about = np.array([bag.kind, bag.language, "\n".join(bag.texts), "\n".join(bag.speakers)])
        parts: dict[str, NDArray[Any]] = {
            "rows": bag.rows,
            "starts": bag.starts,
            "ends": bag.ends_s,
            "about": about,
        }
        content |= {f"{name}{number}": value for name, value in parts.items()}
    made = file.with_suffix(".part.npz")
    with zipfile.ZipFile(made, "w") as archive:
        for name, value in content.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as out:
                np.lib.format.write_array(out, value)
    made.replace(file)


def _load(file: Path) -> list[Bag]:
    with np.load(file) as data:
        count = sum(name.startswith("rows") for name in data.files)
        return [
            _bag(*(data[f"{part}{n}"] for part in ("rows", "starts", "ends", "about"))) for n in range(count)
        ]


def _bag(
    rows: NDArray[np.float16], starts: NDArray[np.int64], ends: NDArray[np.float64], about: NDArray[np.str_]
) -> Bag:
    kind, language, said, speakers = (str(part) for part in about)
    return Bag(kind, language, rows, starts, ends, said.split("\n"), speakers.split("\n"))


def positives(studio: Studio, wanted: Wanted, talk: Sequence[Sound]) -> Bag:
    """`wanted` by every voice in many scenes; a third begins within a longer sentence."""
    parts = _ingredients(studio, wanted)
    return kept(studio, wanted.id, parts, lambda rng: iter([_positives(studio, wanted, talk, rng)]))[0]


def made_before(studio: Studio, wanted: Wanted) -> Bag | None:
    """What `positives` has kept, if anything."""
    file = _place(studio, wanted.id, _ingredients(studio, wanted))
    return _load(file)[0] if file.exists() else None


def _ingredients(studio: Studio, wanted: Wanted) -> object:
    return wanted, studio.size.clips, studio.size.scenes


def _positives(studio: Studio, wanted: Wanted, talk: Sequence[Sound], rng: Generator) -> Bag:
    said = phrase_sayings(wanted, studio, rng)
    return _scenes(studio, wanted.id, wanted.language, said, talk, rng, copies=_copies(studio), ends=True)


def phrase_sayings(wanted: Wanted, studio: Studio, rng: Generator) -> list[Saying]:
    """All sayings of a phrase: wordings, carriers, voices, paces."""
    before = texts.table(wanted.language)["carriers"]["before"]
    out = []
    for voice in _turns(studio):
        text = wanted.texts[int(rng.integers(len(wanted.texts)))]
        lead = f"{rng.choice(before)}, " if rng.random() < 0.3 else ""
        mark = str(rng.choice(["", "", ".", "!", "?"]))
        out.append(speech.saying(f"{lead}{text}{mark}", voice, rng))
    return out


def _turns(studio: Studio) -> Iterator[Voice]:
    """Each voice as often as its program's clips ask for."""
    for program, count in studio.size.clips.items():
        voices = [voice for voice in studio.voices if voice.program == program]
        each, more = divmod(count, max(1, len(voices)))
        for number, voice in enumerate(voices):
            yield from [voice] * (each + (number < more))


def _copies(studio: Studio) -> dict[str, int]:
    """Scenes of each clip by program."""
    most = studio.size.scenes
    few = len({v.name for v in studio.voices if v.program != "espeak"}) < 4
    return {
        "rhvoice": most,
        "flite": most // 2,
        "festival": most // 2,
        "espeak": most // (2 if few else 3) or 1,
    }


def _scenes(
    studio: Studio,
    kind: str,
    language: str,
    said: Sequence[Saying],
    talk: Sequence[Sound],
    rng: Generator,
    *,
    copies: dict[str, int],
    ends: bool,
) -> Bag:
    batch, seconds = Batch(SCENE_FRAMES), SCENE_FRAMES * FRAME_S
    rows, ends_s, owners = [], [], []
    for what in tqdm(said, desc=f"{kind}: speak and listen", unit="clip"):
        sound = speech.say(what, studio.cache / "speech")
        for _ in range(copies[what.voice.program]):
            made = augment.scene(sound, seconds, talk, rng)
            rows.append(batch.embed(pcm(made.sound)).astype(np.float16))
            ends_s.append(made.end_s if ends else np.nan)
            owners.append(what)
    starts = np.arange(len(rows)) * SCENE_FRAMES
    said_texts, speakers = [what.text for what in owners], [what.voice.speaker for what in owners]
    return Bag(kind, language, np.concatenate(rows), starts, np.array(ends_s), said_texts, speakers)


def recordings(studio: Studio, wanted: Wanted, sounds: Sequence[Sound], talk: Sequence[Sound]) -> Bag:
    """Scenes of a shop's own recordings of a phrase; `speakers` are the numbers of the recordings."""
    batch, seconds, rng = Batch(SCENE_FRAMES), SCENE_FRAMES * FRAME_S, studio.generator("recordings")
    rows, ends_s, owners = [], [], []
    for number, sound in enumerate(tqdm(sounds, desc=f"{wanted.id}: own recordings", unit="clip")):
        for _ in range(2 * studio.size.scenes):
            made = augment.scene(sound, seconds, talk, rng)
            rows.append(batch.embed(pcm(made.sound)).astype(np.float16))
            ends_s.append(made.end_s)
            owners.append(str(number))
    starts = np.arange(len(rows)) * SCENE_FRAMES
    return Bag(
        wanted.id,
        wanted.language,
        np.concatenate(rows),
        starts,
        np.array(ends_s),
        [wanted.texts[0]] * len(rows),
        owners,
    )


def near(studio: Studio, wanted: Wanted, talk: Sequence[Sound]) -> Bag:
    """What sounds like `wanted` and is not: parts of it, words changed, letters changed."""

    def make(rng: Generator) -> Iterator[Bag]:
        said = [
            speech.saying(text, speech.draw(studio.voices, rng), rng)
            for text in neighbours.near(wanted, studio.size.own_near, rng)
        ]
        copies = dict.fromkeys(speech.PROGRAMS, 1)
        yield _scenes(studio, "near", wanted.language, said, talk, rng, copies=copies, ends=False)

    return kept(studio, f"{wanted.id}-neighbours", (wanted, studio.size.own_near), make)[0]


def listed_near(studio: Studio, wanted: Wanted, talk: Sequence[Sound]) -> list[Bag]:
    """The near misses that texts_<language>.toml lists for `wanted`, by several voices each."""

    def make(rng: Generator) -> Iterator[Bag]:
        said = _lines(wanted.near, studio.voices, LISTED_VOICES, rng)
        copies = dict.fromkeys(speech.PROGRAMS, 2)
        yield _scenes(studio, "negated", wanted.language, said, talk, rng, copies=copies, ends=False)

    return kept(studio, f"{wanted.id}-listed", wanted.near, make) if wanted.near else []


def scraps(studio: Studio, language: str, talk: Sequence[Sound]) -> list[Bag]:
    """Some words alone, as short as a phrase, in many scenes: what keeps a head quiet best."""

    def make(rng: Generator) -> Iterator[Bag]:
        said = _lines(texts.scraps(language, SCRAPS, rng), studio.voices, 1, rng)
        copies = {"rhvoice": 3, "flite": 3, "festival": 2, "espeak": 2}
        yield _scenes(studio, "scrap", language, said, talk, rng, copies=copies, ends=False)

    names = [f"scraps-{language}" + (f"-{number}" if number else "") for number in range(studio.size.scraps)]
    return [bag for name in names for bag in kept(studio, name, SCRAPS, make)]


def shared(studio: Studio, language: str) -> list[Bag]:
    """Near misses of the phrases that ship, and hours of talk: negatives of every head of `language`."""
    size = studio.size
    sizes = (size.near, size.negated, size.talk, size.salads, size.fortunes)
    table = texts.table(language)
    parts = ([table[kind] for kind in ("near", "negated", "talk", "words")], sizes, STREAM_S)
    return kept(studio, f"shared-{language}", parts, lambda rng: _shared(studio, language, rng))


def _shared(studio: Studio, language: str, rng: Generator) -> Iterator[Bag]:
    said = talk_sayings(studio, language, rng)
    sounds = spoken(studio, said, f"talk ({language})")
    yield streams("talk", language, sounds, studio, rng, [what.text for what in said])
    for kind, count in (("near", studio.size.near), ("negated", studio.size.negated)):
        if not count:
            continue  # of another language only talk is asked for
        given = texts.table(language)[kind]["texts"][: studio.size.texts]
        lines = _lines(given, studio.voices, count, rng)
        copies = dict.fromkeys(speech.PROGRAMS, 2 if kind == "negated" else 1)
        yield _scenes(studio, kind, language, lines, sounds, rng, copies=copies, ends=False)


def spoken(studio: Studio, said: Sequence[Saying], about: str) -> list[Sound]:
    """All of it aloud, with a bar."""
    return [speech.say(what, studio.cache / "speech") for what in tqdm(said, desc=about, unit="text")]


def talk_sayings(studio: Studio, language: str, rng: Generator) -> list[Saying]:
    """Shop talk, word salad and fortunes."""
    more = [
        *texts.salad(language, studio.size.salads, rng),
        *texts.fortunes(language, studio.size.fortunes, rng),
    ]
    talk = texts.table(language)["talk"]["texts"][: studio.size.texts]
    return [*_lines(talk, studio.voices, studio.size.talk, rng), *_lines(more, studio.voices, 1, rng)]


def _lines(said: Iterable[str], voices: Sequence[Voice], count: int, rng: Generator) -> list[Saying]:
    """Each text by `count` voices."""
    return [speech.saying(text, speech.draw(voices, rng), rng) for text in said for _ in range(count)]


def some_talk(studio: Studio, language: str) -> list[Sound]:
    """Sounds for the background of scenes: the first texts of the shared talk."""
    said = talk_sayings(studio, language, studio.generator(f"shared-{language}"))
    return [speech.say(what, studio.cache / "speech") for what in said[:160]]


def streams(
    kind: str,
    language: str,
    sounds: Sequence[Sound],
    studio: Studio,
    rng: Generator,
    said: Sequence[str] = (),
) -> Bag:
    """Sounds one after the other, each as it is or in a shop's noise, in streams of about 20 s.

    `said` are their texts, where they are known: a stream in which a phrase is said is none of its negatives.
    """
    batch, rows, names = Batch(), [], []
    current, current_texts = [np.zeros(0, np.float32)], [""]
    for number, sound in enumerate(tqdm(sounds, desc=f"{kind} ({language}): listen", unit="clip")):
        current.append(_passing(sound, sounds, rng))
        current_texts.append(said[number] if said else "")
        if sum(map(len, current)) >= STREAM_S * RATE or number == len(sounds) - 1:
            rows.append(batch.embed(pcm(np.concatenate(current))).astype(np.float16))
            names.append(" ".join(" ".join(current_texts).split()))
            current, current_texts = [np.zeros(0, np.float32)], [""]
    starts = np.cumsum([0, *(len(part) for part in rows[:-1])])
    return Bag(
        kind, language, np.concatenate(rows), starts, np.full(len(rows), np.nan), names, [""] * len(rows)
    )


def _passing(sound: Sound, others: Sequence[Sound], rng: Generator) -> Sound:
    """A sound with a pause after it; half of them by somebody like the speaker and in noise."""
    if rng.random() < 0.5 and len(sound) < 15 * RATE:
        sound = augment.in_shop(morph.another(sound, rng) if rng.random() < 0.5 else sound, others, rng)
    return np.concatenate([sound, np.zeros(int(rng.uniform(0.1, 0.6) * RATE), np.float32)])


def some(bag: Bag, chosen: NDArray[np.int64]) -> Bag:
    """The chosen clips of a bag of scenes."""
    rows = bag.rows.reshape(len(bag.starts), SCENE_FRAMES, -1)[chosen].reshape(-1, bag.rows.shape[1])
    said, speakers = [bag.texts[i] for i in chosen], [bag.speakers[i] for i in chosen]
    starts = np.arange(len(chosen)) * SCENE_FRAMES
    return Bag(bag.kind, bag.language, rows, starts, bag.ends_s[chosen], said, speakers)
