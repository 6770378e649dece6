"""InfluxDB 2.x and 3.x through influxdb-client, the only importer of it.

Writes are synchronous lines: its batching WriteApi drops data after 180 s and at exit, its `Point` is slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3 import Retry
from urllib3.exceptions import HTTPError

from gateway.records import Record
from gateway.sinks.http import TIMEOUT_S
from gateway.sinks.line import kept_tags, plain, time_ns
from gateway.sinks.store import ImpossibleError, Settings, UnacceptableError, UnavailableError, read_secret

REFUSED = (400, 413, 422)
NO_RETRIES = Retry(0, redirect=False)  # waiting is the reader's business
NO_DELETE = (
    "InfluxDB 3 cannot delete a point, so this correction stays undone there: the contact counts twice. "
    "Use InfluxDB 1.x or 2.x where corrections matter"
)


class InfluxV2:
    """A `Store` on InfluxDB 2.x, and on 3.x without deletes."""

    def __init__(self, settings: Settings, can_delete: bool) -> None:
        self._settings = settings
        self._can_delete = can_delete
        self._client: InfluxDBClient | None = None

    @property
    def bucket(self) -> str:
        """The bucket of the configuration, or its database's name."""
        return self._settings.bucket or self._settings.database

    def put(self, lines: Sequence[str]) -> None:
        """POST /api/v2/write."""
        try:
            writer = self._open().write_api(write_options=SYNCHRONOUS)
            writer.write(self.bucket, self._settings.org or "", "\n".join(lines).encode())  # precision: ns
        except ApiException as error:
            raise self._trouble(error) from None
        except (HTTPError, OSError, ValueError) as error:
            raise _unreachable(error) from None

    def remove(self, records: Sequence[Record]) -> None:
        """POST /api/v2/delete, one a point (its predicate knows no OR)."""
        if records and not self._can_delete:
            raise ImpossibleError(NO_DELETE)
        try:
            for record in records:
                self._remove_one(record)
        except ApiException as error:
            raise self._trouble(error) from None
        except (HTTPError, OSError, ValueError) as error:
            raise _unreachable(error) from None

    def count(self, measurement: str, field: str, start: int, end: int) -> int | None:
        """Not asked: the token of the configuration need not be allowed to read."""
        return None

    def _remove_one(self, record: Record) -> None:
        start = time_ns(record)
        self._open().delete_api().delete(
            rfc3339(start), rfc3339(start + 1), predicate(record), self.bucket, self._settings.org
        )

    def _open(self) -> InfluxDBClient:
        if self._client is None:
            token, org = read_secret(self._settings.token_file) or "", self._settings.org or ""
            timeout_ms = int(TIMEOUT_S * 1000)
            self._client = InfluxDBClient(
                self._settings.url, token, timeout=timeout_ms, org=org, retries=NO_RETRIES
            )
        return self._client

    def _trouble(self, error: ApiException) -> UnacceptableError | UnavailableError:
        if error.status in REFUSED:
            return UnacceptableError(_reason(error))
        if error.status in (401, 403):
            self._client = None
            return UnavailableError(
                f"InfluxDB's token may not write to bucket {self.bucket!r}; check [influx] token_file"
            )
        if error.status == 404:
            return UnavailableError(
                f"InfluxDB has no bucket {self.bucket!r} in org {self._settings.org!r}; create it there"
            )
        return UnavailableError(f"InfluxDB answers {error.status}: {_reason(error)}")


def predicate(record: Record) -> str:
    """The measurement and all tags of this point, in the delete API's language."""
    conditions = {"_measurement": plain(record.measurement)} | kept_tags(record)
    return " AND ".join(f"{_double(name)}={_double(value)}" for name, value in conditions.items())


def rfc3339(time_in_ns: int) -> str:
    """A time with all nine digits; microseconds are all that datetime can carry."""
    seconds, fraction = divmod(time_in_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"


def _double(text: str) -> str:
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'


def _unreachable(error: Exception) -> UnavailableError:
    reason = type(error).__name__
    return UnavailableError(
        f"InfluxDB does not answer ({reason}); is it running, is [influx] url in site.toml right?"
    )


def _reason(error: ApiException) -> str:
    return str(error.body or error.reason or "")[:500]
