"""The tables of site.toml (site-format), each frozen, exact and strict."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic import model_validator as checked

from gateway.bus import BrokerAddress
from gateway.config.values import DAYS, KValue, LocalTime, Months, Name, Polygons, Seconds, Share, Spans


class Table(BaseModel):
    """A table of site.toml: unknown names are refused, types are exact, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class KVersion(Table):
    """One value of K, in force from a local time on."""

    value: KValue
    start: LocalTime | None = Field(default=None, alias="from")


def _versions(value: Any) -> Any:
    return value if isinstance(value, list) else [{"value": value}]


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


Technology = Literal["button", "voice"]
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

    technology: Technology = "button"
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


Confirm = Literal["auto", "none", "", "whisper", "pocketsphinx"]
"""Who gives a second opinion on spoken answers; gateway/voice/opinion.py."""


class Voice(Table):
    """How spoken answers are heard, and whether short clips of sound may be kept (spec 7)."""

    spontaneous: bool = False
    confirm: Confirm = "auto"
    clips: bool = False
    clips_consent: str = ""
    clip_before_s: Annotated[Seconds, Field(le=20)] = 5
    clip_after_s: Annotated[Seconds, Field(le=20)] = 10
