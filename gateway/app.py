"""The hub, wired once: reads from top to bottom as the data flows (docs/developer.md has the picture)."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Protocol

from firmware import wire
from gateway import audit
from gateway.bus import Bus, Message
from gateway.clip_asks import ClipAsks
from gateway.clock import Clock
from gateway.config import Site
from gateway.crowd import Crowd
from gateway.indexer import Indexer
from gateway.ingest import Ingest
from gateway.journal import Journal
from gateway.presence import Presence, PresenceLog
from gateway.privacy import profile
from gateway.recorder import Recorder
from gateway.retention import Retention
from gateway.sinks.influx import open_influx
from gateway.sinks.reader import SinkReader
from gateway.supervisor import Child, Supervisor, child
from gateway.web.page import Page

log = logging.getLogger(__name__)

JOURNAL = "journal.db"
CLOCK = "clock"
STOP_WAIT_S = 15.0
SWITCH_S = 0.001  # the network's thread is let in five times as often while fusion computes


def run(site: Site, config: Path, stopping: threading.Event) -> int:
    """Serve the shop until told to stop; 1 when a stage failed. JournalError: it cannot be used."""
    sys.setswitchinterval(SWITCH_S)
    clock = Clock()
    journal = open_store(site)
    clock.carry_on(Path(site.store.path) / CLOCK)
    audit.note_start(journal, site, config, clock.now_ms())

    presence_log = PresenceLog(journal, site, clock)
    presence = Presence(site.site, lambda: bus.connected, presence_log.say, clock.now_ms)
    bus = Bus(site.broker.address(), f"{site.site}-hub", on_connect=presence.forget)
    ingest = Ingest(bus, journal, site, clock)
    recorder = Recorder(journal, site, clock, on_watch=partial(watch, bus, site))
    indexer = Indexer(journal, site, clock)
    crowds = [Crowd(journal, site, clock)] if site.scope_all else []
    sinks = [SinkReader(journal, open_influx(site.influx))] if site.influx else []
    retention = Retention(journal, site, clock, [sink.name for sink in sinks])
    children = [Supervisor(one, lambda: bus.connected) for one in child_processes(site, config)]
    clips = ClipAsks(journal, site, clock, partial(ask_for_clip, bus, site))
    page = Page(journal, site, clock, sinks, presence, children)
    page.bind()
    log.info("the page is at http://%s:%s", site.web.host, page.port)

    bus.subscribe("emobox/#", ingest.receive)
    bus.subscribe(wire.topic(site.site, "+", "status"), presence.receive)
    for name, device in site.devices.items():
        if device.kind in ("camera", "microphone"):
            came = partial(_came, recorder, site.point_of[name], device.kind)
            bus.listen(wire.topic(site.site, name, "status"), came)
    bus.listen(wire.topic(site.site, "+", "command"), ingest.overhear)
    for one in children:
        bus.listen(wire.topic(site.site, one.name, "event"), one.hear)
    bus.start()
    stages = Stages(stopping)
    stages.start(
        [ingest, recorder, presence_log, indexer, *crowds, *sinks, retention, clips, page, *children]
    )

    stopping.wait()
    log.info("stopping")
    bus.stop()
    journal.end()
    stages.join()
    journal.close()
    return stages.exit_status


def open_store(site: Site) -> Journal:
    """The shop's journal, for the one hub; JournalError when it cannot be had."""
    journal = store_of(site)
    journal.open()
    return journal


def store_of(site: Site) -> Journal:
    """The same, not yet opened."""
    store = site.store
    return Journal(journal_path(site), cap_mb=store.max_mb, reserve_mb=store.reserve_mb)


def journal_path(site: Site) -> Path:
    """Where the shop's journal lies."""
    return Path(site.store.path) / JOURNAL


def watch(bus: Bus, site: Site, point: str, kind: str, for_ms: int) -> bool:
    """Tell a point's cameras or microphones for how long an ask may need them; False: the link is down.

    A microphone also learns since when the ask is open, so that an answer already on its way counts.
    """
    fields = {"for_ms": for_ms}
    if kind == "microphone" and for_ms:
        fields["since_ms"] = max(0, site.timeout_ms(point) - for_ms)
    command = wire.make_command("watch", fields)
    told = [name for name, device in site.points[point].devices.items() if device.kind == kind]
    sent = [bus.publish(wire.topic(site.site, name, "command"), command) for name in told]
    return all(sent)


def ask_for_clip(bus: Bus, site: Site, point: str, reason: str, from_ms: int, to_ms: int) -> bool:
    """Ask a point's microphones for the sound between two moments, in ms before now (to_ms < 0: to come)."""
    command = wire.make_command("watch", {"clip": {"reason": reason, "from_ms": from_ms, "to_ms": to_ms}})
    devices = site.points[point].devices.items()
    asked = [name for name, device in devices if device.kind == "microphone" and not device.test]
    told = [bus.publish(wire.topic(site.site, name, "command"), command) for name in asked]
    return all(told)


def _came(recorder: Recorder, point: str, kind: str, status: Message) -> None:
    """A device has announced itself; what it says of its lens afterwards is no coming."""
    if b'"lens"' not in status.payload:
        recorder.watch_again(point, kind)


def child_processes(site: Site, config: Path) -> list[Child]:
    """Camera and microphone processes that this site wants here; no camera where it must stay off."""
    why_off = profile(site).why_off
    if site.cameras and why_off:
        log.warning("the camera stays off: %s", why_off)
    cameras = {} if why_off else site.cameras
    wanted = [("camera", name) for name in cameras] + [("microphone", name) for name in site.microphones]
    return [child(name, verb, name, "--config", str(config)) for verb, name in wanted]


class Stage(Protocol):
    """What the hub runs in a thread of its own."""

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set; an exception stops the whole hub."""
        ...


class Stages:
    """One thread a stage; when one fails, all stop, so that the hub is started again as a whole."""

    def __init__(self, stopping: threading.Event) -> None:
        self.exit_status = 0
        self._stopping = stopping
        self._threads: list[threading.Thread] = []

    def start(self, stages: Iterable[Stage]) -> None:
        """Start every stage."""
        threading.excepthook = self._failed
        for stage in stages:
            thread = threading.Thread(target=stage.run, args=(self._stopping,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self) -> None:
        """Wait until every stage has come to its end."""
        for thread in self._threads:
            thread.join(STOP_WAIT_S)

    def _failed(self, failure: threading.ExceptHookArgs) -> None:
        if failure.exc_value is not None:
            log.error("a stage of the hub failed; the hub stops", exc_info=failure.exc_value)
        self.exit_status = 1
        self._stopping.set()
