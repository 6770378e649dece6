"""The journal as the replay log of spec 6, and back."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from firmware import wire
from gateway import prompts
from gateway.audit import EXPORT, IMPORT
from gateway.config import Site
from gateway.events import Arrival, Quarantined
from gateway.inspector import payload_bytes
from gateway.journal import SQLITE_INT_MAX, Journal, JournalError
from gateway.journal.events import Message
from gateway.replay import in_order_of_arrival, read_line, read_log

BATCH = 1000
PADDED_MAX = 65_536


def export_log(
    journal: Journal, site: Site, out: Path, now: int, start: int = 0, end: int = SQLITE_INT_MAX
) -> int:
    """Write one message a line, start ≤ t < end (ms), whole or not at all; how many. OSError."""
    part, digest, count = out.with_name(f"{out.name}.part"), hashlib.sha256(), 0
    with open(part, "wb", opener=_private) as file:
        for line in _lines(journal, site, start, end):
            digest.update(line)
            file.write(line)
            count += 1
        file.flush()
        os.fsync(file.fileno())
    part.replace(out)
    span = {"from": start, "to": end if end < SQLITE_INT_MAX else None}
    journal.note((now, EXPORT, {"lines": count, "sha256": digest.hexdigest(), **span}))
    return count


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _lines(journal: Journal, site: Site, start: int, end: int) -> Iterator[bytes]:
    for message in journal.messages(start, end):
        line = _line(message.received, *_sent(site, message))
        yield from [line] * (1 + message.copies)
    for item in reversed(journal.quarantined()):
        if start <= item.received < end or item.reason == "bad_line":
            yield _quarantined(item)


def _sent(site: Site, message: Message) -> tuple[str, dict[str, Any]]:
    """Topic and payload; a prompt is the command that the hub sent, which a replay skips."""
    body, light = json.loads(message.body), prompts.lit_by(message.device)
    if light is not None:
        return wire.topic(site.site, light, "command"), body
    return wire.topic(site.site, message.device, "event"), {**body, "age": message.age}


def _line(received: int, topic: str, payload: Any) -> bytes:
    """ASCII: a raw byte that is not UTF-8 is a lone surrogate, written as an escape."""
    text = json.dumps({"received": received, "topic": topic, "payload": payload}, separators=(",", ":"))
    return f"{text}\n".encode("ascii")


def _quarantined(item: Quarantined) -> bytes:
    if item.reason == "bad_line":
        return item.payload + b"\n"
    payload = item.payload + b" " * (_size(item.reason) - len(item.payload))
    return _line(item.received, item.topic, payload.decode("utf-8", "surrogateescape"))


def _size(reason: str) -> int:
    """Bytes that a message which was too large had, within reason: only its beginning was kept."""
    word, _, detail = reason.partition(": ")
    number = detail.partition(" ")[0]
    return min(int(number), PADDED_MAX) if word == "too_large" and number.isdecimal() else 0


def import_log(journal: Journal, site: Site, log: Path, now: int) -> int:
    """Fill an empty journal from a log; how many messages. JournalError when it is not empty, OSError."""
    if journal.last_event() or journal.quarantined(1):
        raise JournalError(
            "the journal is not empty: name a new [store] path in site.toml, then import again"
        )
    content = log.read_bytes()
    items = in_order_of_arrival([*read_log(content, site), *_prompts(content, site)])
    for place in range(0, len(items), BATCH):
        journal.append(items[place : place + BATCH])
    journal.note((now, IMPORT, {"lines": len(items), "sha256": hashlib.sha256(content).hexdigest()}))
    return len(items)


def _prompts(log: bytes, site: Site) -> Iterator[Arrival]:
    """The prompts of a log, which a replay skips."""
    for raw in log.split(b"\n"):
        line = read_line(0, raw) if b'"prompt"' in raw else None
        item = line and prompts.heard(site, line.received, line.topic, payload_bytes(line.payload))
        if item:
            yield item
