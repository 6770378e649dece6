"""A small HTTP client for one server that keeps its connection open (standard library only)."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from gateway.sinks.store import UnavailableError

TIMEOUT_S = 12.0
REPLY_BYTES_MAX = 8 * 1024 * 1024
LOST = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError, http.client.BadStatusLine)


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body as text, headers with lower-case names."""

    status: int
    text: str
    headers: Mapping[str, str]


class Http:
    """Requests to one server, one at a time; for one thread."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url
        self._headers = dict(headers)
        self._connection: http.client.HTTPConnection | None = None

    def __repr__(self) -> str:
        return f"Http({urlsplit(self._url).hostname})"

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """The answer, whatever its status; UnavailableError without one. Only for what may be sent twice."""
        reused = self._connection is not None
        try:
            return self._once(method, path, body, headers or {})
        except LOST as error:
            self.close()
            if not reused:
                raise self._unreachable(error) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise self._unreachable(error) from None
        return self.request(method, path, body, headers)

    def close(self) -> None:
        """Drops the connection; the next request opens a new one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _once(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        parts = self._parts()
        self._connection = self._connection or _connect(parts)
        self._connection.request(method, parts.path.rstrip("/") + path, body, {**self._headers, **headers})
        response = self._connection.getresponse()
        text = response.read(REPLY_BYTES_MAX).decode("utf-8", "replace")
        if not response.isclosed():
            self.close()
        return Reply(response.status, text, {name.lower(): value for name, value in response.getheaders()})

    def _parts(self) -> SplitResult:
        return server(self._url)

    def _unreachable(self, error: Exception) -> UnavailableError:
        parts = self._parts()
        where = f"{parts.scheme}://{parts.hostname}:{_port(parts)}"
        said = str(error) if isinstance(error, OSError) else ""  # others may quote a header, which is secret
        reason = said or type(error).__name__
        return UnavailableError(
            f"InfluxDB at {where} does not answer ({reason}); is it running, is the address right?"
        )


def server(url: str) -> SplitResult:
    """The parts of a server's address; UnavailableError when it is none."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and _port(parts)
    except ValueError:
        usable = None
    if not usable:
        raise UnavailableError("[influx] url in site.toml is no address such as http://127.0.0.1:8086")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _connect(parts: SplitResult) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "", _port(parts), timeout=TIMEOUT_S)
