"""A network camera: MJPEG over HTTP on loopback, that a test can stall, spoil and take away."""

import socket
import threading
import time
from collections.abc import Sequence

import cv2

from gateway.vision.faces import Image

HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
FPS = 10


class NetworkCamera:
    """`mode`: good, stall (connected, nothing comes), garbage, gone (no connection)."""

    def __init__(self, frames: Sequence[Image]) -> None:
        self.mode = "good"
        self.connections = 0
        self.accepted = 0
        self._jpegs = [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames]
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/live.mjpg"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Switch it off."""
        self._over.set()
        self._thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            if self.mode == "gone":
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self.connections += 1
        self.accepted += 1
        try:
            client.recv(4096)
            client.sendall(HEAD)
            self._stream(client)
        except OSError:
            pass
        finally:
            client.close()
            self.connections -= 1

    def _stream(self, client: socket.socket) -> None:
        """Until the reader goes away."""
        client.settimeout(2)
        n = 0
        while self.mode != "gone" and not self._over.is_set():
            if self.mode != "stall":
                client.sendall(self._part(n))
            n += 1
            time.sleep(1 / FPS)

    def _part(self, n: int) -> bytes:
        jpeg = self._jpegs[n % len(self._jpegs)]
        body = jpeg if self.mode == "good" else bytes((7 * byte + n) % 256 for byte in jpeg[:2000])
        return (
            b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body) + body + b"\r\n"
        )
