"""The whole of a shop's site.toml, and what follows from it: whose device, which hours, which K."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from typing import get_args
from zoneinfo import ZoneInfo

from pydantic import Field
from pydantic import model_validator as checked

from gateway import privacy
from gateway.config.tables import (
    Broker,
    Camera,
    CameraSource,
    Defaults,
    Device,
    Hours,
    Influx,
    K,
    KVersion,
    MicrophoneSource,
    Phrase,
    Point,
    ScopeAll,
    Staff,
    StaffCamera,
    Store,
    Table,
    Technology,
    Voice,
    Web,
)
from gateway.config.values import DAY_MINUTES, DayStart, Name, Zone


class Site(Table):
    """One shop (site-format), with the tables of the gateway."""

    site: Name
    zone: Zone
    region: str = ""
    day_start: DayStart = 0
    hours: Hours | None = None
    camera: Camera | None = None
    k: K = K()
    points: dict[Name, Point] = Field(default_factory=dict)
    phrases: dict[str, Phrase] = Field(default_factory=dict)
    defaults: Defaults = Defaults()
    broker: Broker = Broker()
    influx: Influx | None = None
    web: Web = Web()
    store: Store = Store()
    cameras: dict[Name, CameraSource] = Field(default_factory=dict)
    microphones: dict[Name, MicrophoneSource] = Field(default_factory=dict)
    voice: Voice = Voice()
    scope_all: ScopeAll | None = None
    staff: dict[Name, Staff] = Field(default_factory=dict)
    staff_camera: dict[Name, StaffCamera] = Field(default_factory=dict)

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
