"""The device's one clock."""

from time import ticks_diff, ticks_ms


class Clock:
    """Milliseconds since the device started; never wraps, never steps, knows no date.

    ticks_ms wraps every 2^30 ms (12.4 days) on the ESP32 and an event may wait for months, so the
    differences are summed up here. The key scan reads the clock every 10 ms; once in 6 days is needed.
    """

    def __init__(self, ticks=ticks_ms, diff=ticks_diff):
        self._ticks = ticks
        self._diff = diff
        self._last = None
        self._now_ms = 0

    def now_ms(self):
        """Milliseconds since the first reading."""
        ticks = self._ticks()
        if self._last is not None:
            self._now_ms += self._diff(ticks, self._last)
        self._last = ticks
        return self._now_ms
