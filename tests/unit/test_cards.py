"""A person's cards: read, kept, erased with their contacts, and shown beside the raw rate."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cards import CARD, CardsError, counted, read_cards, take_cards
from gateway.erase import erase
from gateway.indices.validation import Cards
from tests.web.shop import NOON, Shop, open_shop

ROOT = Path(__file__).parents[2]


def asked_customers(shop: Shop, count: int = 60) -> list[str]:
    """Contacts of till-1 that the model calls positive, in turn, and not; their ids."""
    start = NOON - 4 * 3_600_000
    for place in range(count):
        shop.contact(start + place * 180_000, 1, smile=0.1 if place % 2 else 0.9)
    shop.catch_up()
    return [f"till-1/{start + place * 180_000}" for place in range(count)]


def test_cards_become_counts_and_the_corrected_rate_stands_beside_the_raw_one(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        names = asked_customers(shop)
        # every smile was seen; 6 of the 30 that the model calls positive are none
        scores = {name: 5 if n % 2 == 0 and n >= 12 else 2 for n, name in enumerate(names)}
        taken = take_cards(shop.journal, shop.site, scores, "cards.csv", NOON)
        assert (taken.cards, taken.unknown, taken.missing) == (60, 0, 0)
        assert counted(shop.journal.records(CARD)) == Cards(tp=24, fn=0, tn=30, fp=6)
        figures = json.loads(shop.today().to_json())["indices"]["till-1"]
    assert figures["smile_rate"] == 0.5
    specificity = 30 / 36
    assert figures["corrected_rate"] == pytest.approx((0.5 + specificity - 1) / specificity)
    assert figures["corrected_low"] < figures["corrected_rate"] < figures["corrected_high"]
    assert figures["cards"] == 60


def test_under_fifty_cards_nothing_is_corrected(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        names = asked_customers(shop)[:49]
        take_cards(shop.journal, shop.site, {name: 4 - n % 2 for n, name in enumerate(names)}, "c", NOON)
        figures = json.loads(shop.today().to_json())["indices"]["all"]
    assert (figures["corrected_rate"], figures["cards"]) == (None, 49)


def test_a_second_file_replaces_scores_and_an_unseen_contact_is_left_out(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        first = asked_customers(shop, 2)[0]
        shop.contact(NOON, 1)  # no face
        shop.catch_up()
        take_cards(shop.journal, shop.site, {first: 1}, "c", NOON)
        taken = take_cards(shop.journal, shop.site, {first: 5, f"till-1/{NOON}": 3, "till-1/7": 3}, "c", NOON)
        assert (taken.cards, taken.unknown, taken.missing) == (1, 1, 1)
        assert counted(shop.journal.records(CARD)) == Cards(tp=1)
        notes = list(shop.journal.audit("validation"))
    assert len(notes) == 2


def test_cards_go_when_their_contacts_are_erased(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        names = asked_customers(shop, 4)
        take_cards(shop.journal, shop.site, dict.fromkeys(names, 3), "c", NOON)
        start = NOON - 4 * 3_600_000
        receipt = erase(shop.journal, shop.site, "till-1", start, start + 200_000, NOON)
        assert receipt.records["card"] == 2
        assert len(shop.journal.records(CARD)) == 2


def test_a_contact_is_named_by_its_id_or_by_point_and_local_time(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        asked_customers(shop, 2)
        file = tmp_path / "cards.csv"
        file.write_text("point,asked,score\ntill-1,2026-09-22T08:00:00,5\ntill-1,2026-09-22T08:03:00,1\n")
        taken = take_cards(shop.journal, shop.site, read_cards(file, shop.site), "c", NOON)
        assert taken.cards == 2
        file.write_text(f"contact,score\ntill-1/{NOON - 4 * 3_600_000},4\n")
        assert take_cards(shop.journal, shop.site, read_cards(file, shop.site), "c", NOON).cards == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("contact,score\ntill-1/1,6\n", "line 2: score is 6; allowed is 1 to 5"),
        ("contact,score\ntill-1/1,\n", "score is missing"),
        ("contact,stars\ntill-1/1,5\n", "allowed are the columns"),
        ("point,asked,score\ntill-9,2026-09-22T08:00:00,5\n", "allowed is a point of site.toml"),
        ("point,asked,score\ntill-1,yesterday,5\n", "asked is yesterday"),
        ("", "allowed are the columns"),
        ("contact;score\ntill-1/1;5\n", "separated by commas"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "cards.csv"
    file.write_text(text)
    with open_shop(tmp_path) as shop, pytest.raises(CardsError, match=says):
        read_cards(file, shop.site)


def test_a_file_that_is_not_there_is_named_and_no_advice_about_commas_is_given(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop, pytest.raises(CardsError, match="give the CSV") as refusal:
        read_cards(tmp_path / "no.csv", shop.site)
    assert ("no.csv" in str(refusal.value), "comma" in str(refusal.value)) == (True, False)


def test_the_command_takes_a_file_into_the_shops_journal(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        name = asked_customers(shop, 1)[0]
    (tmp_path / "cards.csv").write_text(f"contact,score\n{name},5\n")
    (tmp_path / "site.toml").write_text(
        f'site = "shop-1"\nzone = "Europe/Berlin"\nregion = "other"\n[store]\npath = "{tmp_path}"\n'
        '[points.till-1.devices]\nterm-1 = { kind = "terminal", keys = 3 }\n'
    )
    line = [sys.executable, "-m", "gateway.cli", "validate", "smile", "--json"]
    line += ["--cards", str(tmp_path / "cards.csv"), "--config", str(tmp_path / "site.toml")]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["all"] == {"tp": 1, "fn": 0, "tn": 0, "fp": 0}
    (tmp_path / "cards.csv").write_text("contact,score\ntill-1/1,5\n")
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, json.loads(done.stdout)["missing"]) == (1, 1)
