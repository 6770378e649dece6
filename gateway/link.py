"""paho's client on a thread of ours, read and written in large pieces (with bus.py its only importer).

paho asks the kernel for a packet's first byte, its length and the rest one by one, and each question lets
another thread of the hub take the interpreter; in a flood that was half of the hub's time. Here paho reads
from memory, and what it writes goes out together when the piece has been read (docs/benchmarks.md, Ingest).
"""

from __future__ import annotations

import logging
import select
import socket
import ssl
import threading
from contextlib import suppress
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

log = logging.getLogger(__name__)

PIECE_BYTES = 1 << 16
UNSENT_BYTES = 1 << 18  # beyond it paho keeps its packets itself
IDLE_S = 1.0  # paho looks after its keepalive as often
DELAY_S, DELAY_MAX_S = 1.0, 10.0
STOP_S = 5.0
GOODBYE_S = 0.5


class Buffered:
    """A socket that is read ahead and written behind; what paho calls SocketLike."""

    def __init__(self, inner: socket.socket) -> None:
        self._inner = inner
        self._read, self._place = b"", 0
        self._unsent = bytearray()

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes, of the piece read last while it lasts; none at the end. BlockingIOError."""
        if self._place == len(self._read):
            self._read, self._place = self._inner.recv(PIECE_BYTES), 0
        found = self._read[self._place : self._place + size]
        self._place += len(found)
        return found

    def pending(self) -> int:
        """Bytes that were read from the network and not yet asked for."""
        within = self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0
        return len(self._read) - self._place + within

    def send(self, data: bytes) -> int:
        """Keep for `flush`; BlockingIOError when the other side has taken nothing for long."""
        if len(self._unsent) > UNSENT_BYTES:
            raise BlockingIOError
        self._unsent += data
        return len(data)

    def flush(self) -> None:
        """Give the kernel what it takes."""
        with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while self._unsent:
                del self._unsent[: self._inner.send(self._unsent)]

    @property
    def unsent(self) -> bool:
        """Whether `flush` left something."""
        return bool(self._unsent)

    def close(self) -> None:
        """Say the last words and wait a moment until they were heard: what is unread here would undo them."""
        with suppress(OSError):
            self.flush()
            self._inner.shutdown(socket.SHUT_WR)
            self._inner.settimeout(GOODBYE_S)
            while self._inner.recv(PIECE_BYTES):
                pass
        self._inner.close()

    def fileno(self) -> int:
        """For select."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:
        """As a socket's."""
        self._inner.setblocking(flag)


class Link(mqtt.Client):
    """Connects, serves and connects again, on one thread, until it is stopped."""

    def __init__(self, client_id: str) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id, clean_session=True)
        self.on_socket_register_write = _later
        self._ending = threading.Event()
        self._runner = threading.Thread(target=self._run, name=f"mqtt {client_id}", daemon=True)
        self._waker, self._woken = socket.socketpair()
        self._awake = False  # somebody has written to the waker, nobody has read it

    def start(self) -> None:
        """Begin, after `connect_async` has said where."""
        for end in (self._waker, self._woken):
            end.setblocking(False)
        self._runner.start()

    def stop(self) -> None:
        """Disconnect cleanly and end."""
        self._ending.set()
        self.disconnect()
        self.wake()
        if self._runner.is_alive():
            self._runner.join(STOP_S)
        if not self._runner.is_alive():  # else it still waits for a broker that does not answer
            for end in (self._waker, self._woken):
                end.close()

    def wake(self) -> None:
        """What was published or subscribed goes out now."""
        if not self._awake:
            self._awake = True
            with suppress(OSError):
                self._waker.send(b"\0")

    def _create_socket(self) -> Any:
        inner: Any = super()._create_socket()
        inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else an ack waits for the next press
        return Buffered(inner)

    def _run(self) -> None:
        delay_s = DELAY_S
        while not self._ending.is_set():
            delay_s = DELAY_S if self._visit() else min(2 * delay_s, DELAY_MAX_S)
            self._ending.wait(delay_s)

    def _visit(self) -> bool:
        """One connection from beginning to end; whether the broker let us in."""
        try:
            self.reconnect()
        except OSError:
            if self.on_connect_fail:
                self.on_connect_fail(self, None)
            return False
        if self._ending.is_set():  # meanwhile: there was nothing yet to disconnect
            self.disconnect()
        let_in = False
        while (link := self.socket()) is not None:
            self._serve(link)
            let_in = let_in or self.is_connected()
        return let_in

    def _serve(self, link: Any) -> None:
        """What is there to be read, then what is there to be written."""
        wanted = [link] if self.want_write() or link.unsent else []
        wait_s = 0.0 if link.pending() else IDLE_S
        readable, _, _ = select.select([link, self._woken], wanted, [], wait_s)
        if self._woken in readable:
            self._awake = False
            self._woken.recv(1)
        if link in readable or link.pending():
            self._read_piece(link)
        self.loop_write()
        with suppress(OSError):  # the next reading tells
            link.flush()
        self.loop_misc()

    def _read_piece(self, link: Any) -> None:
        while self.loop_read() == mqtt.MQTT_ERR_SUCCESS and link.pending() and self.socket():
            pass


def _later(*_: Any) -> None:
    """paho shall not write at once, but when `wake` has been heard: many packets are one piece then."""
