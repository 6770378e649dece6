"""What a member of staff sees: their own ratings, and nobody else's (spec 7).

Who has the code of a pseudonym sees its figures. Codes are made from a key of this machine and stay until its
file is deleted. Somebody without recorded consent stands in no record and has no figures.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.config import Site
from gateway.indices import measure
from gateway.indices.nps import MIN_N, Published
from gateway.journal import Journal
from gateway.keyfile import read_key
from gateway.measurements import contact_of
from gateway.report import first_day

KEY = "staff.key"
CODE_BYTES = 15
DAYS = 30
ANSWERS = ("top", "middle", "low", "silent")


@dataclass(frozen=True, slots=True)
class Mine:
    """The last 30 business days of one person; `ratings` (by answer) is None below 10 contacts."""

    name: str
    since: str
    asked: int
    missing: int
    ratings: Mapping[str, int] | None
    index: Published


def code_of(site: Site, name: str, *, make: bool = False) -> str:
    """The code that opens the page of that pseudonym, 24 letters and digits. KeyFileError."""
    key = read_key(Path(site.store.path) / KEY, make=make)
    digest = hmac.digest(key, name.encode(), "sha256")
    return b32encode(digest[:CODE_BYTES]).decode().lower()


def whose(site: Site, code: str) -> str | None:
    """The pseudonym of that code; None for a wrong one, or without consent. KeyFileError."""
    if not (Path(site.store.path) / KEY).exists():
        return None
    agreed = [name for name, one in site.staff.items() if one.consent.strip()]
    matching = [name for name in agreed if hmac.compare_digest(code_of(site, name).encode(), code.encode())]
    return matching[0] if matching else None


def mine(journal: Journal, site: Site, name: str, now: int) -> Mine:
    """The contacts of one person up to `now` (ms), and of nobody else."""
    start = first_day(site, now, DAYS).start
    found = [contact_of(record) for record in journal.records("contact", start, now + 1)]
    own = [contact for contact in found if contact.staff == name and contact.counts]
    ratings = Counter(contact.rating or "silent" for contact in own)
    return Mine(
        name,
        site.local_date(start),
        len(own),
        max(0, MIN_N - len(own)),
        {answer: ratings[answer] for answer in ANSWERS} if len(own) >= MIN_N else None,
        measure(own, site).nps,
    )
