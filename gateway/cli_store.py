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


def add_verbs(add: Callable[..., None]) -> None:
    """Every verb of this file; `add` takes name, verb, help and the function that adds its arguments."""
    for name, verb, text, arguments in (
        ("audit", audit, "print the audit log, or verify its chain of hashes", audit_arguments),
        ("erase", erase, "erase a stretch of one point, with a receipt in the audit log", erase_arguments),
        ("export", export, "write the journal as a log for replay", export_arguments),
        ("import", import_, "fill an empty journal from an exported log", import_arguments),
        ("backup", backup, "copy the journal while the hub runs, and verify the copy", backup_arguments),
        ("resend", resend, "send every record to InfluxDB again, after it lost data", config_argument),
        ("restore", restore, "put a backup in the journal's place (hub stopped)", restore_arguments),
    ):
        add(name, guarded(verb), text, arguments)


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


def erase_arguments(parser: argparse.ArgumentParser) -> None:
    """emobox erase --point P --from T --to T."""
    config_argument(parser)
    parser.add_argument("--point", required=True, help="its name in site.toml")
    parser.add_argument("--from", dest="start", required=True, help="local time, such as 2026-11-21T10:30")
    parser.add_argument("--to", dest="end", required=True, help="local time, excluded")
    parser.add_argument("--yes", action="store_true", help="do not ask again")


def erase(args: argparse.Namespace) -> int:
    """Erase a stretch of one point, with a receipt; whether or not the hub is running."""
    from gateway import erase as room
    from gateway.clock import Clock

    site, now = load_site(args.config), Clock().now_ms()
    try:
        start, end = room.local_ms(site, args.start), room.local_ms(site, args.end, last=True)
        with opened(site) as journal:
            count = len(room.plan(journal, site, args.point, start, end, now).records)
            if not args.yes and not _is_sure(f"{count} records of {args.point}, and the events behind them"):
                return FAILED
            receipt = room.erase(journal, site, args.point, start, end, now)
    except room.EraseError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    counts = f"records: {dict(receipt.records) or 'none'}; clips of sound: {receipt.clips}"
    print(f"erased: {receipt.events} events; {counts}")
    print(f"receipt: line {receipt.line.n} of the audit log, {receipt.line.hash}")
    print("the running hub, or its next start, takes them out of InfluxDB and out of hours and days")
    return OK


def _is_sure(what: str) -> bool:
    print(f"{what} will be gone for ever. Type yes to erase them: ", end="", flush=True)
    return sys.stdin.readline().strip() == "yes"


def export_arguments(parser: argparse.ArgumentParser) -> None:
    """emobox export --out FILE [--from T --to T]."""
    config_argument(parser)
    parser.add_argument("--out", type=Path, required=True, help="the log to write, such as log.jsonl")
    parser.add_argument("--from", dest="start", help="local time, such as 2026-11-21T10:30")
    parser.add_argument("--to", dest="end", help="local time, excluded")


def export(args: argparse.Namespace) -> int:
    """The journal as a log for `emobox replay`; whether or not the hub is running."""
    from gateway import erase as room
    from gateway.clock import Clock
    from gateway.export import export_log
    from gateway.journal import SQLITE_INT_MAX

    site = load_site(args.config)
    try:
        start = room.local_ms(site, args.start) if args.start else 0
        end = room.local_ms(site, args.end, last=True) if args.end else SQLITE_INT_MAX
        with opened(site) as journal:
            count = export_log(journal, site, args.out, Clock().now_ms(), start, end)
    except room.EraseError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except OSError as error:
        print(f"{args.out}: cannot be written ({error.strerror}); give another --out", file=sys.stderr)
        return UNUSABLE
    print(f"{count} messages in {args.out}")
    return OK


def import_arguments(parser: argparse.ArgumentParser) -> None:
    """emobox import LOG."""
    parser.add_argument("log", type=Path, help="a log that emobox export wrote")
    config_argument(parser)


def import_(args: argparse.Namespace) -> int:
    """Fill an empty journal from a log; the hub must be stopped."""
    from gateway.app import open_store
    from gateway.clock import Clock
    from gateway.export import import_log

    site = load_site(args.config)
    journal = open_store(site)
    try:
        count = import_log(journal, site, args.log, Clock().now_ms())
    except OSError as error:
        print(f"{args.log}: cannot be read ({error.strerror})", file=sys.stderr)
        return UNUSABLE
    finally:
        journal.close()
    print(f"{count} messages are in the journal; the hub works them out at its next start")
    return OK


def backup_arguments(parser: argparse.ArgumentParser) -> None:
    """emobox backup --out FILE."""
    config_argument(parser)
    parser.add_argument("--out", type=Path, required=True, help="the file to write")


def backup(args: argparse.Namespace) -> int:
    """A verified copy of the journal; whether or not the hub is running."""
    from gateway import backup as room
    from gateway.clock import Clock

    try:
        with opened(load_site(args.config)) as journal:
            digest = room.backup(journal, args.out, Clock().now_ms())
    except OSError as error:
        print(f"{args.out}: cannot be written ({error.strerror})", file=sys.stderr)
        return UNUSABLE
    print(f"{args.out}: verified, sha256 {digest}")
    return OK


def resend(args: argparse.Namespace) -> int:
    """Let the hub start with InfluxDB from the beginning; what is there already stays as it is."""
    from gateway.sinks.influx import Influx

    site = load_site(args.config)
    if site.influx is None:
        print("site.toml has no [influx] table: there is nowhere to send to", file=sys.stderr)
        return UNUSABLE
    with opened(site) as journal:
        journal.set_cursor(Influx.name, 0)
        changes = journal.last_change()
    print(f"{changes} changes go to InfluxDB again: from now on if the hub runs, else from its next start")
    return OK


def restore_arguments(parser: argparse.ArgumentParser) -> None:
    """emobox restore FILE."""
    parser.add_argument("file", type=Path, help="a file that emobox backup wrote")
    config_argument(parser)


def restore(args: argparse.Namespace) -> int:
    """Put a backup in the journal's place; the hub must be stopped."""
    from gateway import backup as room
    from gateway.app import store_of
    from gateway.clock import Clock

    site = load_site(args.config)
    journal = store_of(site)
    try:
        done = room.restore(journal, site, args.file, Clock().now_ms())
    finally:
        journal.close()
    print(f"{journal.path} is what it was at the backup; what was there before is {done.kept}")
    print(f"erasures made since, and made again in it: {done.repeated}")
    for text in done.undone:
        print(text, file=sys.stderr)
    return OK


@contextmanager
def opened(site: Site, *, read_only: bool = False) -> Iterator[Journal]:
    """The shop's journal, whether or not its hub is running."""
    from gateway.app import store_of

    journal = store_of(site)
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
