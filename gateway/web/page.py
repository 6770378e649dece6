"""The local page and its API: `/`, `/api/today` (JSON), `/api/live` (the same, pushed); `/mine` for staff."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway.clock import Clock
from gateway.config import Site
from gateway.journal import Journal
from gateway.lenses import lens_words
from gateway.presence import Presence
from gateway.supervisor import Supervisor
from gateway.today import Follower, today
from gateway.web.feed import Feed
from gateway.web.guard import Guard
from gateway.web.mine import mine_endpoint
from gateway.web.reach import listen
from gateway.web.serve import QuietServer, file_endpoint, icon, server_config

FILES = {
    "/": "page.html",
    "/page.css": "page.css",
    "/page.js": "page.js",
    "/dom.js": "dom.js",
    "/live.js": "live.js",
    "/mine": "mine.html",
    "/mine.js": "mine.js",
    "/phone.css": "phone.css",
}
POLL_S = 0.1


class PageError(Exception):
    """The page cannot be served; the text says which setting to change."""


class Page:
    """Serves what the journal says about today; read-only, no image ever."""

    def __init__(
        self,
        journal: Journal,
        site: Site,
        clock: Clock,
        sinks: Sequence[Follower],
        presence: Presence,
        children: Sequence[Supervisor] = (),
    ) -> None:
        self._journal, self._site, self._clock = journal, site, clock
        self._sinks, self._presence, self._children = sinks, presence, children
        self._socket: socket.socket | None = None

    def bind(self) -> None:
        """Take the port (PageError when it cannot be had); `run` does it where nobody did before."""
        web = self._site.web
        try:
            self._socket = listen(web.host, web.port)
        except OSError as error:
            raise PageError(_why(web.host, web.port, error)) from None

    @property
    def port(self) -> int:
        """The port in use; 0 before `bind` or `run`."""
        return self._socket.getsockname()[1] if self._socket else 0

    def run(self, stopping: threading.Event) -> None:
        """Serve in this thread until told to stop. PageError: the port cannot be had."""
        if self._socket is None:
            self.bind()
        asyncio.run(self._serve(stopping))

    async def _serve(self, stopping: threading.Event) -> None:
        feed = Feed(self._journal, self._look)
        own = mine_endpoint(self._journal, self._site, self._clock)
        server = QuietServer(server_config(_app(feed, own, self._site.web.host)))
        following = asyncio.create_task(feed.run())
        serving = asyncio.create_task(server.serve([self._socket] if self._socket else None))
        while not (stopping.is_set() or serving.done() or following.done()):
            await asyncio.sleep(POLL_S)
        feed.end()
        server.should_exit = True
        await asyncio.gather(serving, following)
        feed.close()

    def _look(self) -> str:
        now, online = self._clock.now_ms(), dict(self._presence.online)
        connected = self._presence.link_up()
        lenses = lens_words(self._presence.lens, [child.state for child in self._children], self._time)
        return today(self._journal, self._site, now, self._sinks, online, connected, lenses).to_json()

    def _time(self, t_ms: int) -> str:
        return self._site.local(t_ms).strftime("%H:%M")


def _app(feed: Feed, own: Callable[[Request], Awaitable[Response]], host: str) -> Starlette:
    async def one_day(_: Request) -> Response:
        return Response(await feed.snapshot(), media_type="application/json")

    async def live(_: Request) -> Response:
        return StreamingResponse(_events(feed), media_type="text/event-stream")

    routes = [Route("/favicon.svg", icon), Route("/api/today", one_day), Route("/api/live", live)]
    routes += [Route("/api/mine", own)]
    routes += [Route(path, file_endpoint(name)) for path, name in FILES.items()]
    return Starlette(routes=routes, middleware=[Middleware(Guard, host=host)])


async def _events(feed: Feed) -> AsyncGenerator[str, None]:
    async with aclosing(feed.stream()) as texts:
        async for text in texts:
            yield f"data: {text}\n\n"


def _why(host: str, port: int, error: OSError) -> str:
    return (
        f"the page cannot be served at {host}:{port} ({error.strerror}); "
        "set another `host` or `port` in [web] of site.toml (port = 0: any free one)"
    )
