"""The device's wiring: keys → happenings → outbox → courier → link, and the gateway's words back."""

import asyncio
import gc
import json

import wire
from hw.board import Key, Light, free_heap, start_watchdog
from hw.clock import Clock
from hw.debounce import Debounce
from hw.lamp import Lamp
from hw.watchdog import Watchdog
from net.courier import Courier
from net.link import Link
from net.wifi import Wifi
from store import totals
from store.files import make_folder
from store.identity import next_boot
from store.outbox import Outbox

FIRMWARE = "0.1.0"
SCAN_S = 0.01


class App:
    """One device; run() never ends."""

    def __init__(self, config):
        self._config = config
        self._clock = Clock()
        self._lamp = Lamp()
        self._light = Light(config["pins"]["led"])
        self._outbox = Outbox(config["data"] + "/outbox", config["segments"])
        self._boot = 0
        self._seq = 0
        self._health = None  # identity of the health event that is on its way
        self._wifi = _make_wifi(config)
        self._link = Link(_link_options(config), self._clock, self._wifi, self._topics(), self._hear)
        self._courier = Courier(self._outbox, self._clock, self._send, lambda: self._link.up)
        self._device = _make_device(config)
        self._watchdog = None

    async def run(self):
        """Number this start, then scan, link and send for ever."""
        make_folder(self._config["data"])
        seen = self._outbox.open()
        self._boot = next_boot(self._config["data"], max(seen + 1, self._config["first_boot"]))
        self._watch_stages()
        print("start: boot", self._boot, "queued", self._outbox.queued())
        loops = (self._scan(), self._link.run(), self._courier.run(), self._report())
        await asyncio.gather(*loops)

    def record(self, kind, fields, happened_ms):
        """Keep one event and send it; its (boot, seq), or None when the flash did not take it."""
        self._seq += 1  # also for an event that is lost: the gap shows at the gateway
        body = json.dumps([kind, fields]).encode()
        try:
            self._outbox.append(self._boot, self._seq, happened_ms, body)
        except OSError as error:
            print("flash: event", self._seq, "lost:", error)
            return None
        print("event:", self._boot, self._seq, kind, fields)
        self._courier.add(self._boot, self._seq, happened_ms, body)
        return self._boot, self._seq

    async def _scan(self):
        while True:
            now_ms = self._clock.now_ms()
            for kind, fields, happened_ms, flash in self._device.scan(now_ms):
                if self.record(kind, fields, happened_ms):
                    if fields.get("pattern") != "long":  # a sign-on follows no prompt
                        self._lamp.prompt(now_ms, 0)
                    self._lamp.flash(now_ms, flash)
            self._light.show(self._lamp.lit(now_ms))
            self._watchdog.beat("scan")
            await asyncio.sleep(SCAN_S)

    async def _report(self):
        """A health event every `health_s` while the link is up; none while the one before waits."""
        next_ms = 0
        while True:
            await asyncio.sleep(1)
            for stage in self._watchdog.check():
                print("watchdog:", stage, "hangs")
            if self._link.up and self._clock.now_ms() >= next_ms and not self._health_waits():
                next_ms = self._clock.now_ms() + self._config["health_s"] * 1000
                self._health = self.record("health", self._health_fields(), self._clock.now_ms())

    def _health_waits(self):
        return self._health is not None and self._outbox.holds(*self._health)

    def _health_fields(self):
        fields = {
            "uptime_s": self._clock.now_ms() // 1000,
            "queued": self._outbox.queued(),
            "dropped": self._outbox.dropped,
            "firmware": FIRMWARE,
        }
        for name, value in (("free_heap", free_heap()), ("rssi", self._wifi.rssi())):
            if value is not None:
                fields[name] = value
        return fields

    async def _send(self, boot, seq, happened_ms, body):
        age_ms = self._clock.now_ms() - happened_ms if boot == self._boot else None
        if age_ms is not None and age_ms > wire.MAX_AGE_MS:
            age_ms = None  # older than the wire can say: as untrusted as an event of an earlier boot
        kind, fields = json.loads(body)
        event = wire.make_event(kind, boot, seq, age_ms, fields)
        return await self._link.publish(self._topic("event"), json.dumps(event).encode())

    def _hear(self, topic, payload):
        """An acknowledgement or a command; what is neither is ignored."""
        try:
            if topic == self._topic("ack"):
                self._acknowledge(payload)
            elif topic == self._topic("command"):
                self._obey(json.loads(payload))
        except (ValueError, TypeError, RuntimeError, MemoryError) as error:
            # RuntimeError: nested too deeply. A bad message must not take the device down.
            print("ignored a bad message on", topic + ":", type(error).__name__)
            gc.collect()  # what it left behind may be most of the RAM

    def _acknowledge(self, payload):
        ack = wire.parse_ack(payload)
        if ack is not None:
            self._courier.acknowledge(*ack)

    def _obey(self, command):
        if not isinstance(command, dict) or command.get("v") != wire.VERSION:
            return
        name, for_ms = command.get("command"), command.get("for_ms")
        if name == "identify":
            self._lamp.identify(self._clock.now_ms())
        elif name == "prompt" and wire.is_int(for_ms):
            self._lamp.prompt(self._clock.now_ms(), for_ms)

    def _link_changed(self, up):
        print("link:", "up" if up else "down")
        self._courier.link_changed()

    def _watch_stages(self):
        self._watchdog = Watchdog(start_watchdog(), self._clock, ("scan", "link", "courier"))
        self._link.on_change = self._link_changed
        self._link.on_beat = lambda: self._watchdog.beat("link")
        self._courier.on_beat = lambda: self._watchdog.beat("courier")

    def _topic(self, leaf):
        return wire.topic(self._config["site"], self._config["device"], leaf)

    def _topics(self):
        return [self._topic("ack"), self._topic("command")]


def _make_device(config):
    keys = [Key(pin) for pin in config["pins"]["keys"]]
    debounces = [Debounce(config["debounce_ms"]) for _ in keys]
    # Each device carries its own room only: see manifest.toml.
    if config["kind"] == "keyfob":
        from keyfob.keyfob import Keyfob

        return Keyfob(keys[0], debounces[0])
    from terminal.terminal import Terminal

    folder = config["data"]
    counts = totals.load(folder, len(keys))
    return Terminal(keys, debounces, counts, lambda new: totals.save(folder, new))


def _make_wifi(config):
    return Wifi(config["wifi"]["ssid"], config["wifi"]["password"])


def _link_options(config):
    """The broker's options; the client id is one a device, so that a second connection replaces the first."""
    options = dict(config["broker"])
    options["client_id"] = config["site"] + "-" + config["device"]
    status = wire.topic(config["site"], config["device"], "status")
    options["hello"], options["will"] = (status, _status(True)), (status, _status(False))
    options["ssl"] = None
    if options["tls"]:
        from net.tls import make_context  # 20 to 40 kB on the ESP32: only where it is wanted

        options["ssl"] = make_context(options["tls"]["ca"])
    return options


def _status(online):
    return json.dumps(wire.make_status(online)).encode()
