"""The journal's events: what arrived, once each, what was put aside, what never came."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.events import Arrival, Event, Quarantined, decode
from gateway.journal.file import SQLITE_INT_MAX, Connection, JournalFile, fit, marks, reads
from gateway.journal.schema import FIRST_WORD

BATCH = 1000
QUARANTINE_MAX = 10_000  # the newest; a flood of nonsense must not fill the disk
ERASED = "erased"
UNTRUSTED, QUARANTINED = "untrusted/", "quarantine/"  # counters of what is deleted


@dataclass(frozen=True, slots=True)
class Row:
    """A stored event and its place, times in ms; `event` is None when its time is not trusted."""

    n: int
    device: str
    kind: str
    received: int
    event: Event | None


@dataclass(frozen=True, slots=True)
class Message:
    """A stored event as it was sent: `body` is canonical JSON without `age`; `copies` came again later."""

    received: int
    device: str
    age: int | None
    body: str
    copies: int


class Events(JournalFile):
    """The part of the journal that keeps events and the quarantine."""

    def append(self, batch: Sequence[Arrival | Quarantined]) -> None:
        """Store a batch in one commit; copies are counted, copies that differ are quarantined `conflict`.

        JournalError (nothing of the batch is stored) or JournalFullError: nobody may acknowledge it.
        """
        most = QUARANTINE_MAX if self._durable else None
        self._add(lambda db: _append(db, batch, most))
        self._notify()

    def events_after(self, position: int, limit: int = BATCH) -> list[Row]:
        """The next events in order of arrival."""
        return list(self._rows("WHERE n > ? ORDER BY n LIMIT ?", (position, limit)))

    def messages(self, start: int, end: int) -> Iterator[Message]:
        """What was sent about start ≤ t < end (of untrusted time: arrived then), in order of arrival."""
        columns = "received, device, age, body, copies"
        where = "coalesce(t, received) >= ? AND coalesce(t, received) < ? AND kind <> ?"
        query = f"SELECT {columns} FROM events WHERE {where} ORDER BY n"
        with self.reading():
            for row in self._db.execute(query, (start, end, ERASED)):
                yield Message(*row)

    def last_event(self) -> int:
        """Place of the newest event."""
        return self._number("SELECT coalesce(max(n), 0) FROM events")

    def events_between(
        self, devices: Iterable[str], start: int, end: int, position: int = SQLITE_INT_MAX
    ) -> Iterator[Event]:
        """Trusted events of these devices with start ≤ t ≤ end, in order of t, up to a place."""
        signs, names = marks(devices)
        rows = self._rows(
            f"WHERE t BETWEEN ? AND ? AND n <= ? AND device IN ({signs}) ORDER BY t",
            (start, end, position, *names),
        )
        return (row.event for row in rows if row.event)

    @reads
    def quiet_before(self, devices: Iterable[str], t: int, gap_ms: int, position: int) -> int | None:
        """Start of the last stretch up to t without a quiet over gap_ms; None when nothing happened at all.

        Faces do not break a quiet; events beyond the place `position` are not looked at. When nothing
        happened up to t it is the first that happened after.
        """
        signs, names = marks(devices)
        happened = f"kind IN ('press', 'click', 'phrase') AND n <= ? AND device IN ({signs})"
        rows = self._db.execute(
            f"SELECT t FROM events WHERE {happened} AND t <= ? ORDER BY t DESC", (position, *names, t)
        )
        start: int | None = None
        for (earlier,) in rows:
            if start is not None and start - earlier > gap_ms:
                break
            start = earlier
        if start is None:
            query = f"SELECT min(t) FROM events WHERE {happened} AND t > ?"
            (start,) = self._db.execute(query, (position, *names, t)).fetchone()
        return start

    @reads
    def quiet_cut(self, devices: Sequence[str], t: int, gap_ms: int) -> int:
        """The time t when it lies in a quiet over gap_ms, or the start of the stretch that it cuts in two."""
        signs, names = marks(devices)
        happened = f"SELECT t FROM events WHERE kind IN ('press', 'click', 'phrase') AND device IN ({signs})"
        earlier = f"{happened} AND t < ? ORDER BY t DESC LIMIT 1"
        later = f"{happened} AND t >= ? ORDER BY t LIMIT 1"
        (last,) = self._db.execute(earlier, (*names, t)).fetchone() or (None,)
        (first,) = self._db.execute(later, (*names, t)).fetchone() or (None,)
        if last is None or first is None or first - last > gap_ms:
            return t
        start = self.quiet_before(devices, last, gap_ms, SQLITE_INT_MAX)
        return t if start is None else start

    def count_untrusted(self, kind: str) -> int:
        """Events of a kind whose time was not trusted, with those that are deleted by now."""
        query = "SELECT count(*) FROM events WHERE t IS NULL AND kind = ?"
        return self._number(query, kind) + self.counter(f"{UNTRUSTED}{kind}")

    @reads
    def newest_health(self, device: str, since: int) -> tuple[int, dict[str, Any]] | None:
        """When a device's newest `health` event of trusted time happened, and what it said."""
        query = "SELECT t, body FROM events WHERE t >= ? AND kind = 'health' AND device = ? ORDER BY t DESC"
        row = self._db.execute(f"{query} LIMIT 1", (since, device)).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    @reads
    def last_heard(self, device: str) -> int | None:
        """When a device's newest event arrived, in ms; None when none of it is kept."""
        query = "SELECT received FROM events WHERE device = ? ORDER BY boot DESC, seq DESC LIMIT 1"
        row = self._db.execute(query, (device,)).fetchone()
        return int(row[0]) if row else None

    def duplicates(self) -> int:
        """Equal copies that arrived again."""
        return self.counter("duplicates")

    def counter(self, name: str) -> int:
        """A counter of the journal; 0 at first."""
        return self._number("SELECT coalesce(sum(value), 0) FROM counters WHERE name = ?", name)

    @reads
    def gaps(self) -> int:
        """Sum over (device, boot) of the highest seq less the number of distinct seq."""
        return _gaps(self._db.execute("SELECT top, count FROM streams"))

    @reads
    def gaps_of(self, device: str) -> int:
        """The same for one device."""
        return _gaps(self._db.execute("SELECT top, count FROM streams WHERE device = ?", (device,)))

    @reads
    def quarantined(self, limit: int = -1) -> list[Quarantined]:
        """The quarantine, newest first; limit −1 is all of it."""
        rows = self._db.execute(
            "SELECT received, topic, payload, reason, line FROM quarantine ORDER BY n DESC LIMIT ?", (limit,)
        )
        return [Quarantined(r, topic, p, why, line=line) for r, topic, p, why, line in rows]

    @reads
    def quarantine_counts(self) -> dict[str, int]:
        """Quarantined messages by the first word of their reason, with those that are deleted by now."""
        query = f"SELECT {FIRST_WORD}, count(*) FROM quarantine GROUP BY 1"
        counts = Counter(dict(self._db.execute(query)))
        query = "SELECT name, value FROM counters WHERE name GLOB ?"
        for name, value in self._db.execute(query, (f"{QUARANTINED}*",)):
            counts[name.removeprefix(QUARANTINED)] += value
        return dict(counts)

    def _rows(self, where: str, parameters: tuple[Any, ...]) -> Iterator[Row]:
        columns = "n, device, boot, seq, received, t, kind, body"
        with self.reading():
            for n, device, boot, seq, received, t, kind, body in self._db.execute(
                f"SELECT {columns} FROM events {where}", parameters
            ):
                event = None if t is None else decode(device, int(boot), int(seq), t, kind, body)
                yield Row(n, device, kind, received, event)


