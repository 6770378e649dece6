"""The way to the gateway: radio and broker, kept up for ever. Boot and reconnect are the same lines."""

import asyncio

from net.mqtt import BROKEN, Client
from net.wifi import WifiError

WAIT_MIN_S = 1
WAIT_MAX_S = 10  # one's own broker in the house: after an outage the shop is live again within this time
PROOF_S = 5  # a connection that lives this long resets the wait


class Link:
    """`options` of mqtt.Client, and `hello`: what is published (retained) at the start of each connection.

    `topics` are subscribed; `on_message(topic, payload)` gets what arrives, `on_change(up)` the link's state.
    """

    def __init__(self, options, clock, wifi, topics, on_message):
        self._options = options
        self._clock = clock
        self._wifi = wifi
        self._topics = topics
        self._on_message = on_message
        self._client = None
        self._wait_s = WAIT_MIN_S
        self.on_change = None
        self.on_beat = None
        self.up = False

    async def run(self):
        """Connect, stay, and once more; never ends."""
        while True:
            try:
                await self._session()
            except BROKEN + (WifiError,) as error:  # noqa: RUF005 - MicroPython has no * here
                print("link:", str(error) or type(error).__name__)
            self._beat()
            await asyncio.sleep(self._wait_s)
            self._wait_s = min(self._wait_s * 2, WAIT_MAX_S)

    async def publish(self, topic, payload, qos=1, retain=False):
        """Whether the message was written to a living connection."""
        return self.up and await self._client.publish(topic, payload, qos, retain)

    async def _session(self):
        await self._wifi.join()
        client = Client(self._options, self._clock, self._on_message)
        try:
            await client.open(self._topics)
            await client.publish(*self._options["hello"], retain=True)
            self._client = client
            await self._stay(client)
        finally:
            self._set_up(False)
            client.close()

    async def _stay(self, client):
        began_ms = self._clock.now_ms()
        watch = asyncio.create_task(self._watch(client))
        try:
            self._set_up(True)
            await client.run()
        finally:
            watch.cancel()
            if self._clock.now_ms() - began_ms > PROOF_S * 1000:
                self._wait_s = WAIT_MIN_S

    async def _watch(self, client):
        """A radio that has left its network takes the connection along at once."""
        while self._wifi.joined():
            self._beat()
            await asyncio.sleep(1)
        client.fail("Wi-Fi lost")

    def _set_up(self, up):
        if up != self.up:
            self.up = up
            if self.on_change:
                self.on_change(up)

    def _beat(self):
        if self.on_beat:
            self.on_beat()
