"""Judges a message: an event, or the first reason of spec 2 why it is none."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any, NoReturn

from firmware import wire
from gateway.config import Site
from gateway.events import Arrival, Quarantined

DIGITS_MAX = 4300
AGE_FIRST = '{"age":'  # in canonical text, but for keys of others that sort before it
LARGEST = sys.float_info.max
NUMBERS, CONTAINERS = (int, float), (dict, list)  # made once: `int | float` is a new object at every use
KEPT_BYTES = wire.MAX_BYTES + 1  # of a refused message; still too large where it was
KEPT_TOPIC = 1000  # characters
READ_BYTES = 1_000_000  # no device of ours ever sends as much


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
