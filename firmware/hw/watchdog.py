"""Pets the chip's watchdog only while every stage makes progress."""

LIMIT_MS = 120_000  # a stage may wait a minute for its next attempt


class Watchdog:
    """Stages report with beat(); a stage that has been silent for too long starves the chip's timer."""

    def __init__(self, timer, clock, stages):
        self._timer = timer
        self._clock = clock
        self._beats = dict.fromkeys(stages, 0)

    def beat(self, stage):
        """This stage has just made progress."""
        self._beats[stage] = self._clock.now_ms()

    def check(self):
        """Pet the timer, or not; returns the stages that hang."""
        now_ms = self._clock.now_ms()
        hung = [stage for stage, beat_ms in self._beats.items() if now_ms - beat_ms > LIMIT_MS]
        if not hung:
            self._timer.feed()
        return hung
