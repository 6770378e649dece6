"""The shop's site.toml as one frozen tree; what is wrong is named by file, key and what is allowed."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import model_validator as checked
from pydantic_core import ErrorDetails

from gateway import privacy
from gateway.bus import BrokerAddress
from gateway.polygons import Polygon, polygons

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60


class SiteError(Exception):
    """site.toml cannot be used; the text names the file, the key and what is allowed."""


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
        raise ValueError(f"allowed is 0.2 to 1 (it is {value:g})")
    return value


def _versions(value: Any) -> Any:
    return value if isinstance(value, list) else [{"value": value}]


Polygons = Annotated[tuple[Polygon, ...], BeforeValidator(polygons), Field(strict=False)]
Name = Annotated[str, AfterValidator(_name)]
Zone = Annotated[str, AfterValidator(_zone)]
Spans = Annotated[tuple[tuple[int, int], ...], BeforeValidator(_spans), Field(strict=False)]
Seconds = Annotated[float, Field(ge=0, le=86_400), AfterValidator(_whole_ms)]
Share = Annotated[float, Field(ge=0, le=1)]
Months = Annotated[int, Field(ge=1, le=1200)]


class Table(BaseModel):
    """A table of site.toml: unknown names are refused, types are exact, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class KVersion(Table):
    """One value of K, in force from a local time on."""

    value: Annotated[float, AfterValidator(_k_value)]
    start: Annotated[datetime, AfterValidator(_local)] | None = Field(default=None, alias="from")


def _ordered(versions: tuple[KVersion, ...]) -> tuple[KVersion, ...]:
    if not versions:
        raise ValueError("allowed is a number from 0.2 to 1, or a list of at least one version")
    if any(version.start is None for version in versions[1:]):
        raise ValueError("every version but the first needs `from`")
    first, rest = versions[0], versions[1:]
    return (first, *sorted(rest, key=lambda version: version.start or datetime.min))


KVersions = Annotated[
    tuple[KVersion, ...], BeforeValidator(_versions), AfterValidator(_ordered), Field(strict=False)
]
HALF = (KVersion(value=0.5),)


class K(Table):
    """The share of silent customers counted as critics, by collection technology."""

    button: KVersions = HALF
    voice: KVersions = HALF


