"""The command `emobox`: one verb a function; what a verb needs is imported when it runs."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gateway import cli_clips as clips
from gateway import cli_models as model_verbs
from gateway import cli_owner as owner
from gateway import cli_store as store
from gateway import cli_vision as vision_verbs
from gateway import cli_voice as voices
from gateway.bus import BusError
from gateway.config import Site, SiteError, load_for_replay, load_site
from gateway.device import DeviceError

Verb = Callable[[argparse.Namespace], int]

OK, FAILED, UNUSABLE = 0, 1, 2
STDIN = "-"
NO_STDIN = (
    '[microphones.{device}] has source = "-": nobody\'s sound reaches standard input under `emobox run`; '
    "give a card, a WAV file or a FIFO, or start `emobox microphone {device}` by hand"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; 2 means that what was given cannot be used, and stderr says what is allowed."""
    args = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    verb: Verb = args.verb
    try:
        return verb(args)
    except (SiteError, BusError, DeviceError) as error:
        return _unusable(error)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emobox",
        description="How your customers really felt: smiley buttons, camera and microphone to EmoNPS.",
        epilog="A first look: emobox demo. A real shop: emobox doctor, then emobox run.",
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _add(verbs, "run", run, "serve the shop: hub, camera, microphone, page", _run)
    _add(verbs, "demo", demo, "play a shop of one till for about 90 seconds", _demo)
    _add(verbs, "replay", replay, "compute contacts and indices of a recorded log", _replay)
    _add(verbs, "doctor", doctor, "say what is missing or wrong, and what to do", _doctor)
    _add(verbs, "vision", vision, "print the faces that the camera process would see in a video", _vision)
    voices.add_verbs(partial(_add, verbs))
    clips.add_verbs(partial(_add, verbs))
    _add(verbs, "camera", camera, "one camera process (emobox run starts it)", _child)
    _add(verbs, "microphone", microphone, "one microphone process (emobox run starts it)", _child)
    _add(verbs, "dashboards", dashboards, "write or check the Grafana dashboards", _dashboards)
    vision_verbs.add_verbs(partial(_add, verbs))
    owner.add_verbs(partial(_add, verbs))
    store.add_verbs(partial(_add, verbs))
    model_verbs.add_verbs(partial(_add, verbs))
    return parser


def _add(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    verb: Verb,
    text: str,
    arguments: Callable[[argparse.ArgumentParser], None],
) -> None:
    parser = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    arguments(parser)
    parser.set_defaults(verb=verb)


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, default=Path("site.toml"), help="the shop's site.toml (default: ./site.toml)"
    )


def _run(parser: argparse.ArgumentParser) -> None:
    _config(parser)
    parser.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)


def _replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("log", type=Path, help="one MQTT message a line, as JSON: received, topic, payload")
    _config(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object (the default)")


def _doctor(parser: argparse.ArgumentParser) -> None:
    _config(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="end after the day's figures (for tests)")
    parser.add_argument(
        "--influx", metavar="URL", help="also write to this InfluxDB, such as http://127.0.0.1:8086"
    )
    parser.add_argument("--history", metavar="30d", help="first feed generated days through the hub")
    parser.add_argument("--state", type=Path, default=Path(".emobox/demo"), help="the demo's own folder")
    parser.add_argument("--port", type=_port, default=8080, help="port of the page (default: 8080)")


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError("allowed is a port from 1 to 65535")
    return int(text)


def _vision(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("video", type=Path, help="a video file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _child(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", help="its name in site.toml")
    _run(parser)


def _dashboards(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="the shop's site.toml (default: a shop in Europe/Berlin)")
    parser.add_argument("--out", type=Path, help="write them into this folder")
    parser.add_argument("--check", action="store_true", help="fail when the ones in git are out of date")


def run(args: argparse.Namespace) -> int:
    """The gateway for real."""
    from gateway.app import run as run_hub
    from gateway.journal import JournalError
    from gateway.supervisor import stop_on_signals
    from gateway.web.page import PageError

    site = _supervised_site(args)
    try:
        return run_hub(site, args.config, stop_on_signals())
    except (JournalError, PageError) as error:
        print(error, file=sys.stderr)
        return FAILED


def replay(args: argparse.Namespace) -> int:
    """Spec 6."""
    from gateway.replay import print_replay

    site = load_for_replay(args.config)
    try:
        print_replay(args.log, site)
    except OSError as error:
        print(f"{args.log}: cannot be read ({error.strerror}); give a recorded log", file=sys.stderr)
        return UNUSABLE
    return OK


def demo(args: argparse.Namespace) -> int:
    """The main job on real input."""
    from demo.play import play

    return play(args.state, once=args.once, influx=args.influx, history=args.history, port=args.port)


def doctor(args: argparse.Namespace) -> int:
    """What is wrong, in words a shop understands."""
    from gateway.doctor import diagnose, print_findings

    return print_findings(diagnose(args.config), as_json=args.json)


def vision(args: argparse.Namespace) -> int:
    """What the camera process sees."""
    from gateway.tflite import ModelError
    from gateway.vision.capture import VideoError
    from gateway.vision.report import lines, vision_file
    from models.fetch import FetchError

    try:
        _print(vision_file(args.video, show=True), lines, as_json=args.json)
    except (VideoError, FetchError, ModelError) as error:
        return _unusable(error)
    return OK


def camera(args: argparse.Namespace) -> int:
    """One camera process."""
    from gateway.vision.camera import run_camera

    return _run_child(args, run_camera)


def microphone(args: argparse.Namespace) -> int:
    """One microphone process."""
    from gateway.voice.microphone import run_microphone

    return _run_child(args, run_microphone)


def _run_child(args: argparse.Namespace, run_device: Callable[[Site, str, Path], int]) -> int:
    site = _supervised_site(args)
    sound = site.microphones.get(args.device)
    if args.supervised and sound and sound.source == STDIN:
        print(NO_STDIN.format(device=args.device), file=sys.stderr)
        return UNUSABLE
    return run_device(site, args.device, Path(site.store.path) / "devices")


def _supervised_site(args: argparse.Namespace) -> Site:
    """The configuration; a supervised process ends with the one that started it."""
    from gateway.supervisor import end_with_parent

    if args.supervised:
        end_with_parent()
    return load_site(args.config)


def dashboards(args: argparse.Namespace) -> int:
    """Grafana's JSON."""
    import dashboards as room
    from gateway.privacy import profile

    shop, folder = room.Shop(), args.out or room.GENERATED
    if args.config:
        site = load_site(args.config)
        shop = room.Shop(zone=site.zone, day_start_min=site.day_start, camera=profile(site).camera_on)
    if args.check:
        stale = room.check(folder, shop)
        print("\n".join(stale) or "the dashboards are up to date")
        return FAILED if stale else OK
    try:
        print("\n".join(map(str, room.write(folder, shop))))
    except OSError as error:
        print(
            f"{folder}: cannot be written ({error.strerror}); give another folder with --out", file=sys.stderr
        )
        return FAILED
    return OK


def _print(
    report: dict[str, Any], lines: Callable[[dict[str, Any]], Iterable[str]], *, as_json: bool
) -> None:
    print(json.dumps(report, ensure_ascii=False) if as_json else "\n".join(lines(report)))


def _unusable(error: Exception) -> int:
    print(error, file=sys.stderr)
    return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
