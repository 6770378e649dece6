"""The page's routes on a real port."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.web.page import Page, PageError
from tests.web.shop import NOON, Shop, open_shop, serving, table


def get(url: str, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
    """Status, headers and text of an answer."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


class Stream:
    """An open /api/live."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
        self.connection.request("GET", "/api/live")
        self.answer = self.connection.getresponse()

    def next(self) -> dict:
        """The next day that is pushed."""
        while True:
            line = self.answer.readline().decode()
            if not line:
                raise EOFError
            if line.startswith("data: "):
                return json.loads(line.removeprefix("data: "))


def wait_for(stream: Stream, contacts: int) -> dict:
    """The first day pushed with that many contacts."""
    while len((day := stream.next())["contacts"]) != contacts:
        pass
    return day


def test_api_today_is_today(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.contact(NOON, 1, smile=0.9)
        shop.catch_up()
        with serving(shop) as url:
            status, headers, text = get(url, "/api/today")
        assert status == 200
        assert headers["Content-Type"] == "application/json"
        assert json.loads(text) == json.loads(shop.today().to_json())


@contextmanager
def recording(shop: Shop) -> Iterator[None]:
    """The recorder in its own thread, as in the hub."""
    stopping = threading.Event()
    recorder = threading.Thread(target=shop.recorder.run, args=(stopping,))
    recorder.start()
    try:
        yield
    finally:
        stopping.set()
        shop.journal.wake()
        recorder.join(10)


def test_a_new_contact_is_pushed_within_a_second(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop, recording(shop), serving(shop) as url:
        shop.clock.now = NOON + 10_000
        stream, second = Stream(url), Stream(url)
        assert stream.next()["contacts"] == []
        assert second.next()["contacts"] == []
        began = time.monotonic()
        shop.contact(NOON, 1)
        day = wait_for(stream, 1)
        assert time.monotonic() - began < 1
        assert day["contacts"][0]["rating"] == "top"
        assert day["cue"]["rating"] == "top"
        assert wait_for(second, 1)["contacts"] == day["contacts"]


def test_a_flood_is_pushed_at_most_every_200_ms(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop, serving(shop) as url:
        stream = Stream(url)
        stream.next()
        flood = threading.Thread(target=send_faces, args=(shop, 100))
        began, pushed = time.monotonic(), 0
        flood.start()
        while time.monotonic() - began < 1.5:
            stream.next()
            pushed += 1
            if not flood.is_alive():
                break
        flood.join()
    assert pushed <= 1 + (time.monotonic() - began) / 0.2


def send_faces(shop: Shop, count: int) -> None:
    """Events 10 ms apart."""
    for step in range(count):
        shop.send("cam-1", NOON + step * 10, "face", track=1, smile=0.5, px=100, yaw=0, ok=True)
        time.sleep(0.01)


def test_the_stream_ends_promptly_when_the_hub_stops(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        with serving(shop) as url:
            stream = Stream(url)
            stream.next()
            began = time.monotonic()
        assert time.monotonic() - began < 2
        assert stream.answer.read() in (b"", b"\n")  # its end, not a broken connection


def test_every_answer_forbids_what_the_page_does_not_need(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop, serving(shop) as url:
        for path in ("/", "/page.js", "/live.js", "/page.css", "/favicon.svg", "/api/today", "/nothing"):
            status, headers, text = get(url, path)
            assert status == (404 if path == "/nothing" else 200)
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert "unsafe" not in headers["Content-Security-Policy"]
            assert headers["Cache-Control"] == "no-store"
            assert headers["Server"] == "EmoBox"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "https://" not in text


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8080", 200), ("127.0.0.1", 200), ("[::1]:8080", 200), ("evil.example:8080", 421), ("", 421)],
)
def test_on_loopback_only_names_of_this_machine_are_served(tmp_path: Path, host: str, status: int) -> None:
    with open_shop(tmp_path) as shop, serving(shop) as url:
        assert get(url, "/api/today", Host=host)[0] == status


def test_the_page_is_on_loopback_unless_told_otherwise(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop, serving(shop) as url:
        port = int(url.rpartition(":")[2])
        others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        for address in others - {"127.0.0.1"}:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((address, port), 2)


def test_nothing_can_be_changed_over_the_page(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop, serving(shop) as url:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
            connection.request(method, "/api/today")
            assert connection.getresponse().status == 405
            connection.close()


def test_a_busy_port_says_which_setting_to_change(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with open_shop(tmp_path, table(web={"port": port})) as shop:
            page = Page(shop.journal, shop.site, shop.clock, [], shop.presence)
            with pytest.raises(PageError, match=r"port.*\[web\] of site.toml"):
                page.run(threading.Event())
