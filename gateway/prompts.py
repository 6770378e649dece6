"""Prompts: lights that say "ask the next customer" (spec 2), remembered as the commands that went out."""

from __future__ import annotations

import json
from typing import Any

from firmware import wire
from gateway.config import Site
from gateway.events import Arrival
from gateway.fusion.asks import PROMPT_MS

HUB = "hub/"  # no device's name can hold a slash
LIGHTS = ("terminal", "keyfob")
LEAF = "/command"


def sender(device: str) -> str:
    """Under which name the journal keeps the prompts of a device's light: the device did not send them."""
    return f"{HUB}{device}"


def lit_by(name: str) -> str | None:
    """The device behind such a name; None for any other."""
    return name.removeprefix(HUB) if name.startswith(HUB) else None


def senders(site: Site, point: str) -> list[str]:
    """What the journal keeps about a point comes from these: its devices, and the hub for their lights."""
    devices = site.points[point].devices
    return [*devices, *map(sender, devices)]


def lights(site: Site, point: str) -> list[str]:
    """Devices of a point whose light may say it; none in test mode."""
    devices = site.points[point].devices
    return [name for name, device in devices.items() if device.kind in LIGHTS and not device.test]


def command(for_ms: int = PROMPT_MS) -> dict[str, Any]:
    """The command of spec 2: the light stays on for as long as a click follows it."""
    return dict(wire.make_command("prompt", {"for_ms": for_ms}))


def heard(site: Site, received: int, topic: str, payload: bytes) -> Arrival | None:
    """A prompt to a light of this site as the journal keeps it; None for whatever else went out."""
    name, leaf, found = _device(site, topic), topic.endswith(LEAF), _read(payload)
    if name is None or not leaf or found is None:
        return None
    body = json.dumps(found, sort_keys=True, separators=(",", ":"))
    return Arrival(topic, sender(name), received, 1, received, 0, "prompt", body)


def _device(site: Site, topic: str) -> str | None:
    parts = wire.split_topic(topic)
    if parts is None or parts[0] != site.site or parts[1] not in site.point_of:
        return None
    return parts[1] if parts[1] in lights(site, site.point_of[parts[1]]) else None


def _read(payload: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or (found.get("v"), found.get("command")) != (wire.VERSION, "prompt"):
        return None
    for_ms = found.get("for_ms")
    return command(for_ms) if isinstance(for_ms, int) and wire.is_int(for_ms) and for_ms > 0 else None