class Hours(Table):
    """Opening hours: spans of minutes since the local midnight of the day that they belong to."""

    mon: Spans = ()
    tue: Spans = ()
    wed: Spans = ()
    thu: Spans = ()
    fri: Spans = ()
    sat: Spans = ()
    sun: Spans = ()

    @cached_property
    def week(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Spans by weekday, Monday first."""
        return tuple(getattr(self, day) for day in DAYS)


class Camera(Table):
    """Whether the camera may be on (spec 7)."""

    sign_posted: str = ""
    releases: str = ""


class ScopeAll(Table):
    """The separate choice that a camera watches everybody in opening hours (spec 7): who and when."""

    approved: str = ""


class Staff(Table):
    """One member of staff by pseudonym; without consent (who and when) it stands in no record."""

    keyfob: str
    consent: str = ""


class StaffCamera(Table):
    """A camera turned to one member of staff, with the written consent (who and when)."""

    consent: str = ""


DeviceKind = Literal["terminal", "keyfob", "camera", "microphone"]


class Device(Table):
    """One device of a point."""

    kind: DeviceKind
    keys: int | None = Field(default=None, ge=2, le=5)
    test: bool = False

    @checked(mode="after")
    def _keys_for_terminals(self) -> Device:
        if self.kind == "terminal" and self.keys is None:
            raise ValueError("a terminal needs `keys`, 2 to 5")
        if self.kind != "terminal" and self.keys is not None:
            raise ValueError("only a terminal has `keys`")
        return self


class Point(Table):
    """A place where customers are served."""

    technology: Literal["button", "voice"] = "button"
    served: int | None = Field(default=None, ge=0)
    devices: dict[Name, Device] = {}


class Phrase(Table):
    """What a spotted phrase means."""

    role: str = Field(min_length=1)
    rating: Literal["top", "middle", "low"] | None = None

    @checked(mode="after")
    def _rating_needs_value(self) -> Phrase:
        if self.role == "rating" and self.rating is None:
            raise ValueError("a phrase of role rating needs `rating`: top, middle or low")
        return self


class Defaults(Table):
    """The starred numbers of spec 3 and 7."""

    burst_gap_s: Seconds = 5
    cancel_s: Seconds = 10
    phrase_merge_s: Seconds = 15
    timeout_button_s: Seconds = 30
    timeout_voice_s: Seconds = 60
    window_before_s: Seconds = 30
    window_after_s: Seconds = 3
    window_silent_s: Seconds = 30
    window_post_s: Seconds = 5
    face_px_min: float = Field(default=80, ge=0, le=100_000)
    face_yaw_max: float = Field(default=30, ge=0, le=180)
    smile_on: Share = 0.60
    smile_off: Share = 0.40
    valid_min_s: Seconds = 2.0
    positive_run_s: Seconds = 1.0
    lateness_s: Seconds = 120
    retention_raw_days: Months = 90
    retention_emotion_days: Months = 30
    retention_hourly_months: Months = 24

    def ms(self, name: str) -> int:
        """A setting in seconds as whole milliseconds."""
        seconds: float = getattr(self, name)
        return round(seconds * 1000)


class Broker(Table):
    """The MQTT broker that the shop's devices talk to."""

    host: str = "127.0.0.1"
    port: int = Field(default=1883, ge=1, le=65_535)
    username: str | None = None
    password_file: str | None = None
    ca_file: str | None = None

    def address(self) -> BrokerAddress:
        """The same for the bus."""
        return BrokerAddress(
            self.host, self.port, self.username, _path(self.password_file), _path(self.ca_file)
        )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


class Influx(Table):
    """InfluxDB: 1.x, 2.x or 3.x, found out by asking it."""

    url: str = Field(pattern=r"^https?://")
    database: str = "emobox"
    bucket: str | None = None
    org: str | None = None
    token_file: str | None = None
    username: str | None = None
    password_file: str | None = None


class Web(Table):
    """The local page; on loopback unless said otherwise."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)


class Store(Table):
    """Where the journal lives, how large it may become, and the room that is kept for a full disk."""

    path: str = ".emobox"
    max_mb: int = Field(default=4000, ge=10)
    reserve_mb: int = Field(default=16, ge=1, le=1000)


class CameraSource(Table):
    """What a camera process looks at: a camera's index, a file or an address; and what it must not see."""

    source: int | str
    fps: float = Field(default=5, gt=0, le=30)
    loop: bool = False
    mask: Polygons = ()


class MicrophoneSource(Table):
    """What a microphone process listens to: an ALSA card, a WAV file, or - for raw sound on stdin."""

    source: str = Field(min_length=1)
    loop: bool = False


class Voice(Table):
    """How spoken answers are heard, and whether short clips of sound may be kept (spec 7)."""

    spontaneous: bool = False
    confirm: Literal["", "pocketsphinx"] = ""
    clips: bool = False
    clips_consent: str = ""
    clip_before_s: Annotated[Seconds, Field(le=20)] = 5
    clip_after_s: Annotated[Seconds, Field(le=20)] = 10


Technology = Literal["button", "voice"]


class Site(Table):
    """One shop (site-format), with the tables of the gateway."""

    site: Name
    zone: Zone
    region: str = ""
    day_start: Annotated[int, BeforeValidator(_day_start)] = 0
    hours: Hours | None = None
    camera: Camera | None = None
    k: K = K()
    points: dict[Name, Point] = {}
    phrases: dict[str, Phrase] = {}
    defaults: Defaults = Defaults()
    broker: Broker = Broker()
    influx: Influx | None = None
    web: Web = Web()
    store: Store = Store()
    cameras: dict[Name, CameraSource] = {}
    microphones: dict[Name, MicrophoneSource] = {}
    voice: Voice = Voice()
    scope_all: ScopeAll | None = None
    staff: dict[Name, Staff] = {}
    staff_camera: dict[Name, StaffCamera] = {}

    @checked(mode="after")
    def _names_are_unique(self) -> Site:
        if "all" in self.points:
            raise ValueError('points.all: "all" is not allowed as the name of a point')
        seen: dict[str, str] = {}
        for point, table in self.points.items():
            for device in table.devices:
                if device in seen:
                    raise ValueError(
                        f"points.{point}.devices.{device}: this device is named twice (also at "
                        f"{seen[device]}); allowed is once in the whole file"
                    )
                seen[device] = point
        return self

    @checked(mode="after")
    def _sources_are_devices(self) -> Site:
        for table, kind in (("cameras", "camera"), ("microphones", "microphone")):
            for name in getattr(self, table):
                if name not in self.devices or self.devices[name].kind != kind:
                    raise ValueError(f"{table}.{name}: allowed is the name of a {kind} of some point")
        return self

    @checked(mode="after")
    def _staff_have_keyfobs(self) -> Site:
        seen: dict[str, str] = {}
        for name, one in self.staff.items():
            if one.keyfob not in self.devices or self.devices[one.keyfob].kind != "keyfob":
                raise ValueError(f"staff.{name}.keyfob: allowed is the name of a keyfob of some point")
            if one.keyfob in seen:
                raise ValueError(
                    f"staff.{name}.keyfob: is {seen[one.keyfob]}'s already; allowed is one person a keyfob"
                )
            seen[one.keyfob] = name
        return self

    @checked(mode="after")
    def _profile_allows_it(self) -> Site:
        why = privacy.why_no_scope_all(self) if self.scope_all else ""
        if why:
            raise ValueError(f"scope_all: {why}")
        for name, one in self.staff_camera.items():
            why = privacy.why_no_staff_emotion(self.region, one.consent)
            raise ValueError(f"staff_camera.{name}: {why or 'is not built yet; take the table out'}")
        return self

    @cached_property
    def tz(self) -> ZoneInfo:
        """The shop's time zone."""
        return ZoneInfo(self.zone)

    @cached_property
    def devices(self) -> dict[str, Device]:
        """Every device by name."""
        return {name: device for point in self.points.values() for name, device in point.devices.items()}

    @cached_property
    def point_of(self) -> dict[str, str]:
        """The point of every device."""
        return {device: name for name, point in self.points.items() for device in point.devices}

    def local(self, t_ms: int) -> datetime:
        """Local wall time of an instant."""
        return datetime.fromtimestamp(t_ms // 1000, self.tz).replace(microsecond=t_ms % 1000 * 1000)

    def local_date(self, t_ms: int) -> str:
        """The business day of an instant, as YYYY-MM-DD."""
        wall = self.local(t_ms).replace(tzinfo=None)
        return (wall - timedelta(minutes=self.day_start)).date().isoformat()

    def is_open(self, t_ms: int) -> bool:
        """Whether the shop is open: start ≤ local wall time < end (spec 3)."""
        if self.hours is None:
            return True
        wall = self.local(t_ms)
        minute = wall.hour * 60 + wall.minute
        week, day = self.hours.week, wall.weekday()
        return any(start <= minute < end for start, end in week[day]) or any(
            minute + DAY_MINUTES < end for _, end in week[day - 1]
        )

    def timeout_ms(self, point: str) -> int:
        """How long an ask of this point stays open."""
        return self.defaults.ms(f"timeout_{self.points[point].technology}_s")

    def k_at(self, point: str, t_ms: int) -> float:
        """K of the point's technology in force at an instant."""
        versions = self._k_starts[self.points[point].technology]
        return [value for start, value in versions if start is None or start <= t_ms][-1]

    @cached_property
    def _k_starts(self) -> dict[str, list[tuple[float | None, float]]]:
        return {name: self._starts(getattr(self.k, name)) for name in get_args(Technology)}

    def _starts(self, versions: tuple[KVersion, ...]) -> list[tuple[float | None, float]]:
        first, rest = versions[0], versions[1:]
        return [(None, first.value), *((self._instant(version), version.value) for version in rest)]

    def _instant(self, version: KVersion) -> float:
        start = version.start or datetime.min
        return start.replace(tzinfo=self.tz).timestamp() * 1000


def load_site(path: Path) -> Site:
    """Read site.toml; SiteError names file, key and what is allowed."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SiteError(f"{path}: cannot be read ({error.strerror}); give the shop's site.toml") from None
    except UnicodeDecodeError:
        raise SiteError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SiteError(f"{path}: is not TOML: {error}") from None
    return parse_site(table, str(path))


def parse_site(table: dict[str, Any], file: str = "site.toml") -> Site:
    """Check a parsed site.toml."""
    try:
        return Site.model_validate(table)
    except ValidationError as error:
        lines = dict.fromkeys(f"{file}: {_explain(detail)}" for detail in error.errors())
        raise SiteError("\n".join(lines)) from None


_PLAIN = {
    "model_type": "allowed is a table",
    "dict_type": "allowed is a table",
    "string_type": "allowed is a text in quotes",
    "int_type": "allowed is a whole number",
    "float_type": "allowed is a number",
    "finite_number": "allowed is a number",
    "bool_type": "allowed is true or false",
    "datetime_type": "allowed is a local date and time such as 2025-10-08T10:30:00",
    "string_too_short": "allowed is a text that is not empty",
}


def _explain(detail: ErrorDetails) -> str:
    key = ".".join(str(part) for part in detail["loc"] if part != "[key]")
    if detail["type"] == "extra_forbidden":
        return f"{key}: unknown name; allowed here: {', '.join(_allowed(detail['loc'][:-1]))}"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return f"{key}: {message}" if key else message
    if detail["type"] == "missing":
        return f"{key}: is missing; needed or allowed here: {', '.join(_allowed(detail['loc'][:-1]))}"
    allowed = _PLAIN.get(detail["type"], message.removeprefix("Input ").removeprefix("String "))
    return f"{key}: {allowed} (it is {_shown(detail['input'])})"


def _shown(value: Any) -> str:
    """A wrong value where it surely holds no secret, else its type."""
    return repr(value) if isinstance(value, bool | int | float) else f"a {type(value).__name__}"


def _allowed(loc: tuple[int | str, ...]) -> list[str]:
    """Names allowed in the table at `loc`."""
    model: type[Table] = Site
    for part in loc:  # names that are no field are keys of a dict or places in a list
        field = model.model_fields.get(str(part))
        model = (field and _table_in(field.annotation)) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _table_in(annotation: Any) -> type[Table] | None:
    """The table class inside an annotation such as `dict[Name, Point]` or `Hours | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    found = [_table_in(part) for part in get_args(annotation)]
    return next((model for model in found if model is not None), None)
