"""`python -m bench.pace FOLDER DAYS`: a shop's history through journal, recorder, indexer, sink.

Prints a line with the number of events after every day, for the memory bench, which watches the process.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.year import FACES_LONG, History, feed
from gateway.config import load_site


def main() -> None:
    """Feed, then wait until standard input ends, so that the process can be looked at."""
    folder, found = Path(sys.argv[1]), History(int(sys.argv[2]))
    feed(folder, load_site(folder / "site.toml"), FACES_LONG, found, lambda: print(found.events, flush=True))
    sys.stdin.read()


if __name__ == "__main__":
    main()
