"""The verb `emobox models`: fetch, evaluate, train. What an action needs is imported when it runs.

    emobox models [fetch]
    emobox models evaluate smile|detector …
    emobox models train …

A new action is one function that adds its parser (`_smile` below), listed in EVALUATIONS or TRAININGS.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

Verb = Callable[[argparse.Namespace], int]
Actions = Any  # argparse's sub-parsers action, which it does not name in public

OK, FAILED, UNUSABLE = 0, 1, 2
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


EVALUATIONS: tuple[Callable[[Actions], None], ...] = ()
TRAININGS: tuple[Callable[[Actions], None], ...] = ()
