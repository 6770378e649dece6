"""Verbs of `emobox` that look after the store: what they need is imported when they run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.config import Site, load_site

if TYPE_CHECKING:
    from gateway.journal import Journal

OK, FAILED, UNUSABLE = 0, 1, 2


def config_argument(parser: argparse.ArgumentParser) -> None:
    """--config, as every verb has it."""
    parser.add_argument(
        "--config", type=Path, default=Path("site.toml"), help="the shop's site.toml (default: ./site.toml)"
    )


def audit_arguments(parser: argparse.ArgumentParser) -> None:
    """emobox audit [verify]."""
    parser.add_argument("action", nargs="?", choices=["verify"], help="verify: walk the chain of hashes")
    config_argument(parser)


def audit(args: argparse.Namespace) -> int:
    """The audit log; with `verify` 1 when a line was tampered with or is missing."""
    from gateway.audit import lines, verify

    site = load_site(args.config)
    with opened(site, read_only=True) as journal:
        if args.action != "verify":
            for line in lines(journal.audit(), site):
                print(line)
            return OK
        problem, last = verify(journal), list(journal.audit())[-1:]
        if problem:
            print(problem, file=sys.stderr)
            return FAILED
        print(f"{last[0].n} lines, whole; the last hash is {last[0].hash}" if last else "no lines yet")
    return OK


@contextmanager
def opened(site: Site, *, read_only: bool = False) -> Iterator[Journal]:
    """The shop's journal, whether or not its hub is running."""
    from gateway.app import JOURNAL
    from gateway.journal import Journal

    journal = Journal(Path(site.store.path) / JOURNAL)
    try:
        if read_only:
            journal.open(read_only=True)
        else:
            journal.open_beside()
        with journal.reading():
            yield journal
    finally:
        journal.close()


def guarded(verb: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The verb, with what the journal cannot do told in plain words."""

    def run(args: argparse.Namespace) -> int:
        from gateway.journal import JournalError

        try:
            return verb(args)
        except JournalError as error:
            print(error, file=sys.stderr)
            return FAILED

    return run
