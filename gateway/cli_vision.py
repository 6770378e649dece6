"""Verbs of `emobox` for the camera's installer; what they need is imported when they run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli_store import FAILED, OK, UNUSABLE, config_argument, guarded, opened
from gateway.config import load_site

if TYPE_CHECKING:
    from gateway.vision.aiming import Sight

UP = "\x1b[{}F\x1b[J"  # so many lines up, and all below away
EPILOG = """\
Stand where a customer will stand. Size, turn, light and sharpness of the face are passed or failed, each with
what to do. Only numbers and a coarse silhouette are shown: the picture stays in memory. Exit status 0: all of
the last five seconds' medians are good; 1: not. The sign must be posted first, as for every use.
"""

VALIDATE_EPILOG = """\
Score single contacts by eye, from 1 (no trace of a smile) to 5 (a broad smile): every 2nd, 3rd or 10th,
whatever came, at least 50. 4 and 5 count as a smile. A contact is named by its id, as the API has
it (till-1/1790071200000), or by point and local time of the ask (till-1, 2026-11-21T10:30:05). A later file
with the same contact replaces its score. The page then shows the smile rate raw and corrected.
"""


def add_verbs(add: Callable[..., None]) -> None:
    """Every verb of this file; `add` takes name, verb, help and the function that adds its arguments."""
    add(
        "validate",
        guarded(validate),
        "take in cards that a person has scored, to check the smiles here",
        _validate,
    )
    add("aim", aim, "help to hang a camera: is the face large, straight, light and sharp enough?", _aim)


def _aim(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG
    parser.add_argument("device", nargs="?", help="the camera's name in site.toml (default: the only one)")
    config_argument(parser)
    parser.add_argument("--seconds", type=_seconds, default=60.0, help="for how long (default 60, most 600)")
    parser.add_argument(
        "--page", action="store_true", help="show it on a page /aim, for a phone beside the camera"
    )
    parser.add_argument("--port", type=int, default=8081, help="of that page (default 8081, 0: any free one)")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object at the end, nothing before"
    )


def _validate(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, VALIDATE_EPILOG
    parser.add_argument(
        "what", choices=["smile"], help="smile: does the model see the smiles that people see?"
    )
    config_argument(parser)
    parser.add_argument("--cards", type=Path, required=True, help="CSV: contact,score or point,asked,score")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def validate(args: argparse.Namespace) -> int:
    """A person's scores into the journal; whether or not the hub is running."""
    from gateway import cards
    from gateway.clock import Clock

    site = load_site(args.config)
    try:
        scores = cards.read_cards(args.cards, site)
    except cards.CardsError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    with opened(site) as journal:
        taken = cards.take_cards(journal, site, scores, args.cards.name, Clock().now_ms())
        found = cards.counted(journal.records(cards.CARD))
    report = asdict(taken) | {"all": asdict(found)}
    report |= {"sensitivity": found.sensitivity, "specificity": found.specificity}
    print(json.dumps(report) if args.json else "\n".join(cards.lines(found, taken)))
    return OK if taken.cards else FAILED


def _seconds(text: str) -> float:
    if not text.replace(".", "", 1).isdecimal() or not 1 <= float(text) <= 600:
        raise argparse.ArgumentTypeError("allowed are 1 to 600 seconds")
    return float(text)


def aim(args: argparse.Namespace) -> int:
    """The installer's check."""
    from gateway.tflite import ModelError
    from gateway.vision.aiming import AimError
    from gateway.vision.capture import VideoError
    from gateway.web.aim import AimPageError
    from models.fetch import FetchError

    try:
        report = _aimed(args)
    except (AimError, AimPageError, VideoError, FetchError, ModelError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    print(json.dumps(report, ensure_ascii=False) if args.json else "\n".join(_lines(report)))
    return OK if report["ok"] else FAILED


def _aimed(args: argparse.Namespace) -> dict[str, Any]:
    from gateway.vision.aiming import Verdict, chosen, limits_of, sights

    site = load_site(args.config)
    device, verdict = chosen(site, args.device), Verdict(limits_of(site))
    with _shown(args, site.web.host) as show:
        for sight in sights(site, device, args.seconds):
            verdict.add(sight)
            show(sight, verdict.report())
    return {"device": device, **verdict.report()}


def _shown(args: argparse.Namespace, host: str) -> Any:
    """A context that gives what to call with each sight."""
    from contextlib import nullcontext

    from gateway.web.aim import AimPage
    from gateway.web.reach import why_unreachable

    if args.page:
        if why := why_unreachable(host):
            print(why, file=sys.stderr)
        return AimPage(host, args.port).serving(lambda url: print(f"open {url}", file=sys.stderr))
    return nullcontext(_nothing if args.json else _Panel())


def _nothing(_sight: Sight, _report: dict[str, Any]) -> None:
    pass


class _Panel:
    """The latest sight in the same place of a terminal; elsewhere a line a look."""

    def __init__(self) -> None:
        self._lines = 0

    def __call__(self, sight: Sight, _report: dict[str, Any]) -> None:
        from gateway.vision.aiming import line, panel

        if not sys.stderr.isatty():
            print(" · ".join(line(check) for check in sight.checks), file=sys.stderr)
            return
        lines = panel(sight)
        up = UP.format(self._lines) if self._lines else ""
        print(up + "\n".join(lines), file=sys.stderr, flush=True)
        self._lines = len(lines)


def _lines(report: dict[str, Any]) -> Iterable[str]:
    """The verdict for a person."""
    verdict = "well aimed" if report["ok"] else "not yet"
    yield f"{report['device']}: {verdict}; a face in {report['seen']:.0%} of the looks"
    for check in report["checks"]:
        sign = "✓" if check["ok"] else "✕"
        yield f"  {sign} {check['name']} {check['value']:g}" + (f": {check['hint']}" if check["hint"] else "")
