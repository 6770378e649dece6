"""The verb `emobox clips`: the owner lists, hears, or takes out clips of sound; the audit log says so."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli_store import config_argument, opened
from gateway.config import Site, load_site

if TYPE_CHECKING:
    from gateway.clips import Clip

OK, FAILED, UNUSABLE = 0, 1, 2
RATE = 16_000
TEXT = "list, play or export the clips of sound that this shop keeps for 72 hours"
EPILOG = """\
Clips are off unless [voice] of site.toml has clips = true; in the EU and Switzerland also clips_consent, who
recorded the consent of everybody, and when. They are encrypted; play and export are written to the audit log.
A clip's number is its place in the list, 1 = the oldest.
"""


def add_verbs(add: Callable[..., None]) -> None:
    """The verb of this file; `add` takes name, verb, help and the function that adds its arguments."""
    add("clips", clips, TEXT, _arguments)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class, parser.epilog = argparse.RawDescriptionHelpFormatter, EPILOG
    parser.add_argument("action", choices=["list", "play", "export"], nargs="?", default="list")
    parser.add_argument("number", type=int, nargs="?", help="which clip to play or export")
    parser.add_argument("--out", type=Path, help="export: the WAV file to write")
    config_argument(parser)


def clips(args: argparse.Namespace) -> int:
    """List, play, export."""
    from gateway.clips import ClipError, clips_of
    from gateway.journal import JournalError

    site = load_site(args.config)
    every = clips_of(site).all()
    if args.action == "list":
        print("\n".join(_line(site, number, clip) for number, clip in enumerate(every, 1)) or "no clips")
        return OK
    problem = _problem(args, len(every))
    if problem:
        print(problem, file=sys.stderr)
        return UNUSABLE
    try:
        return _hear(args, site, every[args.number - 1])
    except (ClipError, JournalError, OSError) as error:
        print(error, file=sys.stderr)
        return FAILED


def _line(site: Site, number: int, clip: Clip) -> str:
    local, seconds = site.local(clip.start), (clip.end - clip.start) / 1000
    where = f"{clip.about.point}, {clip.about.device}, {clip.about.reason}" if clip.about else "unreadable"
    return f"{number:4}  {local:%Y-%m-%d %H:%M:%S}  {seconds:5.1f} s  {where}"


def _problem(args: argparse.Namespace, count: int) -> str:
    if args.number is None or not 1 <= args.number <= count:
        return f"give the number of a clip, 1 to {count}" if count else "there are no clips"
    if args.action == "export" and args.out is None:
        return "give the WAV file to write: --out clip.wav"
    return ""


def _hear(args: argparse.Namespace, site: Site, clip: Clip) -> int:
    """The audit log first: what cannot be written down is not heard."""
    from gateway.audit import CLIP
    from gateway.clips import clips_of
    from gateway.clock import Clock

    sound = clips_of(site).sound(clip)
    detail = {"did": args.action, "clip": clip.path.name}
    with opened(site) as journal:
        journal.note((Clock().now_ms(), CLIP, detail))
    return _play(sound) if args.action == "play" else _export(sound, args.out)


def _play(sound: bytes) -> int:
    """Through aplay's standard input: no file is written."""
    command = ["aplay", "-q", "-t", "raw", "-f", "S16_LE", "-r", str(RATE), "-c", "1"]
    try:
        return subprocess.run(command, input=sound, check=False).returncode
    except FileNotFoundError:
        print(
            "aplay is not installed; run `sudo apt install alsa-utils`, or export the clip", file=sys.stderr
        )
        return FAILED


def _export(sound: bytes, out: Path) -> int:
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as plain, wave.open(plain, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(sound)
    print(f"{out}: from now on nobody deletes it but you")
    return OK
