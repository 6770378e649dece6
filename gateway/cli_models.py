"""The verb `emobox models`: fetch, evaluate, train. What an action needs is imported when it runs.

    emobox models [fetch]
    emobox models evaluate smile|detector …
    emobox models train …

A new action is one function that adds its parser (`_smile` below), listed in EVALUATIONS or TRAININGS.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from gateway import cli_phrases as phrases

Verb = Callable[[argparse.Namespace], int]
Actions = Any  # argparse's sub-parsers action, which it does not name in public

OK, FAILED, UNUSABLE = 0, 1, 2
VARIANTS = ("dark", "blur", "overexposed", "side", "small", "jpeg")
SMILE_NOTES = (
    "Figures are over pictures in which a face was found (`detected` of `n`, the largest); accuracy_all "
    "counts a picture without a found face as wrong. A smile is a probability of 0.5 and more. Intervals are "
    "95 %. A file may be named by its path or its bare name."
)
DETECTOR_NOTES = (
    "A file without numbers is a picture without faces. Measured is what the camera uses: detector and the "
    "second look that removes false alarms."
)
TEXT = "fetch the model files with their sha256 checked; evaluate or train models"


def add_verbs(add: Callable[..., None]) -> None:
    """The verb of this file; `add` takes name, verb, help and the function that adds its arguments."""
    add("models", fetch, TEXT, _models)


def add_action(actions: Actions, name: str, verb: Verb, text: str) -> argparse.ArgumentParser:
    """The parser of one more action, to be given its arguments."""
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + "."
    )
    parser.set_defaults(verb=verb)
    return parser


def _models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", title="actions (default: fetch)")
    add_action(actions, "fetch", fetch, "download what is missing, with its sha256 checked")
    _group(actions, "evaluate", "measure a model on labelled data", EVALUATIONS)
    _group(actions, "train", "train a model on this machine", TRAININGS)


def _group(actions: Actions, name: str, text: str, members: tuple[Callable[[Actions], None], ...]) -> None:
    parser = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    inner = parser.add_subparsers(metavar="WHAT", required=True)
    for member in members:
        member(inner)


def fetch(_args: argparse.Namespace) -> int:
    """Model files."""
    from models.fetch import FetchError, fetch_all, manifest

    try:
        fetch_all(manifest())
    except FetchError as error:
        print(error, file=sys.stderr)
        return FAILED
    return OK


def _smile(actions: Actions) -> None:
    parser = add_action(
        actions, "smile", evaluate_smile, "how well smiles are told from none, on labelled pictures"
    )
    parser.epilog = SMILE_NOTES
    _labelled(parser, "CSV with the columns file and smile (0 or 1); others are let be")
    parser.add_argument(
        "--crops", action="store_true", help="the pictures are faces already (48 to 128 px): no detector"
    )
    parser.add_argument(
        "--model", choices=["own", "fer"], default="own", help="fer: the baseline (default: own)"
    )


def _detector(actions: Actions) -> None:
    parser = add_action(
        actions, "detector", evaluate_detector, "how well faces are found, on labelled pictures"
    )
    parser.epilog = DETECTOR_NOTES
    _labelled(parser, "CSV with the columns file, x, y, width, height (pixels), a row a face")
    parser.add_argument(
        "--overlap",
        type=float,
        default=0.3,
        help="a face is found from this intersection over union (default: 0.3)",
    )


def _labelled(parser: argparse.ArgumentParser, labels: str) -> None:
    parser.add_argument(
        "--images", type=Path, required=True, metavar="DIR|ZIP", help="pictures, in sub-folders too"
    )
    parser.add_argument("--labels", type=Path, required=True, metavar="CSV", help=labels)
    parser.add_argument(
        "--variant", choices=VARIANTS, help="degrade the pictures first: see models/evaluate/variants.py"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def evaluate_smile(args: argparse.Namespace) -> int:
    """Figures of a smile model."""
    from models.evaluate.smile import Options, evaluate, lines

    options = Options(args.crops, args.variant, args.model)
    return _report(args, partial(evaluate, args.images, args.labels, options), lines)


def evaluate_detector(args: argparse.Namespace) -> int:
    """Figures of the detector and its second look."""
    from models.evaluate.detector import evaluate, lines

    run = partial(evaluate, args.images, args.labels, variant=args.variant, overlap=args.overlap)
    return _report(args, run, lines)


def _report(
    args: argparse.Namespace,
    run: Callable[[], dict[str, Any]],
    lines: Callable[[dict[str, Any]], Iterable[str]],
) -> int:
    """Prints what `run` finds; 2 when what was given cannot be measured."""
    from gateway.tflite import ModelError
    from models.evaluate.labels import EvaluationError
    from models.fetch import FetchError

    try:
        found = run()
    except (EvaluationError, FetchError, ModelError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    print(json.dumps(found, ensure_ascii=False) if args.json else "\n".join(lines(found)))
    return OK


EVALUATIONS: tuple[Callable[[Actions], None], ...] = (_smile, _detector, phrases.evaluate_action)
TRAININGS: tuple[Callable[[Actions], None], ...] = (phrases.train_action,)
