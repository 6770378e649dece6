"""The audit log: what is written into it, how it is checked, how a person reads it (spec 3 and 7)."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.address import without_login
from gateway.checks.senses import FACE_MODELS, VOICE_MODELS
from gateway.config import Site
from gateway.journal import GENESIS, REWRITTEN, TRIMMED, Entry, Journal
from gateway.voice.phrases import catalogue, choose
from models import shipped
from models.fetch import manifest

CONFIGURATION = "configuration"
DELETION, ERASURE, EXPORT, IMPORT = "deletion", "erasure", "export", "import"
RECEIPTS = (DELETION, ERASURE)
BACKUP, RESTORE = "backup", "restore"
CLIP = "clip"  # a clip of sound was heard or taken out


# ---- what a start of the hub says -------------------------------------------------------------------


def note_start(journal: Journal, site: Site, config: Path, now: int) -> None:
    """Write down configuration, K, region and models, each only when it is not what the log said last."""
    said = {
        CONFIGURATION: configuration(config, journal.last_note(CONFIGURATION)),
        "k": {
            name: [v.model_dump(mode="json") for v in getattr(site.k, name)] for name in ("button", "voice")
        },
        "region": {"region": site.region},
        "models": models_in_use(site),
    }
    notes = [
        (now, kind, detail) for kind, detail in said.items() if _is_news(detail, journal.last_note(kind))
    ]
    if notes:
        journal.note(*notes)


def configuration(config: Path, last: Mapping[str, Any] | None) -> dict[str, Any]:
    """sha256 of site.toml's content, and the top-level keys that changed; logins in addresses left out."""
    table = _shown(tomllib.loads(config.read_text(encoding="utf-8")))
    keys = {key: _sha256(_canonical(value)) for key, value in table.items()}
    before = dict(last["keys"]) if last else {}
    changed = sorted(key for key in keys.keys() | before.keys() if keys.get(key) != before.get(key))
    return {"sha256": _sha256(_canonical(table)), "keys": keys, "changed": changed}


def _shown(value: Any) -> Any:
    """A TOML value whose addresses have no logins."""
    if isinstance(value, dict):
        return {key: _shown(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_shown(one) for one in value]
    return without_login(value) if isinstance(value, str) else value


def models_in_use(site: Site) -> dict[str, str]:
    """sha256 of every model that camera and microphone use here."""
    names = [*(FACE_MODELS if site.cameras else ()), *(VOICE_MODELS if site.microphones else ())]
    found = {name: manifest()[name].sha256 for name in names}
    if site.cameras and shipped.SMILE.is_file():
        found["smile"] = hashlib.sha256(shipped.SMILE.read_bytes()).hexdigest()
    if site.microphones:
        heads, _ = choose(site.phrases, catalogue())
        found |= {head.id: hashlib.sha256(head.head.read_bytes()).hexdigest() for head in heads}
    return found


def _is_news(detail: Mapping[str, Any], last: Mapping[str, Any] | None) -> bool:
    """A configuration whose content is the same has no changed keys, whatever the last line's were."""
    now = json.loads(_canonical(detail))
    return bool(last is None or now | {"changed": None} != dict(last) | {"changed": None})


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# ---- reading it -------------------------------------------------------------------------------------


def verify(journal: Journal) -> str | None:
    """Walk the chain; what is wrong with the first line that is tampered with or missing, or None."""
    entries = list(journal.audit())
    n, previous = _start(entries)
    receipts = _receipts(entries)
    for entry in entries:
        if entry.n != n + 1:
            return f"line {n + 1} is missing: line {entry.n} follows line {n}"
        if entry.previous != previous:
            return f"line {entry.n} does not follow line {n}: one of them was exchanged"
        if entry.seal != receipts.get(entry.n, entry.hash):
            return f"line {entry.n} was tampered with: its hash is not that of its text"
        n, previous = entry.n, entry.hash
    given = journal.audit_given()
    return None if n == given else f"line {n + 1} is missing: there were {given} lines"


def _start(entries: Sequence[Entry]) -> tuple[int, str]:
    """Number and hash of the line before the first: the newest trim names them where one was made."""
    trims = [json.loads(entry.detail) for entry in entries if entry.kind == TRIMMED]
    return (int(trims[-1]["through"]), str(trims[-1]["hash"])) if trims else (0, GENESIS)


def _receipts(entries: Iterable[Entry]) -> dict[int, str]:
    """The seals that lines have since something was erased from them, as the newest receipts name them."""
    found: dict[int, str] = {}
    for entry in entries:
        if entry.kind in RECEIPTS and entry.seal == entry.hash:
            seals = json.loads(entry.detail).get(REWRITTEN, {})
            found |= {int(n): seal for n, seal in seals.items() if int(n) < entry.n}
    return found


def lines(entries: Iterable[Entry], site: Site) -> Iterator[str]:
    """One line of text an entry, in local time."""
    for entry in entries:
        local: datetime = site.local(entry.time)
        yield f"{entry.n:6}  {local:%Y-%m-%d %H:%M:%S}  {entry.kind:14} {entry.detail}  {entry.hash[:12]}"
