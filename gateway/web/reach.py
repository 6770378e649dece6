"""Where a page listens on this machine, and how it is opened from another one."""

from __future__ import annotations

import socket

from gateway.web.guard import is_loopback

ANYWHERE = ("0.0.0.0", "::")
ELSEWHERE = "192.0.2.1", 9  # of RFC 5737; nothing is sent to it
HERE_ALONE = "It opens on this box alone: [web] host in site.toml is where phones would reach it."


def listen(host: str, port: int) -> socket.socket:
    """A socket for a page at `host`; at :: it takes IPv4, too, as `link` promises. May raise OSError."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((host, port), family=family, dualstack_ipv6=both)


def link(host: str, port: int, path: str) -> str:
    """What to open for a page that listens at `host`, which may be every address of this machine."""
    host = _own() if host in ANYWHERE else host
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{path}"


def why_unreachable(host: str) -> str:
    """Why phones cannot open a page that listens at `host`; "" where they can."""
    return HERE_ALONE if is_loopback(host) else ""


def _own() -> str:
    """This machine's address in its network; its name where it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
