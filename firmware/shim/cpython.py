"""MicroPython's additions to `time`, for CPython (where no MicroPython wheel exists, and in unit tests)."""

import time

PERIOD = 1 << 30  # as on the ESP32: the wrap is real here too


def install():
    """Add them."""
    time.ticks_ms = ticks_ms
    time.ticks_diff = ticks_diff


def ticks_ms():
    """Milliseconds, wrapping."""
    return time.monotonic_ns() // 1_000_000 % PERIOD


def ticks_diff(new, old):
    """new − old, right across one wrap."""
    return (new - old + PERIOD // 2) % PERIOD - PERIOD // 2
