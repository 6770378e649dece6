"""Contacts, presses, phrases, devices and indices as records of spec 5, and contacts back from them."""

from __future__ import annotations

from datetime import datetime

from gateway.config import DAYS, Site
from gateway.events import Health, Press, Spoken
from gateway.fusion import Contact
from gateway.fusion.emotion import Emotion
from gateway.fusion.presses import rating_of
from gateway.indices import Indices
from gateway.records import Record, Value

OUTCOMES = ("loyal", "passive", "unknown", "critic", "silent")
Figure = tuple[float | None, float | None, float | None]
"""Value, low, high."""
NO_FIGURE: Figure = None, None, None


def contact_record(contact: Contact, site: Site) -> Record:
    """Measurement `contact`; time is t_ask."""
    date = site.local_date(contact.asked)
    tags = {
        "site": site.site,
        "point": contact.point,
        "outcome": contact.outcome,
        "via": contact.via,
        "asked_by": contact.asked_by,
        **({"staff": contact.staff} if contact.staff else {}),
        "local_hour": f"{site.local(contact.asked).hour:02d}",
        "weekday": DAYS[datetime.fromisoformat(date).weekday()],
    }
    name = f"{contact.point}/{contact.asked}"
    fields: dict[str, Value] = {
        "id": name,
        "score": contact.score,
        "k": contact.k,
        **{outcome: int(contact.counts and contact.outcome == outcome) for outcome in OUTCOMES},
        "rating": contact.rating,
        "answer_s": contact.answer_s,
        "smile_share": contact.emotion.smile_share,
        "positive": contact.emotion.positive,
        "valid_s": contact.emotion.valid_ms / 1000,
        "flags": ",".join(contact.flags),
        "local_date": date,
    }
    return Record(f"contact/{name}", "contact", contact.asked, tags, fields)


def contact_of(record: Record) -> Contact:
    """The contact that a record was made from."""
    tags, fields = record.tags, record.fields
    flags = tuple(flag for flag in str(fields["flags"]).split(",") if flag)
    answer_s, share = _number(fields["answer_s"]), _number(fields["smile_share"])
    positive = None if fields["positive"] is None else bool(fields["positive"])
    valid_ms = round((_number(fields["valid_s"]) or 0) * 1000)
    return Contact(
        tags["point"],
        record.time_ms,
        tags["asked_by"],
        tags["outcome"],
        None if fields["rating"] is None else str(fields["rating"]),
        tags["via"],
        None if answer_s is None else record.time_ms + round(answer_s * 1000),
        Emotion(valid_ms, share, positive, "ambiguous" in flags),
        _number(fields["score"]),
        _number(fields["k"]) or 0.0,
        flags,
        tags.get("staff"),
    )


def press_record(press: Press, state: str, site: Site) -> Record:
    """Measurement `press`, one point a press."""
    rating = rating_of(press, site.devices[press.device].keys or 0)
    tags = {
        "site": site.site,
        "point": site.point_of[press.device],
        "device": press.device,
        "rating": rating,
        "state": state,
    }
    name = f"press/{press.device}/{press.boot}/{press.seq}"
    return Record(name, "press", press.t, tags, {"n": 1, "key": press.key})


def phrase_record(spoken: Spoken, site: Site) -> Record:
    """Measurement `phrase`, one point a spotted phrase."""
    tags = {"site": site.site, "point": site.point_of[spoken.device], "phrase": spoken.phrase}
    name = f"phrase/{spoken.device}/{spoken.boot}/{spoken.seq}"
    return Record(name, "phrase", spoken.t, tags, {"score": spoken.score})


def device_record(health: Health, gaps: int, site: Site) -> Record:
    """Measurement `device`: how one fares, and how many of its events never arrived."""
    tags = {"site": site.site, "device": health.device, "kind": site.devices[health.device].kind}
    numbers = {name: health.fields.get(name) for name in ("battery_mv", "rssi", "queued", "dropped")}
    name = f"device/{health.device}/{health.boot}/{health.seq}"
    return Record(name, "device", health.t, tags, {**numbers, "gaps": gaps, "online": True})


def status_record(t: int, device: str, online: bool, site: Site) -> Record:
    """Measurement `device`: it came (retained status) or went (last will) at that ms."""
    tags = {"site": site.site, "device": device, "kind": site.devices[device].kind}
    return Record(f"device/{device}/status/{t}", "device", t, tags, {"online": online})


def index_records(
    indices: Indices, site: Site, point: str, period: str, start: int, k: float | None
) -> list[Record]:
    """Measurement `index`: every figure that is published for a closed hour or day."""
    nps, smile, n, answered = indices.nps, indices.smile, indices.counts.n, indices.answered
    seen = smile.known / n if n else None
    figures = (
        ("emonps", (nps.emonps, nps.low, nps.high), n, nps.coverage),
        ("base_nps", (nps.base_nps, nps.low, nps.high), n, nps.coverage),
        ("smile_index", (smile.smile_index, smile.smile_low, smile.smile_high), smile.known, seen),
        ("smile_rate", (smile.smile_rate, smile.rate_low, smile.rate_high), smile.known, seen),
        ("response_rate", (answered.value, answered.low, answered.high) if answered else NO_FIGURE, n, None),
    )
    found = (
        index_record(site, point, period, start, name, figure, count, coverage, k)
        for name, figure, count, coverage in figures
    )
    return [record for record in found if record]


def index_record(
    site: Site,
    point: str,
    period: str,
    start: int,
    name: str,
    figure: Figure,
    n: int,
    coverage: float | None,
    k: float | None,
) -> Record | None:
    """One figure of a closed hour or day, with its coverage 0…1; None while it may not be published."""
    value, low, high = figure
    if value is None:
        return None
    tags = {"site": site.site, "point": point, "name": name, "period": period}
    fields: dict[str, Value] = {
        "value": value,
        "low": low,
        "high": high,
        "n": n,
        "coverage": coverage,
        "k": k,
    }
    return Record(f"index/{point}/{name}/{period}/{start}", "index", start, tags, fields)


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) else None
