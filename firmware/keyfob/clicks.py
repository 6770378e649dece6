"""One button, three patterns: single, double, long."""

GAP_MS = 300  # a second push within this time after the first release makes a double
LONG_MS = 800

_IDLE, _DOWN, _UP, _SPENT = range(4)


class ClickRecogniser:
    """Finds patterns in clean edges; each is (name, moment of its first push in ms).

    A single is known GAP_MS after its release, a double at its second push, a long after LONG_MS. The wait
    delays the message, not its time: `age` counts from the first push. The gateway merges singles less than
    1.5 s apart (spec 3), so two slow singles need no care here. Pushes that follow a double belong to it.
    """

    def __init__(self, gap_ms=GAP_MS, long_ms=LONG_MS):
        self._gap_ms = gap_ms
        self._long_ms = long_ms
        self._state = _IDLE
        self._began_ms = 0
        self._released_ms = None  # None while the key is down

    def edge(self, at_ms, down):
        """Take a clean edge; the pattern that it completes, or None."""
        found = self.tick(at_ms)
        if down:
            return self._pushed(at_ms) or found
        self._released_ms = at_ms
        if self._state == _DOWN:
            self._state = _UP
        return found

    def tick(self, now_ms):
        """Let time pass; the pattern that it completes, or None."""
        if self._state == _DOWN and now_ms - self._began_ms >= self._long_ms:
            return self._spend("long")
        if self._state == _UP and self._quiet(now_ms):
            self._state = _IDLE
            return "single", self._began_ms
        if self._state == _SPENT and self._quiet(now_ms):
            self._state = _IDLE
        return None

    def _quiet(self, now_ms):
        return self._released_ms is not None and now_ms - self._released_ms > self._gap_ms

    def _pushed(self, at_ms):
        self._released_ms = None
        if self._state == _UP:
            return self._spend("double")
        if self._state == _IDLE:
            self._state, self._began_ms = _DOWN, at_ms
        return None

    def _spend(self, name):
        self._state = _SPENT
        return name, self._began_ms
