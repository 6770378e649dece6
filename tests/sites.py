"""site.toml for tests and benches: a shop with one till, and one camera or microphone at it."""

from __future__ import annotations

from pathlib import Path

SITE = """
site = "shop-1"
zone = "Europe/Berlin"
region = "other"
[broker]
port = {port}
[points.till-1]
technology = "{technology}"
[points.till-1.devices]
{device} = {{ kind = "{kind}" }}
[{kind}s.{device}]
source = "{source}"
"""
SIGN = '[camera]\nsign_posted = "2026-01-01 M. Weber"'
ASK_AND_ANSWER = '[phrases.rate-visit]\nrole = "ask"\n[phrases.super]\nrole = "rating"\nrating = "top"'
LOOPED = "loop = true"
MQTT = 1883


def camera_shop(source: Path | str, *more: str, port: int = MQTT) -> str:
    """With the camera cam-1: lines of its own table first, then further tables."""
    return _shop("camera", "cam-1", "button", source, more, port)


def microphone_shop(
    source: Path | str, *more: str, port: int = MQTT, voice: str = "", confirm: str = "none"
) -> str:
    """With the microphone mic-1, at a point whose answers are spoken; `voice`: more lines of that table."""
    heard = f'[voice]\nconfirm = "{confirm}"\n{voice}'
    return _shop("microphone", "mic-1", "voice", source, (heard, *more), port)


def _shop(
    kind: str, device: str, technology: str, source: Path | str, more: tuple[str, ...], port: int
) -> str:
    text = SITE.format(kind=kind, device=device, technology=technology, source=source, port=port)
    return "\n".join([text.rstrip(), *more, ""])
