"""`emobox doctor`: what is wrong with a shop's box, in words its owner understands, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from gateway.checks import Finding, error, ok
from gateway.checks.events import check_journal
from gateway.checks.links import check_broker, check_influx, check_page
from gateway.checks.machine import check_clock, check_disk
from gateway.checks.senses import check_models, check_privacy, check_sources
from gateway.config import Site, SiteError, load_site

__all__ = ["Finding", "diagnose", "print_findings"]

CHECKS: tuple[Callable[[Site], Iterator[Finding]], ...] = (
    check_broker,
    check_journal,
    check_influx,
    check_privacy,
    check_sources,
    check_models,
    check_page,
    check_clock,
    check_disk,
)
SIGNS = {"ok": "✓ ok     ", "warning": "! warning", "error": "✗ ERROR  "}


def diagnose(site_path: Path) -> list[Finding]:
    """Every finding about the shop of a site.toml; works while its hub runs, and changes nothing of it."""
    try:
        site = load_site(site_path)
    except SiteError as failure:
        return [
            error(line, "put that right in the file, then run the doctor again") for line in _lines(failure)
        ]
    shop = f"{site_path} can be read: shop {site.site}, points: {', '.join(site.points) or 'none'}"
    return [
        ok(shop) if site.points else _no_points(shop),
        *(one for check in CHECKS for one in _asked(check, site)),
    ]


def _no_points(shop: str) -> Finding:
    return error(
        shop, "nothing is counted without a point: add one with its devices, as in docs/site.example.toml"
    )


def _asked(check: Callable[[Site], Iterator[Finding]], site: Site) -> Iterator[Finding]:
    """What a check finds; that it broke off hides nothing of the others."""
    try:
        yield from check(site)
    except Exception as failure:  # noqa: BLE001 - whatever it is, the doctor has to say so
        name = check.__name__.removeprefix("check_")
        yield error(
            f"{name}: could not be checked ({type(failure).__name__})", "run the doctor again; tell support"
        )


def print_findings(findings: Sequence[Finding], *, as_json: bool = False) -> int:
    """Print them for a person or a program; the exit status, 1 when there is an error."""
    failed = any(finding.level == "error" for finding in findings)
    if as_json:
        print(
            json.dumps({"ok": not failed, "findings": [asdict(one) for one in findings]}, ensure_ascii=False)
        )
    else:
        print("\n".join(_text(finding) for finding in findings))
    return int(failed)


def _text(finding: Finding) -> str:
    text = f"{SIGNS[finding.level]}  {_clean(finding.what)}"
    return f"{text}\n{' ' * 11}→ {_clean(finding.do)}" if finding.do else text


def _clean(text: str) -> str:
    """Without signs that would steer a terminal: parts of it came from devices."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def _lines(failure: SiteError) -> list[str]:
    return str(failure).splitlines()
