"""A database that is away, refuses or dawdles: nobody is held up, and in the end it has everything."""

import os
import time
from collections.abc import Callable, Iterator

import pytest

from tests.fault.proxy import Proxy
from tests.fault.shop import (
    Hub,
    Witness,
    every_acknowledged_event_is_stored_once_at_its_own_time,
    followed,
    settled,
)
from tests.integration.hub import page
from tests.servers import Server
from tests.waiting import wait_for

MakeHub = Callable[..., Hub]
Connect = Callable[..., list[Witness]]

# Waits of 1 s to 60 s become a hundredth, a request's time-out of 12 s becomes 1 s: ten minutes of trouble
# take six seconds, with as many attempts as in ten minutes.
# EMOBOX_REAL_TIME=1 waits for all ten.
REAL_TIME = bool(os.environ.get("EMOBOX_REAL_TIME"))
HUNDREDTH = """
import gateway.sinks.influx, gateway.sinks.http
gateway.sinks.influx.WAIT_FIRST_S, gateway.sinks.influx.WAIT_MAX_S = 0.01, 0.6
gateway.sinks.http.TIMEOUT_S = 1.0
"""
TEN_MINUTES_S = 600.0 if REAL_TIME else 6.0
PROMPT_S = 3.0


@pytest.fixture
def proxy(influx: Server) -> Iterator[Proxy]:
    with Proxy(influx) as server:
        yield server


def goes_on(hub: Hub, devices: list[Witness], seconds: float) -> None:
    """Presses and asks for a while: each is acknowledged, and the page answers, while the trouble lasts."""
    end, terminal, keyfob = time.monotonic() + seconds, devices[0], devices[1]
    while time.monotonic() < end:
        keyfob.happen("click", {"pattern": "single"})
        for key in (1, 2, 3):
            terminal.happen("press", {"key": key})
            time.sleep(0.05)
        settled(devices, PROMPT_S)
    before = time.monotonic()
    assert page(hub)["site"] == "shop-1"
    assert time.monotonic() - before < PROMPT_S


def caught_up(hub: Hub, devices: list[Witness], influx: Server) -> None:
    """Everything is in the database, and nothing was given up."""
    settled(devices)
    journal = hub.journal()
    followed(journal)
    given_up = journal.rejected()
    journal.close()
    assert given_up == []
    every_acknowledged_event_is_stored_once_at_its_own_time(hub, devices, influx)


def test_a_database_that_answers_with_errors_gets_everything_later(
    make_hub: MakeHub, connect: Connect, proxy: Proxy, influx: Server
) -> None:
    hub, devices = make_hub(proxy.url, patches=HUNDREDTH), connect("term-1", "fob-1")
    hub.journal().close()
    goes_on(hub, devices, 0.5)
    wait_for(lambda: proxy.asked["/write"] > 0, "a first write")
    for status in (400, 401, 403, 404, 413, 429, 500, 503):
        proxy.status = status
        goes_on(hub, devices, 0.7)
        proxy.well()
        goes_on(hub, devices, 0.1)
    caught_up(hub, devices, influx)


def test_a_database_that_refuses_everything_from_the_start_gets_everything_later(
    make_hub: MakeHub, connect: Connect, proxy: Proxy, influx: Server
) -> None:
    proxy.status = 400
    hub, devices = make_hub(proxy.url, patches=HUNDREDTH), connect("term-1", "fob-1")
    hub.journal().close()
    goes_on(hub, devices, 1.0)
    proxy.well()
    caught_up(hub, devices, influx)


@pytest.mark.timeout(1000 if REAL_TIME else 300)
def test_ten_minutes_without_a_database_are_made_good(
    make_hub: MakeHub, connect: Connect, proxy: Proxy, influx: Server
) -> None:
    hub = make_hub(proxy.url, patches="" if REAL_TIME else HUNDREDTH)
    devices = connect("term-1", "fob-1")
    hub.journal().close()
    goes_on(hub, devices, 0.5)
    influx.kill()
    goes_on(hub, devices, TEN_MINUTES_S)
    influx.start()
    caught_up(hub, devices, influx)


def test_a_database_that_dawdles_or_hangs_up_holds_up_nobody(
    make_hub: MakeHub, connect: Connect, proxy: Proxy, influx: Server
) -> None:
    hub, devices = make_hub(proxy.url, patches=HUNDREDTH), connect("term-1", "fob-1")
    hub.journal().close()
    for slow_s, hangs_up in ((0.4, False), (1.5, False), (0.0, True)):
        proxy.slow_s, proxy.hangs_up = slow_s, hangs_up
        goes_on(hub, devices, 2.0)
        proxy.well()
    caught_up(hub, devices, influx)


def test_a_database_too_slow_for_a_thousand_records_gets_them_in_smaller_parts(
    make_hub: MakeHub, connect: Connect, proxy: Proxy, influx: Server
) -> None:
    hub, devices = make_hub(proxy.url, patches=HUNDREDTH), connect("term-1", "fob-1")
    proxy.status = 503
    for key in (1, 2, 3) * 500:
        devices[0].happen("press", {"key": key})
    settled(devices)
    proxy.well()
    proxy.slow_s_per_kib = 0.02  # over 2 s for a thousand of them
    caught_up(hub, devices, influx)
