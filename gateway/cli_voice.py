"""The verb `emobox voice`: the phrases in a WAV file, or those that a microphone hears now."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

OK, UNUSABLE = 0, 2
TEXT = "print the phrases in a WAV file, or those that a microphone hears now"
OWN_HEADS = Path("phrases")
EPILOG = """\
A WAV file has to be 16 kHz, mono, 16 bit; one that is not is refused with the command that converts it.
By default every phrase is printed at any time (--always). In a shop answers count only while an ask is open:
--armed does so here, too: an answer is printed only within --timeout seconds after an ask phrase.
Where Whisper is installed it may veto an answer of a file (--confirm); with --microphone nobody is asked.
Heads that you trained are found in ./phrases, or where --heads says; of the same name yours is used.
"""


def add_verbs(add: Callable[..., None]) -> None:
    """The verb of this file; `add` takes name, verb, help and the function that adds its arguments."""
    add("voice", voice, TEXT, _arguments)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG
    parser.add_argument("wav", type=Path, nargs="?", help="a WAV file, 16 kHz mono")
    parser.add_argument(
        "--microphone",
        nargs="?",
        const="default",
        metavar="DEVICE",
        help="listen to this sound card (`arecord -L` lists them), a FIFO, or - for raw sound",
    )
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--always", action="store_true", help="answers count at any time (the default)")
    when.add_argument("--armed", action="store_true", help="answers count only after an ask, as in a shop")
    parser.add_argument(
        "--timeout", type=float, default=60.0, metavar="S", help="how long an ask stays open (default: 60)"
    )
    parser.add_argument("--heads", type=Path, default=OWN_HEADS, help="your own heads (default: ./phrases)")
    confirm_option(parser)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object (with --microphone: one a phrase, a line)"
    )


def confirm_option(parser: argparse.ArgumentParser) -> None:
    """Adds --confirm."""
    parser.add_argument(
        "--confirm",
        choices=["auto", "none", "whisper", "pocketsphinx"],
        default="auto",
        help="who may veto answers (default: Whisper where it is installed, else nobody)",
    )


def voice(args: argparse.Namespace) -> int:
    """What the microphone process would hear."""
    from gateway.tflite import ModelError
    from gateway.voice.audio import AudioError
    from gateway.voice.confirm import OpinionError
    from gateway.voice.phrases import CardError
    from models.fetch import FetchError

    if (args.wav is None) == (args.microphone is None):
        print("give a WAV file, or --microphone; `emobox voice --help` tells more", file=sys.stderr)
        return UNUSABLE
    if args.heads != OWN_HEADS and not args.heads.is_dir():
        print(f"--heads {args.heads}: there is no such folder", file=sys.stderr)
        return UNUSABLE
    try:
        (_file if args.wav else _live)(args)
    except (AudioError, FetchError, ModelError, CardError, OpinionError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    return OK


def _file(args: argparse.Namespace) -> None:
    from gateway.voice.hear import lines, voice_file

    timeout_s = args.timeout if args.armed else None
    report = voice_file(args.wav, heads=args.heads, timeout_s=timeout_s, confirm=args.confirm)
    print(json.dumps(report, ensure_ascii=False) if args.json else "\n".join(lines(report)))


def _live(args: argparse.Namespace) -> None:
    from gateway.supervisor import stop_on_signals
    from gateway.voice.arming import Arming
    from gateway.voice.hear import known, line, plain
    from gateway.voice.live import listen

    arming = Arming(args.timeout) if args.armed else None
    heard = listen(args.microphone, list(known(args.heads).values()), arming, stop_on_signals(), _level)
    for one in heard:
        said = plain(one.phrase, one.score, one.end_s) | {"time": one.time}
        print(json.dumps(said, ensure_ascii=False) if args.json else line(said), flush=True)


def _level(text: str) -> None:
    """The level, on a terminal only: what is piped on is phrases alone."""
    if sys.stderr.isatty():
        print(f"\r{text:<100}", end="", file=sys.stderr, flush=True)