def _gaps(streams: Iterable[tuple[int | str, int]]) -> int:
    """An event that came again after its copy was deleted (spec 7) fills no second place."""
    return sum(max(0, int(top) - count) for top, count in streams)


def first_word(reason: str) -> str:
    """A quarantine reason without its details."""
    return reason.partition(":")[0]


def _append(db: Connection, batch: Sequence[Arrival | Quarantined], quarantine_max: int | None) -> None:
    streams: dict[tuple[str, int], list[int]] = {}
    for item in batch:
        if isinstance(item, Quarantined):
            _quarantine(db, item)
        elif _insert(db, item):
            streams.setdefault((item.device, item.boot), []).append(item.seq)
    for (device, boot), seqs in streams.items():
        _grow_stream(db, device, boot, seqs)
    if quarantine_max is not None:
        newest = "SELECT coalesce(max(n), 0) FROM quarantine"
        drop_quarantine(db, f"n <= ({newest}) - ?", (quarantine_max,))


def _insert(db: Connection, item: Arrival) -> bool:
    key = (item.device, fit(item.boot), fit(item.seq))
    values = (*key, item.received, item.age, item.t, item.kind, item.body)
    added = db.execute(
        "INSERT INTO events (device, boot, seq, received, age, t, kind, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        values,
    ).rowcount
    if added:
        return True
    query = "SELECT n, kind, body FROM events WHERE (device, boot, seq) = (?, ?, ?)"
    n, kind, body = db.execute(query, key).fetchone()
    if kind == ERASED or body == item.body:
        count(db, "duplicates")
        db.execute("UPDATE events SET copies = copies + 1 WHERE n = ?", (n,))
    else:
        _quarantine(db, _conflict(item))
    return False


def _grow_stream(db: Connection, device: str, boot: int, seqs: list[int]) -> None:
    row = db.execute(
        "SELECT top, count FROM streams WHERE (device, boot) = (?, ?)", (device, fit(boot))
    ).fetchone()
    top, count = (int(row[0]), row[1]) if row else (0, 0)
    db.execute(
        "INSERT OR REPLACE INTO streams VALUES (?, ?, ?, ?)",
        (device, fit(boot), fit(max(top, *seqs)), count + len(seqs)),
    )


def _quarantine(db: Connection, item: Quarantined) -> None:
    db.execute(
        "INSERT INTO quarantine (received, topic, payload, reason, line) VALUES (?, ?, ?, ?, ?)",
        (item.received, item.topic, item.payload, item.reason, item.line),
    )


def drop_quarantine(db: Connection, where: str, given: tuple[str | int, ...]) -> int:
    """Delete quarantined messages; they stay counted by reason."""
    rows = db.execute(f"SELECT n, reason FROM quarantine WHERE {where}", given).fetchall()
    for reason, number in Counter(first_word(reason) for _, reason in rows).items():
        count(db, f"{QUARANTINED}{reason}", number)
    db.executemany("DELETE FROM quarantine WHERE n = ?", [(n,) for n, _ in rows])
    return len(rows)


def _conflict(item: Arrival) -> Quarantined:
    payload = json.dumps({**json.loads(item.body), "age": item.age}).encode()
    reason = "conflict: another event has this identity"
    return Quarantined(
        item.received, item.topic, payload, reason, item.device, (item.boot, item.seq), item.line
    )


def count(db: Connection, name: str, number: int = 1) -> None:
    """Add to a counter."""
    db.execute(
        "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        (name, number),
    )
