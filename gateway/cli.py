"""The command `emobox`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.config import Site, SiteError, load_site


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; 2 means that what was given cannot be used."""
    parser = argparse.ArgumentParser(prog="emobox", description="How your customers really felt.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("replay", help="compute a recorded log's contacts and indices")
    command.add_argument("log", type=Path)
    command.add_argument("--config", type=Path, required=True)
    command.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    try:
        site: Site = load_site(args.config)
    except SiteError as error:
        print(error, file=sys.stderr)
        return 2
    from gateway.replay import print_replay

    print_replay(args.log, site)
    return 0


if __name__ == "__main__":
    sys.exit(main())
