"""The journal: what arrived, what was put aside, what never arrived, who lags behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateway import plain
from gateway.app import journal_path, store_of
from gateway.audit import verify
from gateway.checks import Finding, error, ok, warning
from gateway.config import Site
from gateway.journal import Journal, JournalError
from gateway.sinks.influx import Influx, open_influx
from gateway.sound import sound_of
from gateway.today import quarantine

BEHIND_MAX = 1000
EXAMPLES = 3
DAY_MS = 86_400_000
COMPARED = {"contact": "id", "press": "n"}  # a field that each of them has


def check_journal(site: Site) -> Iterator[Finding]:
    """Reads it beside a running hub, and changes nothing."""
    path = journal_path(site)
    if not path.exists():
        yield warning(
            f"there is no journal at {path.absolute()} yet",
            "start the hub once (emobox run) in the folder where it usually runs",
        )
        return
    journal = store_of(site)
    try:
        journal.open(read_only=True)
        with journal.reading():
            findings = list(_look(journal, site, path))
    except JournalError as failure:
        findings = [
            error(
                str(failure),
                "stop the hub, keep a copy of that folder, put a backup in its place: emobox restore FILE",
            )
        ]
    finally:
        journal.close()
    yield from findings


def _look(journal: Journal, site: Site, path: Path) -> Iterator[Finding]:
    size = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
    yield ok(f"the journal can be read: {path}, {size / 1e6:.1f} MB")
    if journal.full:
        yield error(journal.full, "make room on this disk; the hub goes on by itself then")
    problem = verify(journal)
    if problem:
        yield error(
            f"the audit log does not hold: {problem}", "keep a copy of that folder, and ask who changed it"
        )
    yield from _quarantined(journal, site)
    yield from _silent(journal, site)
    yield from _gaps(journal, site)
    yield from _sinks(journal, site)
    yield from _sounds(journal, site)


def _quarantined(journal: Journal, site: Site) -> Iterator[Finding]:
    aside = quarantine(journal, site)
    for one in aside.counts:
        examples = [e for e in aside.last if e.reason.partition(":")[0] == one.reason][:EXAMPLES]
        last = "; ".join(f"{e.time} {e.topic} ({e.reason})" for e in examples)
        yield warning(
            f"{one.count} × put aside as {one.reason}: {one.means}" + (f". Last: {last}" if last else ""),
            plain.reason(one.reason).do,
        )
    if not aside.counts:
        yield ok("no message was put aside")
    yield ok(f"{journal.duplicates()} events arrived more than once, and were counted once")


def _silent(journal: Journal, site: Site) -> Iterator[Finding]:
    """Who of the configured devices has ever spoken, and when last."""
    heard = {device: journal.last_heard(device) for device in site.devices}
    last = [f"{name} {site.local(t):%Y-%m-%d %H:%M}" for name, t in heard.items() if t is not None]
    if last:
        yield ok(f"heard last: {', '.join(last)}")
    if never := [name for name, t in heard.items() if t is None]:
        yield warning(
            f"never heard of: {', '.join(never)}",
            "switch it on near the box; its config.json names site, device and password (docs/technician.md)",
        )


def _gaps(journal: Journal, site: Site) -> Iterator[Finding]:
    gaps = {device: journal.gaps_of(device) for device in site.devices}
    for device, count in gaps.items():
        if count and site.devices[device].kind in ("camera", "microphone"):
            yield ok(f"{count} events of {device} never arrived: sent while the link was down, and not kept")
        elif count:
            yield warning(
                f"{count} events of {device} have not arrived",
                "they may be on the device: bring it near and leave it on; if they stay away, look at it",
            )
    if not any(gaps.values()):
        yield ok("no event is missing between the ones that arrived")


def _sounds(journal: Journal, site: Site) -> Iterator[Finding]:
    """How the microphones hear, by what they said last (of the last two hours)."""
    now = journal.last_received()
    for name in (name for name, device in site.devices.items() if device.kind == "microphone"):
        sound = sound_of(journal, site, name, now)
        if sound is None:
            continue
        what = f"microphone {name}: its sound is {sound.level} ({sound.level_db:.0f} dB)"
        yield warning(what, sound.do) if sound.do else ok(f"{what}; last phrase {sound.heard or 'not yet'}")
        if sound.lost_s > 0 or sound.restarts > 0:
            yield warning(
                f"microphone {name}: {sound.lost_s:.1f} s of sound lost, opened again {sound.restarts} times",
                "another program may use the processor or the card; try another USB socket",
            )


def _compared(journal: Journal, influx: Influx) -> Iterator[Finding]:
    """What InfluxDB was sent, and what it shows of it now; only where it may be asked (1.x)."""
    end = journal.last_received() + 1
    for measurement, field in COMPARED.items():
        stands = len(journal.records(measurement, end - DAY_MS, end))
        shown = influx.count(measurement, field, end - DAY_MS, end)
        if shown is not None and shown != stands:
            yield warning(
                f"of the last day InfluxDB shows {shown} × {measurement}, the journal has {stands}",
                "restart InfluxDB (sudo systemctl restart influxdb); if that changes nothing: emobox resend",
            )
            return
    yield ok("InfluxDB was sent every record")


def _sinks(journal: Journal, site: Site) -> Iterator[Finding]:
    behind = journal.last_change() - journal.cursor(Influx.name)
    if site.influx and behind > BEHIND_MAX:
        yield warning(
            f"InfluxDB lacks the last {behind} changes",
            "they are kept and follow by themselves once it answers",
        )
    elif site.influx and behind:
        yield ok(f"InfluxDB has all but the last {behind} changes")
    elif site.influx:
        yield from _compared(journal, open_influx(site.influx))
    rejected = journal.rejected()
    if rejected:
        _, reader, why = rejected[-1]
        yield warning(
            f"{reader} refused {len(rejected)} records, the last because: {why}",
            "they stay in the journal; report it with this text",
        )
