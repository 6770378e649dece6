"""Builds a journal as EmoBox 0.1.0 (schema version 1) wrote it: the tables of then, filled by hand."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

SCHEMA = """
CREATE TABLE events (
    n INTEGER PRIMARY KEY, device TEXT NOT NULL, boot NOT NULL, seq NOT NULL,
    received INTEGER NOT NULL, age INTEGER, t INTEGER, kind TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (device, boot, seq));
CREATE INDEX events_by_time ON events (t, kind, device) WHERE t IS NOT NULL;
CREATE TABLE streams (device TEXT, boot, top NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (device, boot));
CREATE TABLE quarantine (
    n INTEGER PRIMARY KEY, received INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    reason TEXT NOT NULL, line INTEGER);
CREATE TABLE records (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, op TEXT NOT NULL,
    measurement TEXT NOT NULL, time_ms INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX records_by_id ON records (id, position);
CREATE INDEX records_by_time ON records (measurement, time_ms);
CREATE TABLE rejected (position INTEGER, reader TEXT, why TEXT, PRIMARY KEY (position, reader));
CREATE TABLE cursors (reader TEXT PRIMARY KEY, position INTEGER NOT NULL);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
START = 1_760_000_000_000
CONTACT = [
    "contact",
    START,
    {
        "asked_by": "keyfob",
        "local_hour": "10",
        "outcome": "critic",
        "point": "till",
        "site": "s",
        "via": "key",
        "weekday": "thu",
    },
    {"id": f"till/{START}", "score": -1.0, "k": 0.5, "rating": "low", "answer_s": 3.0, "critic": 1}
    | {"loyal": 0, "passive": 0, "silent": 0, "unknown": 0, "smile_share": None, "positive": None}
    | {"valid_s": 0.0, "flags": "", "local_date": "2025-10-09"},
]
PRESS = [
    "press",
    START + 3000,
    {"device": "term", "point": "till", "rating": "low", "site": "s", "state": "asked"},
    {"key": 3, "n": 1},
]


def build(path: Path) -> None:
    """One contact with its press, an ask of which the hub had not heard the end, oddities of every table."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = 1; COMMIT;")
    events = [
        ("fob", 1, 1, START, 0, START, "click", {"pattern": "single"}),
        ("term", 1, 1, START + 3010, 10, START + 3000, "press", {"key": 3}),
        ("term", 1, 4, START + 4000, None, None, "press", {"key": 1}),
        ("fob", 1, 2, START + 100_000, 0, START + 100_000, "click", {"pattern": "single"}),
        ("term", str(2**70), 1, START + 5000, 0, START + 5000, "health", {}),
    ]
    for device, boot, seq, received, age, t, kind, fields in events:
        body = _text({"v": 1, "boot": int(boot), "seq": seq, "kind": kind, **fields})
        columns = "device, boot, seq, received, age, t, kind, body"
        values = (device, boot, seq, received, age, t, kind, body)
        db.execute(f"INSERT INTO events ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    streams = [("fob", 1, 2, 2), ("term", 1, 4, 2), ("term", str(2**70), 1, 1)]
    db.executemany("INSERT INTO streams VALUES (?, ?, ?, ?)", streams)
    db.execute("INSERT INTO quarantine VALUES (1, ?, 'term', x'ff7b', 'not_utf8', NULL)", (START,))
    for body in (CONTACT, PRESS):
        name = f"contact/till/{START}" if body is CONTACT else "press/term/1/1"
        values = (name, "put", body[0], body[1], _text(body))
        columns = "id, op, measurement, time_ms, body"
        db.execute(f"INSERT INTO records ({columns}) VALUES (?, ?, ?, ?, ?)", values)
    db.execute("INSERT INTO rejected VALUES (2, 'influx', 'field type conflict')")
    db.executemany("INSERT INTO cursors VALUES (?, ?)", [("fusion", 5), ("indices", 2), ("influx", 1)])
    db.execute("INSERT INTO counters VALUES ('duplicates', 7)")
    db.close()


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
