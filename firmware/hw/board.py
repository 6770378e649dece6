"""Pins, watchdog and reset of the chip."""

import gc

from machine import WDT, Pin, reset

__all__ = ("Key", "Light", "free_heap", "reset", "start_watchdog")

WATCHDOG_MS = 60_000  # a TLS handshake and a Wi-Fi scan take seconds; a hung loop takes for ever


class Key:
    """A push button between a pin and ground, with the chip's own pull-up."""

    def __init__(self, pin):
        self._pin = Pin(pin, Pin.IN, Pin.PULL_UP)

    def down(self):
        """Whether it is pushed at this moment (bounces)."""
        return self._pin.value() == 0


class Light:
    """A light-emitting diode between a pin and ground; only a change touches the pin."""

    def __init__(self, pin):
        self._pin = Pin(pin, Pin.OUT)
        self._lit = None

    def show(self, lit):
        """Switch it."""
        if lit != self._lit:
            self._lit = lit
            self._pin.value(1 if lit else 0)


def start_watchdog():
    """The chip resets itself when its feed() is not called for a minute; it cannot be stopped again."""
    return WDT(timeout=WATCHDOG_MS)


def free_heap():
    """Bytes that Python may still take; None where the runtime does not say."""
    gc.collect()
    return gc.mem_free() if hasattr(gc, "mem_free") else None
