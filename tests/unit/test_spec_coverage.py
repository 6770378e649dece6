"""docs/spec-coverage.md names, for each sentence of the spec, tests and cases that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "spec-coverage.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| sentence |")]
CASES = {path.name for path in (ROOT / "tests" / "golden" / "replay").iterdir()}
CASE = re.compile(r"`(\d+_\w+)`")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_a_row_names_what_holds_its_sentence_or_says_that_it_is_open(row: str) -> None:
    held = row.rsplit(" | ", 1)[1]
    assert CASE.search(held) or TEST.search(held) or "**Open**: " in held or "no rule" in held


def test_each_case_named_is_there_and_each_case_is_named() -> None:
    assert set(CASE.findall(PAGE)) == CASES


def test_each_test_named_is_there() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in TEST.findall(PAGE)
        if not (ROOT / path).exists() or f"def {name}(" not in (ROOT / path).read_text()
    ]
    assert missing == []
