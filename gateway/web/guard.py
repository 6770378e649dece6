"""What every answer of the page carries, and who may ask."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN = ("script-src", "worker-src", "style-src", "connect-src", "img-src")
NONE = ("default-src", "base-uri", "form-action", "frame-ancestors")
POLICY = "; ".join([f"{name} 'none'" for name in NONE] + [f"{name} 'self'" for name in OWN])
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "EmoBox",
}


class Guard:
    """Adds the headers; on loopback it refuses other host names (DNS rebinding)."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app, self._host = app, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if self._may_ask(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send_guarded)
        else:
            refusal = PlainTextResponse("This page is only for http://localhost on this machine.\n", 421)
            await refusal(scope, receive, send_guarded)

    def _may_ask(self, host: str) -> bool:
        return not is_loopback(self._host) or is_loopback(_name(host))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that name or address."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
