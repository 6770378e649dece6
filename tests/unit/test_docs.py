"""README and docs say what is: links lead somewhere, commands can be typed, NOTICE is complete."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

import dashboards
from gateway.cli import _parser
from gateway.config import Defaults, Site, load_site
from gateway.replay import replay
from models.fetch import manifest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(
    r"(?:^|[\s`/])(?:emobox (?=[a-z]+(?:[\s`]|$))|script/(?=demo))([^`#\n|;]*)", re.MULTILINE
)
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def commands() -> list[tuple[str, str]]:
    """(page, arguments of emobox) of every command in the code of a page."""
    return [
        (name(page), command.strip())
        for page in PAGES
        for code in CODE.findall(page.read_text())
        for command in COMMAND.findall(code)
    ]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            there = page.parent / path if path else page
            assert there.exists(), f"{name(page)}: {target} leads nowhere"
            assert not anchor or anchor in anchors(there), f"{name(page)}: {target} names no heading"


def anchors(page: Path) -> list[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def test_the_pages_name_commands() -> None:
    verbs = {arguments.split()[0] for _, arguments in commands()}
    assert {"run", "demo", "replay", "doctor", "dashboards"} <= verbs


@pytest.mark.parametrize(("page", "arguments"), commands())
def test_every_command_can_be_typed_as_it_stands(page: str, arguments: str) -> None:
    words = shlex.split(arguments)
    if words in (["replay"], ["vision"], ["voice"], ["models"], ["import"]):
        words.append("fetch")  # the verb is named, not used
    _parser().parse_args(words)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    for path, function in TEST.findall(page.read_text()):
        assert re.search(rf"^(?:async )?def {function}\(", (ROOT / path).read_text(), re.MULTILINE), function


def test_the_developers_page_names_only_files_that_exist_and_every_room_of_gateway_and_tests() -> None:
    page = (DOCS / "developer.md").read_text()
    for path in re.findall(r"`((?:gateway|firmware|dashboards|demo|tests|models)/[\w/.]+)`", page):
        assert (ROOT / path).exists(), path
    rooms = [
        room
        for folder in ("gateway", "tests")
        for room in sorted((ROOT / folder).iterdir())
        if (room.suffix == ".py" or (room / "__init__.py").exists()) and room.name != "__init__.py"
    ]
    missing = [room.name for room in rooms if not re.search(rf"[`/ ]{re.escape(room.name)}[`/]", page)]
    assert not missing


def test_the_example_configuration_loads_and_names_every_table_and_every_default() -> None:
    example = DOCS / "site.example.toml"
    table = tomllib.loads(example.read_text())
    assert load_site(example).defaults == Defaults()
    gated = {"scope_all", "staff_camera"}  # the example's region refuses them
    assert table.keys() | gated == Site.model_fields.keys()
    assert all(f"# [{name}" in example.read_text() for name in gated)
    assert table["defaults"].keys() == Defaults.model_fields.keys()


def test_the_replay_of_the_example_says_what_its_page_says() -> None:
    report = replay(DOCS / "example.jsonl", load_site(DOCS / "site.example.toml"))
    told = [(contact["outcome"], contact["score"], contact["answer_s"]) for contact in report["contacts"]]
    assert told == [("loyal", 1.0, 4.0), ("critic", -1.0, 5.0), ("silent", -0.5, None)]
    assert report["contacts"][0]["valid_s"] == 2.1
    assert (report["presses"]["asked"], report["presses"]["spontaneous"]) == (2, 1)
    assert [item["line"] for item in report["quarantined"]] == [12]
    assert (report["duplicates"], report["gaps"]) == (1, 1)
    assert (report["indices"]["all"]["n"], report["indices"]["all"]["published"]) == (3, "none")


def test_the_lines_that_the_replay_page_shows_are_those_of_the_example() -> None:
    shown = re.search(r"^```json\n(.*?)\n```", (DOCS / "replay.md").read_text(), re.MULTILINE | re.DOTALL)
    assert shown
    assert shown[1] == (DOCS / "example.jsonl").read_text().splitlines()[0]


def test_the_kiosk_address_is_the_dashboards_own() -> None:
    assert dashboards.kiosk_path("shop-1") in (DOCS / "owner.md").read_text()


def test_the_devices_configuration_in_the_technicians_page_is_one_that_a_device_takes() -> None:
    block = re.search(r"^```json\n(.*?)^```", (DOCS / "technician.md").read_text(), re.MULTILINE | re.DOTALL)
    assert block
    given = SimpleNamespace(**json.loads(block[1]))
    site = load_site(DOCS / "site.example.toml")
    assert given.site == site.site
    assert site.devices[given.device].kind == given.kind
    assert site.devices[given.device].keys == given.keys


def test_notice_names_every_fetched_file_and_every_phrase_head_with_its_sha256() -> None:
    notice = (ROOT / "NOTICE").read_text()
    for entry in manifest().values():
        assert re.search(rf"^{entry.name}$", notice, re.MULTILINE), entry.name
        assert f"{entry.wheel.package} {entry.wheel.version}, {entry.member}" in notice
        assert entry.sha256 in notice
    for card in sorted((ROOT / "models" / "tflite").rglob("*.toml")):
        assert re.search(
            rf"^{card.stem}\.tflite +{tomllib.loads(card.read_text())['sha256']}$", notice, re.MULTILINE
        ), card.stem


def test_the_readme_fits_one_screen() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 60


def test_the_readme_quotes_the_cards() -> None:
    readme = (ROOT / "README.md").read_text()
    recalls = [
        tomllib.loads(card.read_text())["measured"]["noise_10db_reverb"]["recall"]
        for card in (ROOT / "models" / "tflite").glob("*/*.toml")
    ]
    assert f"{100 * min(recalls):.0f} to {100 * max(recalls):.0f} %" in readme
    card = (ROOT / "models" / "tflite" / "smile.md").read_text()
    row = re.search(r"\| own as given \| 1603 \| \d+ \| (\.\d+) \(.*?\) \| (\.\d+) ", card)
    assert row
    share = f"{100 * float(row[2]):.1f} %"
    assert f"{share} of photos (AUC {row[1]}, " in readme
    assert f"{share} of photos" in (DOCS / "owner.md").read_text()
