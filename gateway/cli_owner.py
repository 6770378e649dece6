"""Verbs of `emobox` for who runs the shop; what they need is imported when they run."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.cli_store import FAILED, OK, UNUSABLE, config_argument, guarded, opened
from gateway.config import Site, load_site

if TYPE_CHECKING:
    from gateway.bus import Bus

LINK_WAIT_S = 5.0


def add_verbs(add: Callable[..., None]) -> None:
    """Every verb of this file; `add` takes name, verb, help and the function that adds its arguments."""
    add("prompt", prompt, "light the lamps of a point: ask the next customer", prompt_arguments)
    add("mine", mine, "the link to a member of staff's own ratings", mine_arguments)
    add("report", guarded(report), "figures of the last days that the page does not show", report_arguments)


def prompt_arguments(parser: argparse.ArgumentParser) -> None:
    """emobox prompt POINT."""
    parser.add_argument("point", help="its name in site.toml")
    config_argument(parser)


def prompt(args: argparse.Namespace) -> int:
    """Send `prompt` to keyfobs and terminals of a point; the running hub hears and remembers it."""
    from firmware import wire
    from gateway import prompts
    from gateway.bus import Bus

    site = load_site(args.config)
    if args.point not in site.points:
        print(f"{args.point}: no such point; allowed: {', '.join(site.points)}", file=sys.stderr)
        return UNUSABLE
    lights = prompts.lights(site, args.point)
    bus = Bus(site.broker.address(), f"{site.site}-prompt")
    bus.start()
    try:
        _wait_for_link(bus)
        sent = [bus.publish(wire.topic(site.site, name, "command"), prompts.command()) for name in lights]
    finally:
        bus.stop()
    if not lights or not all(sent):
        print(_why_dark(args.point, lights), file=sys.stderr)
        return FAILED
    print(f"{', '.join(lights)}: ask the next customer; a click within 60 s counts as prompted")
    return OK


def _wait_for_link(bus: Bus) -> None:
    end_s = time.monotonic() + LINK_WAIT_S
    while not bus.connected and time.monotonic() < end_s:
        time.sleep(0.02)


def _why_dark(point: str, lights: list[str]) -> str:
    if not lights:
        return f"{point}: has no keyfob and no terminal whose light could say it (none in test mode)"
    return "the broker does not answer; start it or check [broker] in site.toml"


def mine_arguments(parser: argparse.ArgumentParser) -> None:
    """emobox mine NAME."""
    parser.add_argument("name", help="the pseudonym, as in [staff.NAME] of site.toml")
    config_argument(parser)


def mine(args: argparse.Namespace) -> int:
    """Print the link that opens one person's own figures; the running hub shows them."""
    from gateway.keyfile import KeyFileError
    from gateway.mine import code_of
    from gateway.web.reach import link, why_unreachable

    site = load_site(args.config)
    if why := _why_nothing_own(site, args.name):
        print(why, file=sys.stderr)
        return UNUSABLE
    try:
        code = code_of(site, args.name, make=True)
    except KeyFileError as error:
        print(error, file=sys.stderr)
        return FAILED
    except OSError as error:
        where = f"the key cannot be kept in {site.store.path} ({error.strerror})"
        print(
            f"{where}; [store] path in site.toml has to be a folder that this user may write", file=sys.stderr
        )
        return FAILED
    print(link(site.web.host, site.web.port, f"/mine#{code}"))
    if why := why_unreachable(site.web.host):
        print(why, file=sys.stderr)
    return OK


def _why_nothing_own(site: Site, name: str) -> str:
    if name not in site.staff:
        known = ", ".join(site.staff) or "none: site.toml has no [staff.NAME] table"
        return f"{name}: no such pseudonym; known: {known}"
    if not site.staff[name].consent.strip():
        return f"{name}: no consent is recorded, so no figures: set staff.{name}.consent to who and when"
    return ""


def report_arguments(parser: argparse.ArgumentParser) -> None:
    """emobox report [--days N] [--served N] [--json]."""
    config_argument(parser)
    parser.add_argument("--days", type=_days, default=1, help="business days up to now, 1 to 92 (default: 1)")
    parser.add_argument(
        "--served", type=_served, help="customers that the shop served in these days, if you know"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _served(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("allowed is a whole number from 1 on")
    return int(text)


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 92:
        raise argparse.ArgumentTypeError("allowed is 1 to 92")
    return int(text)


def report(args: argparse.Namespace) -> int:
    """Shares, tables and sample sizes of the whole shop, from the journal; whether or not the hub runs."""
    from gateway import report as room
    from gateway.clock import Clock

    site = load_site(args.config)
    with opened(site, read_only=True) as journal:
        found = room.report(journal, site, Clock().now_ms(), args.days, args.served)
    print(json.dumps(found, ensure_ascii=False) if args.json else "\n".join(room.lines(found)))
    return OK
