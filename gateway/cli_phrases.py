"""The actions `emobox models train phrase` and `… evaluate phrases`; imports happen when they run."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli_voice import confirm_option

if TYPE_CHECKING:
    from gateway.voice.phrases import Phrase

Actions = Any  # argparse's sub-parsers action, which it does not name in public

OK, UNUSABLE = 0, 2
OWN = Path("phrases")
TRAIN = "teach the box a phrase of your own: made from synthetic speech on this machine, in some minutes"
TRAIN_NOTES = """\
The phrase is spoken by the voices that are installed, at many paces and pitches, in rooms and noise; talk
and near misses are its opposites. More voices make a better head: the command says what to install. Four
syllables and more are safe, one word is not. Recordings of your own staff help (a dozen WAV files, the phrase
alone in each); every third one is kept out and reported apart.
example:
  emobox models train phrase --id all-top --language ru --text "всё на высоте" --role rating --rating top
"""
EVALUATE = "how many phrases are heard, and how often one is heard that was not said"
EVALUATE_NOTES = """\
labels: a row a phrase, columns file, start_s, end_s, phrase (an id). Recordings without a row are other
talk. A firing from 0.3 s before the start to 0.5 s after the end is a hit; every other firing of that phrase
is a false accept.
Without --phrases the ids in the labels are judged, all known ones where the labels have none.
example: emobox models evaluate phrases --audio clips.zip --labels clips.csv --noise 10dB --reverb --json
"""


def train_action(actions: Actions) -> None:
    """Adds `train phrase`."""
    parser = _parser(actions, "phrase", train, TRAIN, TRAIN_NOTES)
    parser.add_argument("--id", required=True, help="what events will call it, such as everything-top")
    parser.add_argument("--language", required=True, metavar="ru|en", help="language of the phrase")
    parser.add_argument(
        "--text",
        required=True,
        action="append",
        help="the words; again for each other wording that shall count",
    )
    parser.add_argument(
        "--role", default="event", help="ask, rating, or a word for an event (default: event)"
    )
    parser.add_argument("--rating", default="", choices=["top", "middle", "low"], help="of role rating")
    parser.add_argument(
        "--recordings", type=Path, metavar="DIR|ZIP", help="your own recordings of the phrase"
    )
    parser.add_argument("--negatives", type=Path, metavar="DIR|ZIP", help="recordings of any other talk")
    parser.add_argument(
        "--out", type=Path, default=OWN, help="head and card go to OUT/<language> (default: ./phrases)"
    )
    parser.add_argument(
        "--cache", type=Path, help="what is kept between runs (default: ~/.cache/emobox/phrases)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tiny head in seconds, to try the command only"
    )


def evaluate_action(actions: Actions) -> None:
    """Adds `evaluate phrases`."""
    parser = _parser(actions, "phrases", evaluate, EVALUATE, EVALUATE_NOTES)
    parser.add_argument("--audio", type=Path, required=True, metavar="DIR|ZIP", help="WAV, FLAC, MP3, OGG")
    parser.add_argument(
        "--labels", type=Path, required=True, metavar="CSV", help="file, start_s, end_s, phrase"
    )
    parser.add_argument(
        "--noise", type=_decibels, metavar="10dB", help="add noise at this ratio to the speech"
    )
    parser.add_argument("--reverb", action="store_true", help="put the speech into a room first")
    parser.add_argument("--phrases", metavar="ID,…", help="judge these only")
    parser.add_argument(
        "--head", type=Path, metavar="FILE", help="also a head of your own; its card lies beside it"
    )
    parser.add_argument("--language", metavar="ru|en", help="judge the phrases of this language only")
    confirm_option(parser)


def _parser(
    actions: Actions, name: str, verb: Callable[[argparse.Namespace], int], text: str, notes: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=notes,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(verb=verb)
    return parser


def _decibels(text: str) -> float:
    found = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*(?:db)?", text.strip(), re.IGNORECASE)
    if found is None:
        raise argparse.ArgumentTypeError("give a ratio such as 10dB")
    return float(found[1])


def train(args: argparse.Namespace) -> int:
    """A shop's own head."""
    from gateway.tflite import ModelError
    from models.fetch import FetchError
    from models.training import own
    from models.training.clips import FULL, QUICK
    from models.training.phrases import CACHE
    from models.training.recordings import RecordingError
    from models.training.speech import SpeechError

    try:
        wanted = own.order(args.id, args.language, args.text, args.role, args.rating)
        size = QUICK if args.quick else FULL
        given = own.Order(wanted, args.recordings, args.negatives, args.out, args.cache or CACHE, size)
        _print(own.train(given), own.lines, as_json=args.json)
    except (own.PhraseError, SpeechError, RecordingError, FetchError, ModelError, OSError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    return OK


def evaluate(args: argparse.Namespace) -> int:
    """Figures of phrase heads."""
    from gateway.tflite import ModelError
    from gateway.voice import opinion
    from gateway.voice.confirm import OpinionError
    from gateway.voice.phrases import CardError
    from models.evaluate import phrases as room
    from models.fetch import FetchError

    try:
        known = _known(args)
        labels = room.read_labels(args.labels, list(known))
        chosen = [known[name] for name in _ids(args, known, {label.phrase for label in labels})]
        labels = [label for label in labels if label.phrase in {phrase.id for phrase in chosen}]
        condition = room.Condition(args.noise, args.reverb)
        with opinion.asked(args.confirm, chosen) as recogniser:
            report = room.evaluate(args.audio, labels, chosen, condition, recogniser)
    except (room.LabelError, room.RecordingError, CardError, FetchError, ModelError, OpinionError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    _print(report, room.lines, as_json=args.json)
    return OK


def _known(args: argparse.Namespace) -> dict[str, Phrase]:
    """Phrases that ship, the shop's own, and `--head`; of the same id the last wins."""
    from gateway.voice.phrases import catalogue, read_card

    known = catalogue() | (catalogue(OWN) if OWN.is_dir() else {})
    if args.language:
        known = {name: phrase for name, phrase in known.items() if phrase.head.parent.name == args.language}
    if args.head:
        phrase = read_card(args.head.with_suffix(".toml"))
        known[phrase.id] = phrase
    return known


def _ids(args: argparse.Namespace, known: dict[str, Phrase], labelled: set[str]) -> list[str]:
    """Which phrases are judged: as ordered, else those in the labels, else `--head`, else all."""
    from models.evaluate.phrases import LabelError

    wanted = [name.strip() for name in args.phrases.split(",")] if args.phrases else sorted(labelled)
    if not wanted:
        wanted = [args.head.stem] if args.head else sorted(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise LabelError(f"no head for {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    return wanted


def _print(
    report: dict[str, Any], lines: Callable[[dict[str, Any]], Iterable[str]], *, as_json: bool
) -> None:
    print(json.dumps(report, ensure_ascii=False) if as_json else "\n".join(lines(report)))
