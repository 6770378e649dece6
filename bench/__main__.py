"""`python -m bench [NAME …] [--runs 5]`: runs benches one after the other and prints their tables."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.table import markdown

NAMES = ("ingest", "outage", "latency", "replay", "year", "memory", "vision", "voice")


def main() -> int:
    """Print every table; 0 always: a figure passes no judgement here."""
    args = _parser().parse_args()
    if args.list:
        for name in NAMES:
            print(f"{name:8} {_summary(name)}")
        return 0
    print(machine(), f"runs: {args.runs}")
    for name in args.names or NAMES:
        _run(name, args.runs)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="script/bench", description="Measure; see docs/benchmarks.md.")
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--runs", type=int, default=5, help="samples a figure (default: 5)")
    parser.add_argument("--list", action="store_true", help="say what each bench measures")
    return parser


def _summary(name: str) -> str:
    return (importlib.import_module(f"bench.{name}").__doc__ or "").partition("\n")[0]


def _run(name: str, runs: int) -> None:
    bench = importlib.import_module(f"bench.{name}")
    print(f"\n## {name}\n\n{bench.__doc__}\nload before: {load()}", flush=True)
    start = time.monotonic()
    rows = bench.measure(runs)
    print(f"load after: {load()}; took {time.monotonic() - start:.0f} s\n\n{markdown(rows)}", flush=True)


def machine() -> str:
    """What ran it, in a line."""
    cpu = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    python = platform.python_version()
    now = datetime.now(UTC).isoformat(timespec="minutes")
    name = cpu[0] if cpu else platform.machine()
    return f"{now} · {os.cpu_count()} × {name} · Linux {platform.release()} · Python {python} ·"


def load() -> str:
    """Load average over 1, 5, 15 minutes: other work on this machine disturbs absolute figures."""
    return " ".join(f"{one:.1f}" for one in os.getloadavg())


if __name__ == "__main__":
    sys.exit(main())
