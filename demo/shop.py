"""The demo's shop: one till with a terminal, a keyfob, a camera and a microphone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SITE = "demo-shop"
TERMINAL, KEYFOB, CAMERA, MICROPHONE = "term-1", "fob-1", "cam-1", "mic-1"
KEYS = 3

# Shorter time-outs than a shop's, so that a day fits into 90 s; every rule is the shop's.
SITE_TOML = """\
site = "{site}"
zone = "UTC"
region = "other"
day_start = "{day_start}"

[camera]
sign_posted = "demo: the faces are published videos"

[points.till-1]
technology = "voice"

[points.till-1.devices]
term-1 = {{ kind = "terminal", keys = {keys} }}
fob-1 = {{ kind = "keyfob" }}
cam-1 = {{ kind = "camera" }}
mic-1 = {{ kind = "microphone" }}

[phrases.rate-visit]
role = "ask"
[phrases.super]
role = "rating"
rating = "top"
[phrases.normal]
role = "rating"
rating = "middle"
[phrases.could-be-better]
role = "rating"
rating = "low"

[defaults]
timeout_voice_s = 5
phrase_merge_s = 3
window_silent_s = 5

[broker]
port = {broker_port}

[web]
port = {web_port}

[store]
path = {store}

[cameras.cam-1]
source = {video}

[microphones.mic-1]
source = {sound}

[voice]
confirm = "none"
"""


def write_site(
    folder: Path, *, broker_port: int, web_port: int, video: Path, sound: Path, influx: str | None
) -> Path:
    """Write the shop's site.toml; its business day is today's and ends in twelve hours at the earliest."""
    text = SITE_TOML.format(
        site=SITE,
        day_start="12:00" if datetime.now(UTC).hour >= 12 else "00:00",
        keys=KEYS,
        broker_port=broker_port,
        web_port=web_port,
        store=json.dumps(str(folder)),
        video=json.dumps(str(video)),
        sound=json.dumps(str(sound)),
    )
    if influx:
        text += f"\n[influx]\nurl = {json.dumps(influx)}\n"
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def device_config(device: str, broker_port: int) -> dict[str, Any]:
    """What the technician's tool would put on the device."""
    broker = {"host": "127.0.0.1", "port": broker_port}
    config = {"site": SITE, "device": device, "broker": broker}
    return config | {"keys": KEYS} if device == TERMINAL else config
