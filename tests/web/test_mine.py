"""Staff see only their own ratings (spec 7): by code, from 10 contacts on, in a real browser too."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from gateway import cli
from gateway.config import parse_site
from gateway.keyfile import KEY_BYTES, KeyFileError, read_key
from gateway.mine import KEY, code_of, mine, whose
from gateway.web import reach
from gateway.web.reach import link
from tests.web.shop import NOON, Shop, Table, open_shop, serving, table
from tests.web.test_browser import browse
from tests.web.test_page import get

CONSENT = "2026-09-01, signed"
STAFF = {"anna": {"keyfob": "fob-1", "consent": CONSENT}, "boris": {"keyfob": "fob-2", "consent": CONSENT}}
MINUTE = 60_000


def staffed(folder: Path, **staff: Any) -> Table:
    return table(staff=STAFF | staff, store={"path": str(folder)})


def serve(shop: Shop, fob: str, point: str, keys: list[int | None]) -> None:
    """One person signs on, then serves a customer every two minutes."""
    began = shop.clock.now + MINUTE
    shop.send(fob, began, "click", pattern="long")
    for place, key in enumerate(keys, 1):
        shop.contact(began + 2 * place * MINUTE, key, point=point)
    shop.clock.now = began + 2 * (len(keys) + 1) * MINUTE
    shop.catch_up()


def two_at_work(shop: Shop, of_anna: int = 12) -> None:
    """Anna's customers are content but for one who says nothing, all of Boris's are not."""
    serve(shop, "fob-1", "till-1", [None] + [1] * (of_anna - 1))
    serve(shop, "fob-2", "desk", [3] * 11)


def ask(url: str, code: str) -> tuple[int, dict[str, Any]]:
    status, _, text = get(url, "/api/mine", Authorization=f"Bearer {code}")
    return status, json.loads(text)


def test_each_sees_their_own_ratings_and_nobody_elses(tmp_path: Path) -> None:
    with open_shop(tmp_path, staffed(tmp_path)) as shop:
        two_at_work(shop)
        anna, boris = (mine(shop.journal, shop.site, name, shop.clock.now) for name in ("anna", "boris"))
    assert (anna.asked, anna.ratings) == (12, {"top": 11, "middle": 0, "low": 0, "silent": 1})
    assert (boris.asked, boris.ratings) == (11, {"top": 0, "middle": 0, "low": 11, "silent": 0})
    assert boris.index.emonps == -100


def test_under_ten_contacts_nothing_but_how_many_are_missing(tmp_path: Path) -> None:
    with open_shop(tmp_path, staffed(tmp_path)) as shop:
        two_at_work(shop, of_anna=9)
        anna = mine(shop.journal, shop.site, "anna", shop.clock.now)
    assert (anna.asked, anna.missing, anna.ratings, anna.index.published) == (9, 1, None, "none")


def test_what_is_older_than_thirty_days_is_over(tmp_path: Path) -> None:
    with open_shop(tmp_path, staffed(tmp_path)) as shop:
        two_at_work(shop)
        day = 24 * 60 * MINUTE
        assert mine(shop.journal, shop.site, "anna", shop.clock.now + 29 * day).asked == 12
        assert mine(shop.journal, shop.site, "anna", shop.clock.now + 30 * day).asked == 0


def test_a_code_opens_the_figures_of_its_owner_alone(tmp_path: Path) -> None:
    with open_shop(tmp_path, staffed(tmp_path)) as shop:
        two_at_work(shop)
        anna, boris = (code_of(shop.site, name, make=True) for name in ("anna", "boris"))
        with serving(shop) as url:
            assert ask(url, anna)[1]["name"] == "anna"
            assert ask(url, boris)[1]["name"] == "boris"
            for wrong in ("", anna[:-1], anna + "a", anna.upper(), "anna", "ä" * 24):
                status, body = ask(url, wrong.encode().decode("latin-1"))
                assert (status, set(body)) == (401, {"why"})


def test_without_consent_a_code_opens_nothing(tmp_path: Path) -> None:
    site = parse_site(staffed(tmp_path))
    code = code_of(site, "anna", make=True)
    assert whose(site, code) == "anna"
    assert whose(parse_site(staffed(tmp_path, anna={"keyfob": "fob-1"})), code) is None


def test_before_a_first_code_nobody_gets_in_and_a_key_that_others_read_is_refused(tmp_path: Path) -> None:
    site = parse_site(staffed(tmp_path))
    assert whose(site, "") is None
    code = code_of(site, "anna", make=True)
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600
    assert len(read_key(tmp_path / KEY)) == KEY_BYTES
    (tmp_path / KEY).chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        whose(site, code)


def test_a_key_that_cannot_be_read_is_said_without_its_content(tmp_path: Path) -> None:
    with open_shop(tmp_path, staffed(tmp_path)) as shop:
        code_of(shop.site, "anna", make=True)
        (tmp_path / KEY).write_bytes(b"short secret")
        with serving(shop) as url:
            status, body = ask(url, "x")
    assert status == 503
    assert "secret" not in str(body)
    assert "emobox doctor" in body["why"]


def test_the_browser_shows_whoever_has_the_link_their_own_figures(tmp_path: Path) -> None:
    with open_shop(tmp_path, staffed(tmp_path)) as shop:
        two_at_work(shop)
        code = code_of(shop.site, "boris", make=True)
        with serving(shop) as url:
            shown = browse(f"{url}/mine#{code}", tmp_path)
            stranger = browse(f"{url}/mine#nonsense", tmp_path)
    assert "boris" in shown.text
    assert "anna" not in shown.text
    assert (shown.figures["emonps"], shown.figures["low"]) == ("−100", "11")
    assert not stranger.figures
    assert "this link opens nothing" in stranger.text


def config(folder: Path, consent: str) -> str:
    path = folder / "site.toml"
    path.write_text(
        f"""
