"""Pins played from outside: a script of lines on stdin, in the device's own time.

    pin 25 0        the level of an input from now on
    wait 100        the next line comes 100 ms later, when the device has looked at its pins 10 times since
    wifi 0          the radio loses its network (1: it is back)

An output's changes are printed as `pin 23 1`. Waiting for looks as well as for time keeps a push that is
played on a busy machine as long for the firmware as on a board. The end of the input is the end of the power.
"""

import select
import sys

try:
    from time import ticks_diff, ticks_ms
except ImportError:  # CPython
    import cpython

    cpython.install()
    from time import ticks_diff, ticks_ms

LOOKS = 10
RESET_STATUS = 3  # exit status that stands for a chip that restarts itself

radio = {"on": True}
_levels = {}


class _Script:
    """Takes one line at a time, as time and looks allow."""

    def __init__(self):
        self._poll = select.poll()
        self._poll.register(0 if sys.implementation.name == "cpython" else sys.stdin, select.POLLIN)
        self._text = ""
        self._began = ticks_ms()
        self._wait_ms = 0
        self._looks = {}
        self._started = False
        self._open = True

    def look(self, pin):
        """The device looks at an input: play what is due."""
        self._looks[pin] = self._looks.get(pin, 0) + 1
        while self._due():
            line = self._next_line()
            if not line:
                return
            self._play(line.split())

    def _due(self):
        if not self._wait_ms:
            return True
        waited = ticks_diff(ticks_ms(), self._began) >= self._wait_ms
        return waited and self._looks and min(self._looks.values()) >= LOOKS

    def _play(self, words):
        self._wait_ms = 0
        if words[0] == "wait":
            self._began, self._wait_ms = ticks_ms(), int(words[1])
            self._looks = dict.fromkeys(self._looks, 0)
        elif words[0] == "pin":
            _levels[int(words[1])] = int(words[2])
        elif words[0] == "wifi":
            radio["on"] = words[1] == "1"

    def _next_line(self):
        while "\n" not in self._text:
            if not self._read():
                return None
        line, self._text = self._text.split("\n", 1)
        self._started = True
        return line

    def _read(self):
        if not self._open or not self._poll.poll(0):
            return False
        text = _read_stdin()
        self._text += text
        if not text:
            self._open = False
            if self._started:
                raise SystemExit(0)
        return bool(text)


class Pin:
    """An input follows the script; an output prints its changes."""

    IN, OUT, PULL_UP = 0, 1, 2

    def __init__(self, number, mode=IN, pull=None):
        self._number = number
        self._mode = mode
        self._level = 0
        if mode == Pin.IN:
            _levels.setdefault(number, 1 if pull == Pin.PULL_UP else 0)

    def value(self, level=None):
        """Read without an argument, write with one."""
        if level is not None:
            if level != self._level:
                print("pin", self._number, level)
            self._level = level
            return None
        if self._mode == Pin.OUT:
            return self._level
        _script.look(self._number)
        return _levels[self._number]


class WDT:
    """Counts how often it was fed; bites nobody."""

    def __init__(self, timeout):
        self.timeout = timeout
        self.fed = 0

    def feed(self):
        """The application is alive."""
        self.fed += 1


def reset():
    """The chip restarts: here the process ends, and the driver starts it anew."""
    raise SystemExit(RESET_STATUS)


def _read_stdin():
    if sys.implementation.name == "cpython":
        import os

        return os.read(0, 4096).decode()
    return sys.stdin.readline()


_script = _Script()
