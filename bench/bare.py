"""The bare peer: `python -m bench.bare PORT COUNT`, a paho subscriber that only counts events, QoS 1."""

from __future__ import annotations

import sys
import threading
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


def main() -> None:
    """Print `ready`, then `all` when COUNT messages have come."""
    port, count = int(sys.argv[1]), int(sys.argv[2])
    seen, done = 0, threading.Event()

    def on_message(_client: mqtt.Client, _data: Any, _message: mqtt.MQTTMessage) -> None:
        nonlocal seen
        seen += 1
        if seen == count:
            done.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, "bench-bare", clean_session=True)
    client.on_message = on_message
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect("127.0.0.1", port)
    client.subscribe("emobox/v1/+/+/event", qos=1)
    client.loop_start()
    done.wait()
    print("all", flush=True)


if __name__ == "__main__":
    main()
