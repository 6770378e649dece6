"""The radio."""

import asyncio

import network

JOIN_S = 20


class WifiError(Exception):
    """The device is not in the shop's network."""


class Wifi:
    """Joins one network; name and password come from config.json."""

    def __init__(self, ssid, password):
        self._ssid = ssid
        self._password = password
        self._wlan = None

    def joined(self):
        """Whether the radio has a network at this moment."""
        return self._wlan is not None and self._wlan.isconnected()

    async def join(self):
        """Be in the network when this returns; WifiError after JOIN_S."""
        if self._wlan is None:
            self._wlan = network.WLAN(network.STA_IF)
        if self.joined():
            return
        # A radio that hangs after an outage comes back only through off and on.
        self._wlan.active(False)
        self._wlan.active(True)
        self._wlan.connect(self._ssid, self._password)
        for _ in range(JOIN_S * 10):
            if self.joined():
                return
            await asyncio.sleep(0.1)
        raise WifiError("no Wi-Fi: see wifi.ssid and wifi.password in config.json")

    def rssi(self):
        """Signal strength in dBm, or None where the radio does not say."""
        try:
            return self._wlan.status("rssi") if self.joined() else None
        except (OSError, ValueError):
            return None
