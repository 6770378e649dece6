"""Ribbon cards that a person has scored: into the journal, and as counts for the corrected smile rate.

A card is a record `card` with the contact's own id and time, so that erasing and retention treat it as they
treat the contact. It says what the person saw (1 to 5) and what the model had said of that contact.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.config import Site
from gateway.indices.validation import SMILE_FROM, Cards
from gateway.journal import Journal
from gateway.measurements import contact_of
from gateway.records import Record

CARD = "card"
READER = "cards"
VALIDATION = "validation"  # kind of the audit log's line
COLUMNS = "allowed are the columns contact,score or point,asked,score"


class CardsError(Exception):
    """The file cannot be used; the text names the line and what is allowed."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the rows: cards, rows of a contact without known emotion, and rows of no contact."""

    cards: int
    unknown: int
    missing: int


def read_cards(path: Path, site: Site) -> dict[str, int]:
    """Scores (1 to 5) by contact id. CardsError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if not {"score"} < set(rows.fieldnames or ()):
                raise CardsError(f"{path}: {COLUMNS}{_separated(rows.fieldnames or ())}")
            return dict(_row(f"{path}, line {n}", row, site) for n, row in enumerate(rows, 2))
    except OSError as error:
        raise CardsError(f"{path}: cannot be read ({error.strerror}); give the CSV with the scores") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise CardsError(f"{path}: cannot be read as CSV ({error}); save it as UTF-8 with commas") from None


def _separated(names: Sequence[str]) -> str:
    return "; separated by commas: save the table as CSV with commas" if ";" in "".join(names) else ""


def _row(where: str, row: dict[str, str], site: Site) -> tuple[str, int]:
    score = (row.get("score") or "").strip()
    if score not in ("1", "2", "3", "4", "5"):
        raise CardsError(f"{where}: score is {score or 'missing'}; allowed is 1 to 5")
    return (row.get("contact") or "").strip() or _named(where, row, site), int(score)


def _named(where: str, row: dict[str, str], site: Site) -> str:
    """The id of a contact that is given by point and local time of the ask, to the second."""
    point, asked = (row.get("point") or "").strip(), (row.get("asked") or "").strip()
    try:
        wall = datetime.fromisoformat(asked)
    except ValueError:
        raise CardsError(f"{where}: asked is {asked or 'missing'}; allowed is 2026-11-21T10:30:05") from None
    if point not in site.points or wall.tzinfo is not None:
        raise CardsError(
            f"{where}: allowed is a point of site.toml, and a local time without offset; {COLUMNS}"
        )
    return f"{point}/{round(wall.replace(tzinfo=site.tz).timestamp())}"


def take_cards(journal: Journal, site: Site, scores: dict[str, int], file: str, now: int) -> Taken:
    """Write the cards into the journal, with a line in the audit log, in one commit."""
    contacts = _contacts(journal)
    found = {name: contacts.get(name) for name in scores}
    known = {name: record for name, record in found.items() if record and contact_of(record).emotion.known}
    cards = [_card(record, scores[name], site) for name, record in known.items()]
    missing = sum(record is None for record in found.values())
    taken = Taken(len(cards), len(scores) - len(cards) - missing, missing)
    detail = {"file": file, "cards": taken.cards, "unknown": taken.unknown, "missing": taken.missing}
    journal.record(READER, 0, [("put", card) for card in cards], [(now, VALIDATION, detail)])
    return taken


def _contacts(journal: Journal) -> dict[str, Record]:
    """Contacts that are in the indices, by id and by id with the ask's second."""
    records = [record for record in journal.records("contact") if contact_of(record).counts]
    by_second = {f"{r.tags['point']}/{r.time_ms // 1000}": r for r in records}
    return by_second | {str(record.fields["id"]): record for record in records}


def _card(record: Record, score: int, site: Site) -> Record:
    positive = bool(contact_of(record).emotion.positive)
    tags = {"site": site.site, "point": record.tags["point"]}
    fields = {"score": score, "smile": int(score >= SMILE_FROM), "positive": int(positive)}
    return Record(
        f"card/{record.fields['id']}", CARD, record.time_ms, tags, {**fields, "id": record.fields["id"]}
    )


def counted(records: Iterable[Record]) -> Cards:
    """The cards as counts of right and wrong."""
    counts = Counter(_kind(record) for record in records)
    return Cards(counts["tp"], counts["fn"], counts["tn"], counts["fp"])


def _kind(card: Record) -> str:
    if card.fields["smile"]:
        return "tp" if card.fields["positive"] else "fn"
    return "fp" if card.fields["positive"] else "tn"


def lines(cards: Cards, taken: Taken) -> Iterator[str]:
    """What the command says."""
    left_out = f"{taken.unknown} of contacts without known emotion, {taken.missing} of no contact"
    yield f"{taken.cards} cards taken; left out: {left_out}"
    if cards.sensitivity is not None and cards.specificity is not None:
        yield f"of {cards.n} cards: sensitivity {cards.sensitivity:.2f}, specificity {cards.specificity:.2f}"
