"""Clean edges from a bouncing contact."""


class Debounce:
    """One key. A level counts once it has held for `stable_ms`; its moment is when it began."""

    def __init__(self, stable_ms):
        self._stable_ms = stable_ms
        self.began_ms = None  # first sample of a change that has not settled yet
        self.down = None  # unknown: a key that is held while the device starts is no press
        self.since_ms = 0

    def feed(self, now_ms, down):
        """Take one sample; True when the key has just changed: see `down` and `since_ms`."""
        if self.down is None:
            self.down = down
        if down == self.down:
            self.began_ms = None
            return False
        if self.began_ms is None:
            self.began_ms = now_ms
        if now_ms - self.began_ms < self._stable_ms:
            return False
        self.down, self.since_ms, self.began_ms = down, self.began_ms, None
        return True
