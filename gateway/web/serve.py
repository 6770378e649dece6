"""What the pages share: the server, its settings, the icon, files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response

STATIC = Path(__file__).parent / "static"
GRACE_S = 2
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<circle cx="16" cy="16" r="15" fill="#0072B2"/>'
    '<g fill="#fff"><circle cx="11" cy="13" r="2.2"/><circle cx="21" cy="13" r="2.2"/></g>'
    '<path d="M8.5 19.5a8.5 8.5 0 0 0 15 0" fill="none" stroke="#fff" stroke-width="2.6"/></svg>'
)


class QuietServer(uvicorn.Server):
    """Leaves signals to the process, whichever thread it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_config(app: Starlette) -> uvicorn.Config:
    """No log of who asks for what, no banner."""
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


async def icon(_: Request) -> Response:
    """The pages' own icon."""
    return Response(ICON, media_type="image/svg+xml")


def file_endpoint(name: str) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for one file of the page."""

    async def send(_: Request) -> Response:
        return FileResponse(STATIC / name)

    return send
