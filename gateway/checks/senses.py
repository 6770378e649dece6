"""Camera and microphone: allowed, there, and with their models."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from gateway.checks import Finding, error, ok, warning
from gateway.config import Site
from gateway.privacy import profile, why_no_clips
from gateway.voice import opinion
from gateway.voice.phrases import CardError, catalogue, choose
from models import fetch

CONNECT_S = 3.0
LIST_S = 5.0
FACE_MODELS = ("blazeface_back", "blazeface_short", "face_landmarks", "fer")
VOICE_MODELS = ("melspectrogram", "embedding")
PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


def check_privacy(site: Site) -> Iterator[Finding]:
    """Whether the camera may be on, and why not."""
    privacy = profile(site)
    wanted = bool(site.cameras) or any(device.kind == "camera" for device in site.devices.values())
    if privacy.camera_on and site.camera:
        window = "after the rating" if privacy.post_press_only else "around the rating"
        yield ok(f"the camera may look, only {window} (sign: {site.camera.sign_posted}); no image is stored")
    elif wanted:
        yield warning(
            f"the camera is off: {privacy.why_off}",
            f"{_how_on(site)}; until then the shop has BaseNPS, without smiles",
        )
    else:
        yield ok("no camera is set up: the shop has BaseNPS, without smiles")
    if site.voice.clips:
        yield _clips(site)


def _clips(site: Site) -> Finding:
    """Whether the clips that the shop wants may be kept."""
    why_not = why_no_clips(site.region, switched_on=True, consent=site.voice.clips_consent)
    if why_not:
        return warning(
            f"no clip of sound is kept: {why_not}",
            'write down who recorded it and when: [voice] clips_consent = "2026-11-21 M. Weber"',
        )
    return ok("clips of sound are kept, encrypted, for 72 hours; `emobox clips` lists them")


def _how_on(site: Site) -> str:
    if site.camera is None or not site.camera.sign_posted.strip():
        return 'put up the sign, then write down who and when: [camera] sign_posted = "2026-11-21 M. Weber"'
    return "put that right in site.toml"


def check_models(site: Site) -> Iterator[Finding]:
    """Whether what camera and microphone need is on this machine."""
    names = [*(FACE_MODELS if site.cameras else ()), *(VOICE_MODELS if site.microphones else ())]
    missing = [name for name in names if not fetch.is_cached(name)]
    if missing:
        yield error(
            f"model files are missing or damaged in {fetch.cache_dir()}: {', '.join(missing)}",
            "connect this machine to the internet and run: emobox models fetch",
        )
    elif names:
        yield ok("the models of camera and microphone are here")
    if site.microphones:
        yield from _phrases(site)


def _phrases(site: Site) -> Iterator[Finding]:
    try:
        known = catalogue()
    except CardError as failure:
        yield error(str(failure), "install EmoBox again")
        return
    chosen, without = choose(site.phrases, known)
    if without:
        yield warning(
            f"these phrases cannot be heard: {', '.join(without)}",
            f"in [phrases] of site.toml use some of: {', '.join(sorted(known))}",
        )
    elif chosen:
        yield ok(f"{len(chosen)} phrases can be heard")
    else:
        yield warning("the microphone listens for nothing", "add [phrases.<id>] tables to site.toml")
    if lack := opinion.lacks(site.voice.confirm):
        yield warning(f"answers are not confirmed: {lack}", 'or set confirm = "none" in [voice] of site.toml')


def check_sources(site: Site) -> Iterator[Finding]:
    """Whether the configured lenses and sound cards are there."""
    for name, camera in site.cameras.items():
        yield _camera(name, str(camera.source))
    for name, microphone in site.microphones.items():
        yield _microphone(name, microphone.source)


def _camera(name: str, source: str) -> Finding:
    if "://" in source:
        return _network_camera(name, source)
    path = Path(f"/dev/video{source}" if source.isdecimal() else source)
    if path.exists():
        return ok(f"camera {name}: {path} is there")
    there = ", ".join(sorted(map(str, Path("/dev").glob("video*")))) or "no camera at all"
    return error(
        f"camera {name}: {path} is not there (this machine has: {there})",
        f"plug the camera in, or set source of [cameras.{name}] in site.toml",
    )


def _network_camera(name: str, source: str) -> Finding:
    """Reachable or not; the address may hold a password and is not shown in full."""
    try:
        parts = urlsplit(source)
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 554)
    except ValueError:
        host, port = "", 0
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except OSError as failure:
        why = failure.strerror or failure
        return error(
            f"camera {name}: {host or 'its address'} port {port} does not answer ({why})",
            f"switch it on, or set source of [cameras.{name}] in site.toml",
        )
    return ok(f"camera {name}: {host} answers")


def _microphone(name: str, source: str) -> Finding:
    path = Path(source)
    if source == "-":
        return warning(
            f"microphone {name}: standard input has no sound under `emobox run`",
            f"set source of [microphones.{name}] in site.toml to a card, a WAV file or a FIFO",
        )
    if path.exists():
        return ok(f"microphone {name}: {path} is there")
    if path.suffix.lower() == ".wav":
        return error(
            f"microphone {name}: {path} is not there", f"set source of [microphones.{name}] in site.toml"
        )
    if shutil.which("arecord") is None:
        return error(f"microphone {name}: arecord is missing", "install it: sudo apt install alsa-utils")
    return _card(name, source, _sound_cards())


def _sound_cards() -> list[str]:
    """Names by which ALSA knows what can record here, such as plughw:CARD=Device,DEV=0."""
    try:
        listed = subprocess.run(["arecord", "-L"], capture_output=True, text=True, timeout=LIST_S)
    except subprocess.TimeoutExpired:
        return []
    return [line for line in listed.stdout.splitlines() if "CARD=" in line and not line.startswith(" ")]


def _card(name: str, source: str, cards: Iterable[str]) -> Finding:
    there = sorted(card for card in cards if card.startswith("plughw:"))
    by_name = "CARD=" in source
    found = any(card.startswith(source) for card in cards) if by_name else bool(there)
    if found:
        return ok(f"microphone {name}: {source} is there")
    return error(
        f"microphone {name}: there is no sound card {source} (here: {', '.join(there) or 'none'})",
        f"plug it in, or set source of [microphones.{name}] in site.toml to one of those",
    )
