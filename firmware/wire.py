"""The wire contract of spec 2: topics, events, acknowledgements and commands.

The one file that devices (MicroPython) and the gateway (CPython) both import, so it keeps to what both have.
"""

import json

VERSION = 1
MAX_BYTES = 4096
MAX_LEVELS = 16
MAX_AGE_MS = 7_776_000_000
LEAVES = ("event", "ack", "status", "command")
PATTERNS = ("single", "double", "long")
KINDS = {
    "terminal": ("press", "health"),
    "keyfob": ("click", "health"),
    "camera": ("face", "health"),
    "microphone": ("phrase", "health"),
}
_HEALTH_NUMBERS = ("battery_mv", "rssi", "uptime_s", "free_heap", "queued", "dropped")


def topic(site, device, leaf):
    """The topic of one of LEAVES."""
    return "emobox/v1/" + site + "/" + device + "/" + leaf


def split_topic(text):
    """(site, device, leaf), or None for another shape of topic."""
    parts = text.split("/")
    if len(parts) != 5 or parts[0] != "emobox" or parts[1] != "v1" or parts[4] not in LEAVES:
        return None
    return parts[2], parts[3], parts[4]


def make_event(kind, boot, seq, age_ms, fields):
    """An event as it goes on the wire; age_ms is None when the time base was lost."""
    event = {"v": VERSION, "boot": boot, "seq": seq, "age": age_ms, "kind": kind}
    event.update(fields)
    return event


def make_ack(boot, seqs):
    """What the gateway answers once its journal has committed these events of one boot."""
    return {"boot": boot, "seq": seqs}


def parse_ack(payload):
    """(boot, [seq, ...]) of an acknowledgement, or None when it is none."""
    try:
        ack = json.loads(payload)
    except (ValueError, TypeError, UnicodeError):
        return None
    if not isinstance(ack, dict) or not is_int(ack.get("boot")) or not isinstance(ack.get("seq"), list):
        return None
    return ack["boot"], [seq for seq in ack["seq"] if is_int(seq)]


def make_status(online):
    """The retained status; with online=False also the last will."""
    return {"v": VERSION, "online": online}


def make_command(name, fields=None):
    """A command to a device: identify, prompt, watch, config or update."""
    command = {"v": VERSION, "command": name}
    command.update(fields or {})
    return command


def is_int(value):
    """A JSON integer: no bool, no fraction, no text."""
    return type(value) is int


def is_number(value):
    """A JSON number."""
    return type(value) is int or type(value) is float


def identity(event):
    """(boot, seq) where both can be read, else None."""
    boot, seq = event.get("boot"), event.get("seq")
    if is_int(boot) and boot >= 0 and is_int(seq) and seq >= 1:
        return boot, seq
    return None


def check(event, device_kind, keys=None):
    """None for a valid event of such a device, else the first reason of spec 2 that applies, with details."""
    if not is_int(event.get("v")) or event["v"] != VERSION:
        return "version: v must be the integer 1"
    kind = event.get("kind")
    if not isinstance(kind, str) or kind not in KINDS[device_kind]:
        return "kind: a " + device_kind + " sends " + " and ".join(KINDS[device_kind])
    if identity(event) is None:
        return "identity: boot must be an integer from 0, seq from 1"
    if "age" not in event or not _age_ok(event["age"]):
        return "age: must be milliseconds, 0 to 7776000000, or null"
    why = _CHECKS[kind](event, keys)
    return "value: " + why if why else None


def _age_ok(age):
    return age is None or (is_int(age) and 0 <= age <= MAX_AGE_MS)


def _press(event, keys):
    if not is_int(event.get("key")) or not 1 <= event["key"] <= keys:
        return "key must be 1 to " + str(keys)
    totals = event.get("totals", [])
    if not isinstance(totals, list) or not all(is_int(n) and n >= 0 for n in totals):
        return "totals must be a list of integers from 0"
    return None


def _click(event, keys):
    return None if event.get("pattern") in PATTERNS else "pattern must be single, double or long"


def _face(event, keys):
    if not is_int(event.get("track")) or event["track"] < 0:
        return "track must be an integer from 0"
    for name, low, high in (("smile", 0, 1), ("px", 0, 100_000), ("yaw", -180, 180)):
        if not is_number(event.get(name)) or not low <= event[name] <= high:
            return name + " must be a number from " + str(low) + " to " + str(high)
    return None if type(event.get("ok")) is bool else "ok must be true or false"


def _phrase(event, keys):
    if not isinstance(event.get("id"), str) or not event["id"]:
        return "id must be a text"
    if not is_number(event.get("score")) or not 0 <= event["score"] <= 1:
        return "score must be a number from 0 to 1"
    return None


def _health(event, keys):
    for name in _HEALTH_NUMBERS:
        if name in event and not is_number(event[name]):
            return name + " must be a number"
    return None if isinstance(event.get("firmware", ""), str) else "firmware must be a text"


_CHECKS = {"press": _press, "click": _click, "face": _face, "phrase": _phrase, "health": _health}
