"""The terminal's happenings."""

FLASH = (150,)


class Terminal:
    """2 to 5 keys, leftmost first; each push is one press with the totals of all keys."""

    def __init__(self, keys, debounces, totals, save_totals):
        self._keys = keys
        self._debounces = debounces
        self._totals = totals
        self._save_totals = save_totals

    def scan(self, now_ms):
        """Happenings since the scan before: tuples (kind, fields, happened_ms, flash)."""
        found = []
        for number, key in enumerate(self._keys):
            debounce = self._debounces[number]
            if debounce.feed(now_ms, key.down()) and debounce.down:
                found.append(self._press(number, debounce.since_ms))
        return found

    def _press(self, number, happened_ms):
        self._totals[number] += 1
        try:
            # Before the event: a press that a power cut takes in between shows as a difference to the totals.
            self._save_totals(self._totals)
        except OSError:
            pass  # the press itself matters more
        return "press", {"key": number + 1, "totals": list(self._totals)}, happened_ms, FLASH
