"""Which devices are there: their retained status messages (spec 2)."""

from __future__ import annotations

import json

from firmware import wire
from gateway.bus import Message


class Presence:
    """Online or not, by device; only what a device of this site said itself."""

    def __init__(self, site: str) -> None:
        self._site = site
        self.online: dict[str, bool] = {}

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
