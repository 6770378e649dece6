"""A real HTTP server in front of the real database, which answers what a test wants to see answered."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from tests.servers import Server

PASSED = ("content-type", "x-influxdb-version")


class Proxy:
    """Passes requests on, until told: to answer a status, to wait, to hang up without an answer."""

    def __init__(self, behind: Server) -> None:
        self.behind = behind
        self.status: int | None = None
        self.slow_s = self.slow_s_per_kib = 0.0
        self.hangs_up = False
        self.asked: Counter[str] = Counter()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy.serve(self)

            do_POST = do_GET  # noqa: N815 - http.server's name

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        self.asked[request.path.partition("?")[0]] += 1
        time.sleep(self.slow_s + self.slow_s_per_kib * len(body) / 1024)
        if self.hangs_up:
            request.close_connection = True
            return
        status, headers, answer = self._answer(request, body)
        with contextlib.suppress(OSError):
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name, value)
            request.send_header("content-length", str(len(answer)))
            request.end_headers()
            request.wfile.write(answer)

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self.status:
            return self.status, {"content-type": "application/json"}, b'{"error":"the test wants it so"}'
        try:
            return self._pass_on(request, body)
        except OSError:
            return 502, {}, b""

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        link = HTTPConnection(self.behind.host, self.behind.port, timeout=20)
        with contextlib.closing(link):
            kind = {"content-type": request.headers.get("content-type") or "text/plain"}
            link.request(request.command, request.path, body, kind)
            answer = link.getresponse()
            kept = {name.lower(): value for name, value in answer.getheaders() if name.lower() in PASSED}
            return answer.status, kept, answer.read()

    def well(self) -> None:
        """Pass everything on again."""
        self.status, self.hangs_up = None, False
        self.slow_s = self.slow_s_per_kib = 0.0

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
