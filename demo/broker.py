"""The demo's broker on loopback: mosquitto where it is installed, else amqtt (its only importer)."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

START_S = 20.0
PORTS = range(15_000, 32_000)
MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
"""


class BrokerError(Exception):
    """No broker could be started; the text says what to do."""


def free_port() -> int:
    """A port on loopback that nobody listens on, nor gets by chance before it is used.

    The system gives its own ones, from 32 768 on, to whoever binds or connects without asking for one.
    """
    while True:
        port = secrets.choice(PORTS)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def start_broker(folder: Path, port: int) -> tuple[str, subprocess.Popen[bytes]]:
    """Start a broker; its name and process. BrokerError when it does not listen in time."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    mosquitto = shutil.which("mosquitto", path=path)
    config = folder / "mosquitto.conf"
    config.write_text(MOSQUITTO.format(port=port))
    embedded = [sys.executable, "-m", "demo.broker", str(port)]
    command = [mosquitto, "-c", str(config)] if mosquitto else embedded
    with (folder / "broker.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    if not listens(port, process):
        process.kill()
        raise BrokerError(f"the broker did not start; see {folder / 'broker.log'}")
    return ("mosquitto" if mosquitto else "amqtt"), process


def listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until somebody listens on a loopback port while the process lives."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        if is_listening(port):
            return True
        time.sleep(0.05)
    return False


def is_listening(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def serve(port: int) -> None:
    """amqtt, on loopback only."""
    from amqtt.broker import Broker

    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    await Broker(config).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(serve(int(sys.argv[1])))
