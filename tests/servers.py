"""Real servers for tests: own folder, free port, ready when the call returns, dead when the test ends.

    with start_influxd(tmp_path) as influx:
        influx.url                  # "http://127.0.0.1:41234"
        influx.kill()               # SIGKILL, as a power cut would
        influx.start()              # the same port and data again

A missing binary fails the test (never skips it) and says what to install.
"""

import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from demo.broker import free_port as free_port
from demo.broker import is_listening as is_listening

READY_WAIT_S = 30.0
STOP_WAIT_S = 10.0
ANONYMOUS_BROKER = ("allow_anonymous true", "persistence false", "set_tcp_nodelay true")


class ServerError(Exception):
    """A server is not installed, or did not come up; the text says what to do."""


@dataclass
class Server:
    """A child process that listens on 127.0.0.1:port; start and kill it as often as a test likes."""

    name: str
    command: Sequence[str]
    port: int
    log: Path
    ready: Callable[[int], bool]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """Loopback address: nothing outside this machine can reach a test's server."""
        return "127.0.0.1"

    @property
    def url(self) -> str:
        """http://host:port, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> "Server":
        """Starts the process and waits until it answers; ServerError with its log when it does not."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self._wait_ready(time.monotonic() + READY_WAIT_S)
        return self

    def stop(self) -> None:
        """Ends the process politely (SIGTERM), then hard; does nothing when it is not running."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the process like a power cut (SIGKILL)."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _wait_ready(self, deadline_s: float) -> None:
        while not self.ready(self.port):
            died = self.process is None or self.process.poll() is not None
            if died or time.monotonic() > deadline_s:
                self.kill()
                raise ServerError(f"{self.name} {'ended' if died else 'never answered'}:\n{self._log_end()}")
            time.sleep(0.02)

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def __enter__(self) -> "Server":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def need(binary: str, package: str) -> str:
    """The path of an installed binary; ServerError that names the Debian package when it is missing."""
    found = shutil.which(binary, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise ServerError(f"{binary} is not installed; run: apt-get install {package}")
    return found


def answers(path: str) -> Callable[[int], bool]:
    """A readiness check: GET of path is answered with success."""

    def ready(port: int) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2.0):
                return True
        except OSError:
            return False

    return ready


INFLUXD_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  auth-enabled = {auth}
  log-enabled = false
"""


def start_influxd(folder: Path, *, auth: bool = False) -> Server:
    """Starts InfluxDB 1.x with its data below folder; auth: users and passwords are asked for."""
    binary, port, home = need("influxd", "influxdb"), free_port(), folder / "influxd"
    home.mkdir(parents=True, exist_ok=True)
    config = home / "influxdb.conf"
    config.write_text(INFLUXD_CONFIG.format(folder=home, port=port, auth=str(auth).lower()))
    command = [binary, "-config", str(config)]
    return Server("influxd", command, port, home / "log", answers("/ping")).start()


def start_mosquitto(folder: Path, *, settings: Sequence[str] = ANONYMOUS_BROKER) -> Server:
    """Starts a mosquitto broker on loopback; settings are further lines of mosquitto.conf."""
    binary, port, home = need("mosquitto", "mosquitto"), free_port(), folder / "mosquitto"
    home.mkdir(parents=True, exist_ok=True)
    config = home / "mosquitto.conf"
    config.write_text("\n".join([f"listener {port} 127.0.0.1", *settings]) + "\n")
    return Server("mosquitto", [binary, "-c", str(config)], port, home / "log", is_listening).start()


def make_certificate(folder: Path, name: str = "broker") -> tuple[Path, Path]:
    """(certificate, key), PEM: EC P-256, for 127.0.0.1, its own authority."""
    made, key = folder / f"{name}.cert", folder / f"{name}.key"
    curve = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    who = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [need("openssl", "openssl"), "req", *curve, *who, "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


def start_victoria(folder: Path) -> Server:
    """Starts VictoriaMetrics, which takes InfluxDB's v1 and v2 writes for real; its data lie below folder."""
    binary, port, home = need("victoria-metrics", "victoria-metrics"), free_port(), folder / "victoria"
    home.mkdir(parents=True, exist_ok=True)
    command = [binary, f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={home}/data"]
    command += ["-memory.allowedBytes=64MB", "-retentionPeriod=100y"]
    return Server("victoria-metrics", command, port, home / "log", answers("/health")).start()
