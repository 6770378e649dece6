"""What the hub talks to: broker, InfluxDB, and the port of its page."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator

from gateway.bus import Bus, BusError
from gateway.checks import Finding, error, ok, warning
from gateway.config import Broker, Site
from gateway.sinks.influx import open_influx
from gateway.web.guard import is_loopback
from gateway.web.reach import ANYWHERE, link, listen

CONNECT_S = 3.0
LOGIN_S = 5.0


def check_broker(site: Site) -> Iterator[Finding]:
    """Whether the broker lets us in."""
    broker = site.broker
    where = f"the MQTT broker at {broker.host}:{broker.port}"
    try:
        socket.create_connection((broker.host, broker.port), CONNECT_S).close()
    except OSError as failure:
        yield error(
            f"{where} does not answer ({failure.strerror or failure}): no press can arrive",
            _start_broker(broker),
        )
        return
    try:
        let_in = _log_in(site)
    except BusError as failure:
        files = ", ".join(one for one in (broker.password_file, broker.ca_file) if one)
        yield error(f"{where}: {failure}", f"put the file there, and let this user read it: {files}")
        return
    if broker.password_file and not broker.username:
        yield warning(
            f"the password in {broker.password_file} is not used: [broker] has no username",
            "add username to [broker] of site.toml, or take password_file out",
        )
    yield (
        ok(f"{where} answers")
        if let_in
        else error(
            f"{where} answers, but does not let us in",
            "check host, port, username, password_file and ca_file of [broker] in site.toml",
        )
    )


def _start_broker(broker: Broker) -> str:
    if not is_loopback(broker.host):
        return "check host and port of [broker] in site.toml, and that the other machine is on"
    if shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return "start it: sudo systemctl enable --now mosquitto (why it ended: journalctl -u mosquitto)"
    return "install it: sudo apt install mosquitto; then: sudo systemctl enable --now mosquitto"


def _log_in(site: Site) -> bool:
    bus = Bus(site.broker.address(), f"{site.site}-doctor-{os.getpid()}")
    bus.start()
    try:
        until_s = time.monotonic() + LOGIN_S
        while not bus.connected and time.monotonic() < until_s:
            time.sleep(0.05)
        return bus.connected
    finally:
        bus.stop()


def check_influx(site: Site) -> Iterator[Finding]:
    """Whether InfluxDB would take a record now."""
    if site.influx is None:
        yield warning(
            "no InfluxDB is set up: the page works, Grafana has nothing to show",
            "install one (sudo apt install influxdb), then add to site.toml: "
            '[influx] and url = "http://127.0.0.1:8086"',
        )
        return
    why = open_influx(site.influx).check()
    yield (
        ok("InfluxDB answers, and takes records")
        if why is None
        else error(why, "put that right; nothing is lost meanwhile, the journal keeps every record for it")
    )


def check_page(site: Site) -> Iterator[Finding]:
    """Whether the page is served, or could be."""
    host, port = site.web.host, site.web.port
    if not is_loopback(host):
        yield warning(
            f"the page at {host} can be read by every machine in the shop's network",
            'if only this machine should: host = "127.0.0.1" in [web] of site.toml',
        )
    if port == 0:
        yield ok("the page takes any free port (the hub says which when it starts)")
        return
    served = _served_by("127.0.0.1" if host in ANYWHERE else host, port)
    if served == site.site:
        yield ok(f"the page is there: {link(host, port, '')}")
    elif served is not None:
        yield error(f"port {port} of the page is taken by {served or 'another program'}", _other_port(port))
    else:
        yield _free(host, port)


def _served_by(host: str, port: int) -> str | None:
    """The site whose page is served there; empty for something else, None for nothing."""
    connection = http.client.HTTPConnection(host, port, timeout=CONNECT_S)
    try:
        connection.request("GET", "/api/today")
        answer = connection.getresponse()
        ours = answer.getheader("Server") == "EmoBox"
        return str(json.loads(answer.read())["site"]) if ours else ""
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return ""
    finally:
        connection.close()


def _free(host: str, port: int) -> Finding:
    try:
        listen(host, port).close()
    except OSError as failure:
        return error(f"the page cannot be served at {host}:{port} ({failure.strerror})", _other_port(port))
    return ok(f"port {port} is free for the page")


def _other_port(port: int) -> str:
    return f"stop that program, or set another port in [web] of site.toml, such as port = {port % 60000 + 1}"
