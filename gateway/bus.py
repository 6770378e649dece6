"""MQTT, for everything on the gateway's side (with link.py the only importer of paho)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from gateway.link import Link

log = logging.getLogger(__name__)

ROUTES_MAX = 1000  # topics; a stranger may invent more
UNSENT_MAX = 10_000  # a broker that stands still must not make the memory grow


class BusError(Exception):
    """The link cannot even be tried; the text says what to put right."""


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and how to be let in; the password stays in its file."""

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message."""

    topic: str
    payload: bytes
    retain: bool = False


Handler = Callable[[Message], None]


class Bus:
    """A clean-session connection that comes back by itself; `on_message` runs on the network thread."""

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        *,
        on_message: Handler | None = None,
        will: Message | None = None,
        on_connect: Callable[[], None] | None = None,
    ) -> None:
        self._address = address
        self._on_message = on_message
        self._on_connect = on_connect
        self._filters: list[str] = []
        self._handlers: list[tuple[str, Handler]] = []
        self._routes: dict[str, list[Handler]] = {}
        self._out = False  # the log says that the broker is away
        self._client = Link(client_id)
        if will:
            self._client.will_set(will.topic, will.payload, qos=1, retain=will.retain)

    @property
    def connected(self) -> bool:
        """Whether a publish would go out now."""
        return self._client.is_connected()

    def start(self) -> None:
        """Begin to connect, and to reconnect, in the background. BusError: a file of it cannot be used."""
        address, client = self._address, self._client
        try:
            self._let_in()
        except (OSError, UnicodeDecodeError) as error:
            what = f"({type(error).__name__}); check password_file and ca_file in [broker] of site.toml"
            raise BusError(f"the broker's password or certificate cannot be read {what}") from None
        client.on_connect = self._connected
        client.on_connect_fail = self._unreachable
        client.on_disconnect = self._disconnected
        client.on_message = self._received
        client.max_queued_messages_set(UNSENT_MAX)
        client.max_inflight_messages_set(0)  # none waits inside: its age would grow old there
        client.connect_async(address.host, address.port, keepalive=20)
        client.start()

    def _let_in(self) -> None:
        address = self._address
        if address.username:
            password = address.password_file.read_text().strip() if address.password_file else None
            self._client.username_pw_set(address.username, password)
        if address.ca_file:
            self._client.tls_set(ca_certs=str(address.ca_file))

    def stop(self) -> None:
        """Disconnect cleanly; the broker sends no will."""
        self._client.stop()

    def subscribe(self, topic_filter: str, handler: Handler | None = None) -> None:
        """Subscribe with QoS 1, now and after every reconnect; to a handler of its own, if given."""
        self._filters.append(topic_filter)
        if handler:
            self.listen(topic_filter, handler)
        if self.connected:
            self._client.subscribe(topic_filter, qos=1)
            self._client.wake()

    def listen(self, topic_filter: str, handler: Handler) -> None:
        """Hear, beside its own handler, what another subscription brings (two would bring it twice)."""
        self._handlers.append((topic_filter, handler))
        self._routes = {}

    def publish(
        self, topic: str, payload: dict[str, Any] | bytes, *, qos: int = 1, retain: bool = False
    ) -> bool:
        """Hand a message to the link; False, and nothing is queued, when the link is down."""
        if not self.connected:
            return False
        body = payload if isinstance(payload, bytes) else json.dumps(payload, separators=(",", ":")).encode()
        sent = self._client.publish(topic, body, qos=qos, retain=retain).rc == mqtt.MQTT_ERR_SUCCESS
        self._client.wake()
        return sent

    def _connected(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        if reason.is_failure:
            self._tell(f"the broker at {self._where} refused us: {reason}")
            return
        if self._out:
            log.info("the broker at %s is back", self._where)
        self._out = False
        _forget_unsent(client)
        for topic_filter in self._filters:
            client.subscribe(topic_filter, qos=1)
        if self._on_connect:
            self._on_connect()

    def _disconnected(self, _client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        if reason.is_failure:
            self._tell(f"lost the broker at {self._where} ({reason}); trying again by itself")

    def _unreachable(self, _client: mqtt.Client, _data: Any) -> None:
        what = "devices keep their events; start it or check [broker] in site.toml"
        self._tell(f"cannot reach the broker at {self._where}; {what}")

    def _tell(self, what: str) -> None:
        """Once an outage, however often it is tried again."""
        if not self._out:
            log.warning("%s", what)
        self._out = True

    @property
    def _where(self) -> str:
        return f"{self._address.host}:{self._address.port}"

    def _received(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            found = Message(message.topic, bytes(message.payload), message.retain)
        except UnicodeDecodeError:
            log.warning("ignored a message: its topic is not UTF-8 (a broker must refuse such, MQTT 1.5.3)")
            return
        for handler in self._routes.get(found.topic) or self._route(found.topic):
            _hand(handler, found)

    def _route(self, topic: str) -> list[Handler]:
        """Whom a topic concerns; it is worked out once, for the devices of a shop are few."""
        known = self._routes  # `listen` may replace it meanwhile, and then this answer is out of date
        found = [hear for pattern, hear in self._handlers if mqtt.topic_matches_sub(pattern, topic)]
        if not found and self._on_message:
            found = [self._on_message]
        if len(known) >= ROUTES_MAX:
            known.clear()
        known[topic] = found
        return found


def _forget_unsent(client: mqtt.Client) -> None:
    """Drop what an earlier connection left: paho would send it again, with ages that have grown old."""
    with client._out_message_mutex:
        client._out_messages.clear()
        client._inflight_messages = 0


def _hand(handler: Handler, message: Message) -> None:
    """No message may end the network's thread, however deep: a retained one would end it for ever."""
    try:
        handler(message)
    except RecursionError:
        log.warning("ignored a message on %s: it is nested too deeply", message.topic[:200])
