"""The 2.x path through influxdb-client, on VictoriaMetrics, which takes its writes for real.

No InfluxDB 2 or 3 server can be had here: deletes are checked by what would be sent, not by what they do.
"""

import json
from collections.abc import Iterator
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from gateway.sinks import Done, Rejected, RetryAfter
from gateway.sinks.influx import Influx, open_influx
from gateway.sinks.influx_v2 import InfluxV2, predicate, rfc3339
from tests.integration.influx import Access, put, record, retract
from tests.servers import Server, start_victoria


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_victoria(tmp_path_factory.mktemp("victoria")) as running:
        yield running


def exported(server: Server, metric: str) -> list[tuple[dict[str, str], list[float], list[int]]]:
    """Labels, values and times (ms) of a metric."""
    query = urlencode({"match[]": metric})
    with (
        urlopen(f"{server.url}/internal/force_flush", timeout=5),
        urlopen(f"{server.url}/api/v1/export?{query}", timeout=5) as reply,
    ):
        lines = [json.loads(line) for line in reply.read().splitlines()]
    return [(line["metric"], line["values"], line["timestamps"]) for line in lines]


def test_records_arrive_through_the_v2_client_with_their_tags_values_and_times(server: Server) -> None:
    sink = open_influx(Access(server.url, bucket="emobox", org="shop"))
    rows = [
        record(f"v2-{at}", {"n": at}, measurement="v2", time_ms=1_790_000_000_000 + at) for at in range(3)
    ]
    assert sink.write([put(at, row) for at, row in enumerate(rows, 1)]) == Done(3)
    (series,) = exported(server, "v2_n")
    labels, values, times = series
    assert {"site": "s", "point": "p"}.items() <= labels.items()
    assert (values, times) == ([0, 1, 2], [1_790_000_000_000, 1_790_000_000_001, 1_790_000_000_002])


def test_a_dead_server_is_a_retry_and_the_same_sink_delivers_when_it_is_back(server: Server) -> None:
    sink = open_influx(Access(server.url, bucket="emobox"))
    changes = [put(1, record("back", {"n": 1}, measurement="back"))]
    assert sink.write(changes) == Done(1)
    server.kill()
    answer = sink.write(changes)
    assert isinstance(answer, RetryAfter)
    assert "does not answer" in answer.why
    server.start()
    assert sink.write(changes) == Done(1)


def test_a_correction_that_version_3_cannot_delete_is_rejected_with_why(server: Server) -> None:
    sink = Influx(lambda: InfluxV2(Access(server.url, bucket="emobox"), can_delete=False))
    row = record("a", {"n": 1})
    answer = sink.write([put(1, row), retract(2, row)])
    assert isinstance(answer, Rejected)
    assert "cannot delete" in answer.refused[0].why


def test_a_missing_token_file_is_named(server: Server) -> None:
    answer = open_influx(Access(server.url, bucket="emobox", token_file="/not/there")).write(
        [put(1, record("a", {"n": 1}))]
    )
    assert isinstance(answer, RetryAfter)
    assert "/not/there" in answer.why


def test_a_delete_names_every_tag_and_the_exact_nanosecond() -> None:
    row = record("a", {"n": 1}, tags={"outcome": 'a "b"', "staff": ""}, measurement="contact")
    assert (
        predicate(row) == '"_measurement"="contact" AND "outcome"="a \\"b\\"" AND "point"="p" AND "site"="s"'
    )
    assert rfc3339(1_790_000_000_000_000_007) == "2026-09-21T14:13:20.000000007Z"
