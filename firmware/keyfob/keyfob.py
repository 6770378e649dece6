"""The keyfob's happenings."""

from keyfob.clicks import ClickRecogniser

# What the light confirms with: milliseconds on, off, on, …
FLASHES = {"single": (150,), "double": (100, 100, 100), "long": (600,)}


class Keyfob:
    """One key, read as patterns."""

    def __init__(self, key, debounce, clicks=None):
        self._key = key
        self._debounce = debounce
        self._clicks = clicks or ClickRecogniser()

    def scan(self, now_ms):
        """Happenings since the scan before: tuples (kind, fields, happened_ms, flash)."""
        if self._debounce.feed(now_ms, self._key.down()):
            found = self._clicks.edge(self._debounce.since_ms, self._debounce.down)
        else:
            found = self._clicks.tick(self._settled(now_ms))
        return [_click(*found)] if found else []

    def _settled(self, now_ms):
        # A push that is still bouncing may have begun inside the gap: time stands still at its first contact.
        began_ms = self._debounce.began_ms
        return now_ms if began_ms is None else began_ms


def _click(pattern, began_ms):
    return "click", {"pattern": pattern}, began_ms, FLASHES[pattern]
