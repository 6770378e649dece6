"""The journal's tables, and the way to them from every earlier version's file."""

from __future__ import annotations

SCHEMA_VERSION = 2
FIRST_WORD = "substr(reason, 1, instr(reason || ':', ':') - 1)"  # of a reason; written as in its index
VERSION_1 = """
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
# Version 2: an audit log, how often an event came again, and the stretches of a point whose events are gone.
VERSION_2 = """
ALTER TABLE events ADD COLUMN copies INTEGER NOT NULL DEFAULT 0;
CREATE TABLE audit (
    n INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL,
    previous TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX quarantine_by_reason ON quarantine (substr(reason, 1, instr(reason || ':', ':') - 1));
CREATE INDEX events_untrusted ON events (received) WHERE t IS NULL;
CREATE TABLE gone (point TEXT NOT NULL, what TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL);
"""
STEPS = (VERSION_1, VERSION_2)


def script(version: int) -> str:
    """SQL that brings a file of this version (0: an empty one) to SCHEMA_VERSION, all or nothing."""
    return f"BEGIN; {' '.join(STEPS[version:])} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
