"""Scenarios worked out by hand, each at the edges of a rule of the spec; why.md names its sentence."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from gateway.config import load_site
from gateway.replay import replay

CASES = sorted(Path(__file__).with_name("replay").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_replay_says_what_the_spec_says(case: Path) -> None:
    report = replay(case / "log.jsonl", load_site(case / "site.toml"))
    expected = json.loads((case / "expected.json").read_text())
    assert list(differences(_plain(report), _plain(expected))) == []


def differences(got: Any, expected: Any, place: str = "") -> Any:
    """Where `got` is not as expected; of an object only the keys that are expected, of a list every item."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            yield from differences(got.get(key, "missing"), value, f"{place}.{key}")
    elif isinstance(expected, list) and isinstance(got, list) and len(got) == len(expected):
        for n, (ours, theirs) in enumerate(zip(got, expected, strict=True)):
            yield from differences(ours, theirs, f"{place}[{n}]")
    elif not _same(got, expected):
        yield f"{place}: got {got!r}, expected {expected!r}"


def _same(got: Any, expected: Any) -> bool:
    if isinstance(got, bool) or isinstance(expected, bool) or not isinstance(expected, int | float):
        return type(got) is type(expected) and bool(got == expected)
    if isinstance(got, int) and isinstance(expected, int):
        return got == expected
    return isinstance(got, int | float) and math.isclose(got, expected, rel_tol=1e-9, abs_tol=1e-9)


def _plain(report: dict[str, Any]) -> dict[str, Any]:
    """Reasons without their details, flags in one order."""
    for item in report.get("quarantined", []):
        item["reason"] = item["reason"].partition(":")[0]
    for contact in report.get("contacts", []):
        if "flags" in contact:
            contact["flags"] = sorted(contact["flags"])
    return report
