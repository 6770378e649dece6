"""From an MQTT message to an event, or to the quarantine with the first reason of spec 2 that applies."""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from firmware import wire
from gateway import prompts
from gateway.bus import Bus, Message
from gateway.clock import Clock
from gateway.config import Site
from gateway.events import Arrival, Quarantined
from gateway.journal import Journal, JournalError

log = logging.getLogger(__name__)

DIGITS_MAX = 4300
AGE_FIRST = '{"age":'  # in canonical text, but for keys of others that sort before it
LARGEST = sys.float_info.max
NUMBERS, CONTAINERS = (int, float), (dict, list)  # made once: `int | float` is a new object at every use
KEPT_BYTES = wire.MAX_BYTES + 1  # of a refused message; still too large where it was
KEPT_TOPIC = 1000  # characters
READ_BYTES = 1_000_000  # no device of ours ever sends as much
WAITING_MAX = 20_000
BATCH_MAX = 1000
ACK_MAX = 50
QUIET_S = 120
PROMPT, COMMAND = b'"prompt"', "/command"
OWN_LEAVES = ("/ack", "/command", "/status")


class _RefusedError(Exception):
    """The message is no event; the text is the reason."""


class Inspector:
    """Knows the devices of a site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def inspect(
        self, received: int, topic: str, payload: bytes | dict[str, Any], line: int | None = None
    ) -> Arrival | Quarantined | None:
        """The event of a message received at that ms; None for topics that carry no events.

        The payload of a recorded log may be an object that was parsed already.
        """
        device: str | None = None
        try:
            name, device, leaf = self._split(topic)
            if leaf != "event":
                return None
            return self._arrival(received, topic, name, payload, line)
        except _RefusedError as refused:
            raw = payload_bytes(payload)
            identity, kept = _identity(raw) if device is not None else None, raw[:KEPT_BYTES]
            return Quarantined(received, _storable(topic), kept, str(refused), device, identity, line)

    def _split(self, topic: str) -> tuple[str, str, str]:
        parts = wire.split_topic(topic)
        if parts is None:
            raise _RefusedError("bad_topic")
        site, device, leaf = parts
        if site != self._site.site:
            raise _RefusedError("unknown_site")
        return device, device, leaf

    def _arrival(
        self, received: int, topic: str, name: str, payload: bytes | dict[str, Any], line: int | None
    ) -> Arrival:
        device = self._site.devices.get(name)
        if device is None:
            raise _RefusedError("unknown_device")
        event, text = _parsed(payload) if isinstance(payload, dict) else (_parse(payload), "")
        reason = wire.check(event, device.kind, device.keys)
        if reason:
            raise _RefusedError(reason)
        age = event.pop("age")
        body = "{" + text[text.index(",") + 1 :] if text.startswith(AGE_FIRST) else canonical(event)
        return Arrival(topic, name, event["boot"], event["seq"], received, age, event["kind"], body, line)


def _storable(topic: str) -> str:
    """A topic as UTF-8 can hold it: a log may carry a lone surrogate, MQTT cannot; never of 64 KB."""
    if len(topic) > KEPT_TOPIC:
        topic = topic[:KEPT_TOPIC] + "…"
    return topic.encode("utf-8", "backslashreplace").decode()


def canonical(value: Any) -> str:
    """JSON with sorted keys: copies of one event are equal when this is equal."""
    return _CANONICAL.encode(value)


def integer(digits: str) -> int | str:
    """A JSON integer; one too long for any message of ours stays text, so that it is measured and refused."""
    return int(digits) if len(digits) <= DIGITS_MAX else digits


def payload_bytes(payload: Any) -> bytes:
    """A payload as it was on the wire: text with its escaped raw bytes, or compact JSON."""
    if isinstance(payload, bytes):
        return payload
    if not isinstance(payload, str):
        with contextlib.suppress(RecursionError):  # as deep as the parser just bore
            return _COMPACT.encode(payload).encode("utf-8", "surrogatepass")
        return b""
    try:
        return payload.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return payload.encode("utf-8", "surrogatepass")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_QUICK = json.JSONDecoder(parse_constant=_no_constant)
_EXACT = json.JSONDecoder(parse_constant=_no_constant, parse_int=integer)


def read_json(text: str) -> Any:
    """Strict JSON: no NaN, and no integer that is too long to be one; ValueError, RecursionError."""
    try:
        return _QUICK.decode(text)
    except ValueError:
        return _EXACT.decode(text)


def _parsed(event: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The same checks for an object that was parsed already, and its canonical text."""
    try:
        text = canonical(event)
    except RecursionError as error:
        raise _RefusedError("bad_json") from error
    if not text.isascii() or len(text) > wire.MAX_BYTES:
        _check_size(len(text.encode("utf-8", "surrogatepass")))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _RefusedError("not_utf8") from error
    _check_sound(event)
    return event, text


def _check_size(size: int) -> None:
    if size > wire.MAX_BYTES:
        raise _RefusedError(f"too_large: {size} bytes, at most {wire.MAX_BYTES} are allowed")


def _check_sound(event: dict[str, Any]) -> None:
    if not _is_sound(event, wire.MAX_LEVELS):
        raise _RefusedError(f"bad_json: over {wire.MAX_LEVELS} levels, or a number that no double can hold")


