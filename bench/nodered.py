"""The peer Node-RED 4 with node-red-contrib-influxdb; npm installs it into a cache folder of the user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from bench.days import SITE_NAME
from bench.rig import Child
from tests.servers import Server, free_port

PACKAGES = ("node-red@4", "node-red-contrib-influxdb")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "emobox-bench" / "node-red"
INSTALL_S = 300
BATCH, BATCH_S = 500, 0.5
DATABASE = "nodered"
PLACE = {"x": 1, "y": 1}  # what has none is taken for a configuration
POINT = """
const event = msg.payload, device = msg.topic.split("/")[3];
const ms = Date.now() - event.age;
const point = { measurement: "press", fields: { key: event.key, seq: event.seq }, tags: { device: device },
    timestamp: String(ms) + String(event.seq % 1000000).padStart(6, "0") };
"""
ONE = POINT + "return { payload: [{ key: event.key, seq: event.seq, time: point.timestamp }, point.tags] };"
MANY = POINT + "return { payload: point };"


class MissingError(Exception):
    """Node-RED cannot be had; the text says why."""


def install() -> Path:
    """Node-RED's start script; MissingError."""
    script = CACHE / "node_modules" / "node-red" / "red.js"
    if script.exists() and (CACHE / "node_modules" / PACKAGES[1]).exists():
        return script
    npm = shutil.which("npm")
    if npm is None:
        raise MissingError("npm is not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(CACHE), *PACKAGES]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_S)
    except (subprocess.SubprocessError, OSError) as error:
        raise MissingError(f"npm install failed: {error}") from error
    return script


def node_red(folder: Path, broker: Server, influx: Server, *, batched: bool) -> Child:
    """A Node-RED with the flow; use it with `with`, then wait for `is_ready`."""
    script, home = install(), folder / "node-red"
    home.mkdir(parents=True)
    (home / "settings.js").write_text(
        f"module.exports = {{ uiHost: '127.0.0.1', uiPort: {free_port()}, httpAdminRoot: false,"
        " logging: { console: { level: 'info', metrics: false, audit: false } } };\n"
    )
    flow = home / "flow.json"
    flow.write_text(json.dumps(flow_of(broker, influx, batched=batched)))
    command = ["node", str(script), "-u", str(home), "-s", str(home / "settings.js"), str(flow)]
    return Child(command, folder / "node-red.log")


def is_ready(peer: Child) -> bool:
    """Whether its flow runs and the broker has let it in."""
    return peer.said("Started flows") and peer.said("Connected to broker")


def flow_of(broker: Server, influx: Server, *, batched: bool) -> list[dict[str, Any]]:
    """mqtt in → function → influxdb out; or → join of 500 points or 0.5 s → influxdb batch."""
    first = "gather" if batched else "out"
    return [
        {"id": "tab", "type": "tab", "label": "bench"},
        {"id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(broker.port)}
        | {"clientid": "node-red", "autoConnect": True, "protocolVersion": "4", "keepalive": "60"}
        | {"cleansession": True},
        {"id": "db", "type": "influxdb", "hostname": "127.0.0.1", "port": str(influx.port)}
        | {"database": DATABASE, "influxdbVersion": "1.x", "credentials": {}},
        {"id": "in", "type": "mqtt in", "z": "tab", "topic": f"emobox/v1/{SITE_NAME}/+/event", "qos": "1"}
        | {"datatype": "json", "broker": "broker", "wires": [["make"]]}
        | PLACE,
        {"id": "make", "type": "function", "z": "tab", "func": MANY if batched else ONE, "outputs": 1}
        | {"wires": [[first]]}
        | PLACE,
        {
            "id": "gather",
            "type": "join",
            "z": "tab",
            "mode": "custom",
            "build": "array",
            "property": "payload",
        }
        | {"propertyType": "msg", "count": str(BATCH), "timeout": str(BATCH_S), "wires": [["batch"]]}
        | PLACE,
        {"id": "out", "type": "influxdb out", "z": "tab", "influxdb": "db", "measurement": "press"}
        | {"precision": "n", "wires": []}
        | PLACE,
        {
            "id": "batch",
            "type": "influxdb batch",
            "z": "tab",
            "influxdb": "db",
            "precision": "n",
            "wires": [],
        },
    ]
