"""The installer's page `/aim`, served by `emobox aim --page`: numbers and a silhouette, no picture."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.web.guard import Guard
from gateway.web.reach import link, listen
from gateway.web.serve import QuietServer, file_endpoint, icon, server_config

if TYPE_CHECKING:
    from gateway.vision.aiming import Sight

SCRIPTS = ("dom.js", "aim.js", "aim_live.js", "phone.css")
FILES = {"/": "aim.html", "/aim": "aim.html"} | {f"/{name}": name for name in SCRIPTS}
PUSH_S = 0.2
READY_S = 10.0


class AimPageError(Exception):
    """The page cannot be served; the text says what to do."""


class AimPage:
    """Shows the latest sight to whoever has the page open, as long as the installer's command runs."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._latest = json.dumps({"checks": [], "silhouette": []})
        self._over = threading.Event()

    def show(self, sight: Sight, report: dict[str, Any]) -> None:
        """One more sight, and the verdict so far."""
        self._latest = json.dumps(sight.fields() | {"verdict": report["ok"], "seen": report["seen"]})

    @contextmanager
    def serving(self, tell: Callable[[str], object]) -> Iterator[Callable[[Sight, dict[str, Any]], None]]:
        """Serves in a thread of its own; `tell` gets the address. AimPageError: the port cannot be had."""
        listener = self._listen()
        server = QuietServer(server_config(self._app()))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        tell(link(self._host, listener.getsockname()[1], "/aim"))
        try:
            yield self.show
        finally:
            self._over.set()
            server.should_exit = True
            thread.join(READY_S)

    def _listen(self) -> socket.socket:
        try:
            return listen(self._host, self._port)
        except OSError as error:
            where = f"{self._host}:{self._port} ({error.strerror})"
            raise AimPageError(f"the page cannot be served at {where}; give another --port") from None

    def _app(self) -> Starlette:
        async def live(_: Request) -> Response:
            return StreamingResponse(self._events(), media_type="text/event-stream")

        async def now(_: Request) -> Response:
            return Response(self._latest, media_type="application/json")

        routes = [Route("/aim/live", live), Route("/aim/now", now), Route("/favicon.svg", icon)]
        routes += [Route(path, file_endpoint(name)) for path, name in FILES.items()]
        return Starlette(routes=routes, middleware=[Middleware(Guard, host=self._host)])

    async def _events(self) -> AsyncGenerator[str, None]:
        sent = ""
        while not self._over.is_set():
            if self._latest != sent:
                sent = self._latest
                yield f"data: {sent}\n\n"
            await asyncio.sleep(PUSH_S)
