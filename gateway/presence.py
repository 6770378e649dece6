"""Which devices are there: their retained status messages (spec 2)."""

from __future__ import annotations

import json
from collections.abc import Callable

from firmware import wire
from gateway.bus import Message


class Presence:
    """Online or not, by device; only what a device of this site said itself on this connection."""

    def __init__(self, site: str, link_up: Callable[[], bool] = lambda: True) -> None:
        self._site = site
        self.link_up = link_up
        self.online: dict[str, bool] = {}

    def forget(self) -> None:
        """The link has come anew: a broker that was started again may know nothing of them."""
        self.online.clear()

    def receive(self, message: Message) -> None:
        """Take one status message; anything else is ignored."""
        parts = wire.split_topic(message.topic)
        if parts is None or parts[0] != self._site or parts[2] != "status":
            return
        try:
            status = json.loads(message.payload)
        except ValueError:
            return
        if isinstance(status, dict) and isinstance(status.get("online"), bool):
            self.online[parts[1]] = status["online"]