site = "shop-1"
zone = "Europe/Berlin"
region = "other"
[store]
path = "{folder / "new" / "store"}"
[points.till-1.devices]
fob-1 = {{ kind = "keyfob" }}
[staff.anna]
keyfob = "fob-1"
consent = "{consent}"
"""
    )
    return str(path)


def test_the_link_is_printed_for_who_agreed_and_stays_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, CONSENT)
    assert [cli.main(["mine", "anna", "--config", path]) for _ in range(2)] == [0, 0]
    said = capsys.readouterr()
    first, second = said.out.splitlines()
    assert first == second
    assert first.startswith("http://127.0.0.1:8080/mine#")
    assert "[web] host" in said.err
    assert cli.main(["mine", "boris", "--config", path]) == 2
    assert "known: anna" in capsys.readouterr().err
    assert cli.main(["mine", "anna", "--config", config(tmp_path, "")]) == 2
    assert "staff.anna.consent" in capsys.readouterr().err


def test_a_page_for_the_network_is_told_by_an_address_that_a_phone_can_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, CONSENT)
    Path(path).write_text(Path(path).read_text() + '\n[web]\nhost = "0.0.0.0"\n')
    assert cli.main(["mine", "anna", "--config", path]) == 0
    said = capsys.readouterr()
    host = said.out.removeprefix("http://").partition(":")[0]
    assert said.out.startswith("http://")
    assert (host in ("0.0.0.0", ""), said.err) == (False, "")
    assert link("::1", 80, "/x") == "http://[::1]:80/x"


def test_a_box_in_no_network_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "ELSEWHERE", ("255.255.255.255", 9))  # the kernel refuses to connect to it
    assert link("0.0.0.0", 80, "/x") == f"http://{socket.gethostname()}:80/x"


def test_a_store_that_cannot_be_written_is_said_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, CONSENT)
    Path(path).write_text(re.sub(r'path = ".*"', 'path = "/proc/none"', Path(path).read_text()))
    assert cli.main(["mine", "anna", "--config", path]) == 1
    assert "[store] path in site.toml has to be a folder" in capsys.readouterr().err


def test_at_noon_of_an_empty_shop_there_is_nothing(tmp_path: Path) -> None:
    with open_shop(tmp_path, staffed(tmp_path)) as shop:
        assert mine(shop.journal, shop.site, "anna", NOON).asked == 0
