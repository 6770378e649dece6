"""`click long` signs the keyfob's staff pseudonym on at its point (spec 3); records name it with consent."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.config import SiteError, parse_site
from gateway.events import Click
from gateway.fusion import Fusion, PointEvents
from gateway.measurements import contact_of, contact_record

DAY = 1_759_968_000_000  # 2025-10-09 00:00 UTC
HOUR = 3_600_000
FOBS = {name: {"kind": "keyfob"} for name in ("fob-1", "fob-2", "fob-3")}
STAFF = {
    "anna": {"keyfob": "fob-1", "consent": "2025-09-01 A."},
    "boris": {"keyfob": "fob-2", "consent": "2025-09-01 B."},
}


def site(**tables: Any) -> dict[str, Any]:
    return {
        "site": "s",
        "zone": "UTC",
        "day_start": "04:00",
        "points": {"p": {"devices": {**FOBS, "t": {"kind": "terminal", "keys": 3}}}},
        "staff": STAFF,
    } | tables


def serving(asked: int, *signs: tuple[int, str], **tables: Any) -> str | None:
    """Who serves at that ms of the day, given (ms, keyfob) of long clicks; through the record and back."""
    shop, events = parse_site(site(**tables)), PointEvents()
    for n, (t, fob) in enumerate(signs, start=1):
        events.add(Click(fob, 1, n, DAY + t, "long"))
    events.add(Click("fob-3", 1, 99, DAY + asked, "single"))
    (contact,) = Fusion(shop, "p").fuse(events).contacts
    record = contact_record(contact, shop)
    assert contact_of(record) == contact
    assert ("staff" in record.tags) == (contact.staff is not None)
    return record.tags.get("staff")


def test_a_long_click_signs_on_from_its_own_millisecond() -> None:
    signed = (9 * HOUR, "fob-1")
    assert serving(9 * HOUR - 1, signed) is None
    assert serving(9 * HOUR, signed) == "anna"
    assert serving(20 * HOUR, signed) == "anna"


def test_it_holds_until_another_signs_on_there() -> None:
    signs = ((9 * HOUR, "fob-1"), (12 * HOUR, "fob-2"))
    assert serving(12 * HOUR - 1, *signs) == "anna"
    assert serving(12 * HOUR, *reversed(signs)) == "boris"
    assert serving(9 * HOUR, (9 * HOUR, "fob-2"), (9 * HOUR, "fob-1")) == "boris"


def test_it_ends_with_the_business_day() -> None:
    signed = (9 * HOUR, "fob-1")
    assert serving(28 * HOUR - 1, signed) == "anna"
    assert serving(28 * HOUR, signed) is None


def test_without_consent_nobody_is_named_and_the_one_before_no_longer_serves() -> None:
    silent = STAFF | {"carla": {"keyfob": "fob-3", "consent": "  "}}
    assert serving(13 * HOUR, (9 * HOUR, "fob-1"), (12 * HOUR, "fob-3"), staff=silent) is None
    assert serving(13 * HOUR, (9 * HOUR, "fob-1"), (12 * HOUR, "fob-3")) == "anna"
    assert serving(13 * HOUR, (9 * HOUR, "fob-1"), staff={}) is None


@pytest.mark.parametrize(
    ("staff", "why"),
    [
        ({"anna": {"keyfob": "fob-9"}}, "staff.anna.keyfob: allowed is the name of a keyfob"),
        ({"anna": {"keyfob": "t"}}, "staff.anna.keyfob: allowed is the name of a keyfob"),
        ({"anna": {"keyfob": "fob-1"}, "b": {"keyfob": "fob-1"}}, "staff.b.keyfob: is anna's already"),
        (
            {"anna": {"keyfob": "fob-1", "name": "Anna"}},
            "staff.anna.name: unknown name; allowed here: keyfob, consent",
        ),
        ({"anna": {}}, "staff.anna.keyfob: is missing"),
    ],
)
def test_a_wrong_staff_table_is_refused(staff: dict[str, Any], why: str) -> None:
    with pytest.raises(SiteError) as refused:
        parse_site(site(staff=staff))
    assert why in str(refused.value)
