"""A radio that joins any network at once, unless the script switched it off."""

import machine

STA_IF = 0


class WLAN:
    """The station interface."""

    def __init__(self, interface):
        self._connected = False

    def active(self, on):
        """Switch the radio."""
        if not on:
            self._connected = False

    def connect(self, ssid, password):
        """Join."""
        self._connected = True

    def isconnected(self):
        """Whether the radio has a network."""
        return self._connected and machine.radio["on"]

    def status(self, what):
        """Signal strength."""
        return -55