def _parse(payload: bytes) -> dict[str, Any]:
    _check_size(len(payload))
    try:
        text = payload.decode()
        event = read_json(text)
        if "\\u" in text:  # only an escape can bring a lone surrogate
            canonical(event).encode()
    except UnicodeError as error:
        raise _RefusedError("not_utf8") from error
    except (ValueError, RecursionError) as error:
        raise _RefusedError("bad_json") from error
    if not isinstance(event, dict):
        raise _RefusedError("bad_json: the payload must be an object")
    _check_sound(event)
    return event


def _is_sound(container: dict[str, Any] | list[Any], levels: int) -> bool:
    """Whether containers go no deeper than `levels` and every number fits a double."""
    if levels <= 0:
        return False
    for value in container.values() if isinstance(container, dict) else container:
        if isinstance(value, NUMBERS):
            if not (-LARGEST <= value <= LARGEST or _fits_double(value)):
                return False
        elif isinstance(value, CONTAINERS) and not _is_sound(value, levels - 1):
            return False
    return True


def _fits_double(number: float) -> bool:
    try:
        return abs(float(number)) != float("inf")
    except OverflowError:
        return False


def _identity(payload: bytes) -> tuple[int, int] | None:
    """(boot, seq) of a refused message where they can be read, so that it is not sent for ever."""
    if len(payload) > READ_BYTES:
        return None
    try:
        event = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return wire.identity(event) if isinstance(event, dict) else None


class Ingest:
    """From the bus to the journal: commits what waits, in one go, and only then acknowledges it."""

    def __init__(self, bus: Bus, journal: Journal, site: Site, clock: Clock) -> None:
        self._bus, self._journal, self._site, self._clock = bus, journal, site, clock
        self._inspector = Inspector(site)
        self._waiting: queue.Queue[tuple[int, Message]] = queue.Queue(WAITING_MAX)

    def receive(self, message: Message) -> None:
        """Take a message from the network thread; when too many wait it is left to the device's re-send."""
        if message.retain or message.topic.endswith(OWN_LEAVES):
            return
        self._queue(message)

    def overhear(self, message: Message) -> None:
        """Take a command that went out, if it is a prompt: what followed from it is to be known later."""
        if PROMPT in message.payload and not message.retain:
            self._queue(message)

    def _queue(self, message: Message) -> None:
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait((self._clock.now_ms(), message))

    def run(self, stopping: threading.Event) -> None:
        """Commit and acknowledge until told to stop."""
        busy_until_s = time.monotonic() + self._quiet_s if self._clock.carried else 0.0
        while not stopping.is_set():
            if any(map(_is_by_a_person, self._take())):
                busy_until_s = time.monotonic() + self._quiet_s
            elif time.monotonic() > busy_until_s:
                self._adopt_clock()

    def _next_batch(self) -> list[tuple[int, Message]]:
        """What waits by now; blocks for the first."""
        try:
            batch = [self._waiting.get(timeout=0.5)]
        except queue.Empty:
            return []
        with contextlib.suppress(queue.Empty):
            while len(batch) < BATCH_MAX:
                batch.append(self._waiting.get_nowait())
        return batch

    def _take(self) -> list[Arrival | Quarantined]:
        """What came, committed and acknowledged as far as there is room for it."""
        found = [self._inspect(at, message) for at, message in self._next_batch()]
        items = [item for item in found if item]
        if items:
            self._store(items)
        return items

    def _inspect(self, at: int, message: Message) -> Arrival | Quarantined | None:
        if message.topic.endswith(COMMAND):
            return prompts.heard(self._site, at, message.topic, message.payload)
        return self._inspector.inspect(at, message.topic, message.payload)

    def _store(self, items: list[Arrival | Quarantined]) -> None:
        try:
            self._journal.append(items)
        except JournalError as error:
            log.error("nothing is acknowledged, devices keep their events: %s", error)
            time.sleep(1)
            return
        for device, boot, seqs in receipts(items):
            topic = wire.topic(self._site.site, device, "ack")
            self._bus.publish(topic, wire.make_ack(boot, seqs))

    @property
    def _quiet_s(self) -> float:
        """After a quiet as long as this nobody is being asked."""
        return max(QUIET_S, *(2 * self._site.timeout_ms(point) / 1000 for point in self._site.points))

    def _adopt_clock(self) -> None:
        step_ms = self._clock.adopt()
        if abs(step_ms) > 1000:
            log.warning(
                "the system's clock was set by %+.1f s; followed while the shop was quiet", step_ms / 1000
            )


def _is_by_a_person(item: Arrival | Quarantined) -> bool:
    """Whether it belongs to an ask; devices say how they fare in an empty shop too."""
    return isinstance(item, Arrival) and item.kind in ("press", "click", "phrase", "prompt")


def receipts(items: Iterable[Arrival | Quarantined]) -> Iterator[tuple[str, int, list[int]]]:
    """(device, boot, [seq, …]) to acknowledge, a few at a time so that a small device can read it."""
    seqs: dict[tuple[str, int], list[int]] = {}
    for item in items:
        if isinstance(item, Arrival):
            if item.kind != "prompt":  # nobody waits for that
                seqs.setdefault((item.device, item.boot), []).append(item.seq)
        elif item.device is not None and item.identity is not None:
            seqs.setdefault((item.device, item.identity[0]), []).append(item.identity[1])
    for (device, boot), all_of_boot in seqs.items():
        for start in range(0, len(all_of_boot), ACK_MAX):
            yield device, boot, all_of_boot[start : start + ACK_MAX]
