"""What a value of site.toml may be: each type refuses with what is allowed instead."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.polygons import Polygon, polygons

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60


def _name(text: str) -> str:
    if not text.isprintable() or not text or any(sign in text for sign in "/+#"):
        raise ValueError("a name must not be empty and must not hold / + # or signs that cannot be printed")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, KeyError, OSError) as error:
        raise ValueError("allowed is an IANA time zone such as Europe/Berlin") from error
    return text


def _minutes(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    if not (colon and len(hours) == 2 and len(minutes) == 2 and (hours + minutes).isdecimal()):
        raise ValueError("allowed is a time such as 09:00")
    total = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or total > DAY_MINUTES:
        raise ValueError("allowed is a time from 00:00 to 24:00")
    return total


def _span(text: Any) -> tuple[int, int]:
    if not isinstance(text, str) or text.count("-") != 1:
        raise ValueError('allowed is "09:00-20:00" or a list of such spans')
    start, end = (_minutes(part.strip()) for part in text.split("-"))
    if start == DAY_MINUTES:
        raise ValueError("a span must start before 24:00")
    return start, end if end > start else end + DAY_MINUTES


def _spans(value: Any) -> tuple[tuple[int, int], ...]:
    return tuple(_span(text) for text in (value if isinstance(value, list) else [value]))


def _day_start(value: Any) -> int:
    if not isinstance(value, str) or _minutes(value) == DAY_MINUTES:
        raise ValueError('allowed is a time such as "04:00"')
    return _minutes(value)


def _whole_ms(seconds: float) -> float:
    if abs(seconds * 1000 - round(seconds * 1000)) > 1e-6:
        raise ValueError("allowed are seconds with at most three decimals")
    return seconds


def _local(value: datetime) -> datetime:
    if value.tzinfo is not None:
        raise ValueError("allowed is a local date and time without offset, such as 2025-10-08T10:30:00")
    return value


def _k_value(value: float) -> float:
    if not 0.2 <= value <= 1:
        raise ValueError("allowed is 0.2 to 1")
    return value


Polygons = Annotated[tuple[Polygon, ...], BeforeValidator(polygons), Field(strict=False)]
Name = Annotated[str, AfterValidator(_name)]
Zone = Annotated[str, AfterValidator(_zone)]
Spans = Annotated[tuple[tuple[int, int], ...], BeforeValidator(_spans), Field(strict=False)]
Seconds = Annotated[float, Field(ge=0, le=86_400), AfterValidator(_whole_ms)]
Share = Annotated[float, Field(ge=0, le=1)]
Months = Annotated[int, Field(ge=1, le=1200)]
DayStart = Annotated[int, BeforeValidator(_day_start)]
KValue = Annotated[float, AfterValidator(_k_value)]
LocalTime = Annotated[datetime, AfterValidator(_local)]
