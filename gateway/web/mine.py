"""`/api/mine`: the figures of one member of staff, for the bearer of their code alone (spec 7)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.clock import Clock
from gateway.config import Site
from gateway.journal import Journal, JournalError
from gateway.keyfile import KeyFileError
from gateway.mine import mine, whose

log = logging.getLogger(__name__)

BEARER = "Bearer "
WRONG = "this link opens nothing: it is mistyped, or nobody's any more; ask for a new one (emobox mine NAME)"
BROKEN = "the box cannot tell at present; ask the owner to run emobox doctor"


def mine_endpoint(journal: Journal, site: Site, clock: Clock) -> Callable[[Request], Awaitable[Response]]:
    """401 without a code that is somebody's; 503 while key or journal cannot be read."""

    def look(code: str) -> Response:
        try:
            name = whose(site, code)
            if name is None:
                return JSONResponse({"why": WRONG}, 401)
            return JSONResponse(asdict(mine(journal, site, name, clock.now_ms())))
        except (KeyFileError, JournalError, OSError) as error:
            log.warning("/api/mine: %s", error)
            return JSONResponse({"why": BROKEN}, 503)

    async def answer(request: Request) -> Response:
        header = request.headers.get("authorization", "")
        return await run_in_threadpool(look, header.removeprefix(BEARER))

    return answer
