"""What an owner may ask about the last days beyond the page: spec 4, Others, of the whole shop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from gateway.config import DAYS, Site
from gateway.fusion import Contact
from gateway.indexer import Period, periods
from gateway.indices import measure, served
from gateway.indices.compare import Stratum, is_anomaly, weighted
from gateway.indices.negativity import negativity
from gateway.indices.nps import MIN_N, Counts, count
from gateway.indices.reaction import reaction
from gateway.indices.sampling import achieved_margin, sample_size, sample_size_nps
from gateway.indices.shares import Share, csat, direct_against_indirect, emotion_confirmed, response_rate
from gateway.journal import Journal
from gateway.measurements import contact_of
from gateway.records import Record

DAY_MS, HOUR_MS, MINUTE_MS = 86_400_000, 3_600_000, 60_000
USUAL_WEEKS = 8
MARGIN, POINTS = 0.05, 5.0


def report(journal: Journal, site: Site, now: int, days: int, customers: int | None = None) -> dict[str, Any]:
    """The last `days` business days up to now; figures under 10 contacts are null (spec 4, spec 7).

    `customers`: how many the shop served in these days, from 1 on; not known if more were asked. The site's
    `served` may be of any period, so it only tells how much each point weighs.
    """
    start = first_day(site, now, days).start
    contacts = [contact_of(record) for record in journal.records("contact", start, now + 1)]
    counts, index = count(contacts), measure(contacts, site, customers).nps
    table = direct_against_indirect(contacts)
    return {
        "site": site.site,
        "from": site.local_date(start),
        "to": site.local_date(now),
        "contacts": asdict(counts) | {"n": counts.n},
        "index": asdict(index),
        "weighted": _weighted(contacts, site, customers) if index.published == "emonps" else None,
        "response_rate": _shown(response_rate(counts)),
        "csat": _shown(csat(counts)),
        "emotion_confirmed": _shown(emotion_confirmed(counts)),
        "direct_vs_indirect": asdict(table) | {"kappa": table.kappa} if table.n >= MIN_N else None,
        "negativity_per_hour": _negativity(journal, site, contacts, start, now),
        "anomaly": anomaly(journal, site, now),
        "reactions": _reactions(journal.records("reaction", start, now + 1)),
        "sample": _sample(counts, customers),
    }


def first_day(site: Site, now: int, days: int) -> Period:
    """The business day that lies days − 1 before today's."""
    today = periods(site, now)[1]
    noon = site.local(today.start).replace(tzinfo=None) + timedelta(hours=12, days=1 - days)
    return periods(site, round(noon.replace(tzinfo=site.tz).timestamp() * 1000))[1]


def _shown(share: Share | None) -> dict[str, Any] | None:
    return asdict(share) if share and share.n >= MIN_N else None


def _negativity(
    journal: Journal, site: Site, contacts: Sequence[Contact], start: int, now: int
) -> dict[str, Any] | None:
    """Low ratings by key of contacts that count, and low presses without an ask, per opening hour.

    Hours before the box's first record do not count: nobody could press.
    """
    low = sum(one.counts and one.rating == "low" and one.via == "key" for one in contacts)
    presses = journal.records("press", start, now + 1)
    low += sum((p.tags["rating"], p.tags["state"]) == ("low", "spontaneous") for p in presses)
    since = max(start, journal.first_time())
    hours = sum(site.is_open(t) for t in range(since, now, MINUTE_MS)) * MINUTE_MS / HOUR_MS
    if not hours or count(contacts).n < MIN_N:
        return None
    value, at_least, at_most = negativity(low, hours)
    return {"value": value, "low": at_least, "high": at_most, "presses": low, "hours": hours}


def _weighted(contacts: Sequence[Contact], site: Site, customers: int | None) -> dict[str, float] | None:
    """EmoNPS with each point weighed by its customers served; None unless all points can be weighed."""
    total = served(site, None)
    by_point = {point: count(one for one in contacts if one.point == point) for point in site.points}
    if len(by_point) < 2 or not total or min(one.n for one in by_point.values()) < MIN_N:
        return None
    scale = 1 if customers is None else customers / total
    strata = [Stratum(one, scale * (served(site, point) or 0)) for point, one in by_point.items()]
    value, half = weighted(strata, corrected=customers is not None)
    return {"value": value, "low": max(-100.0, value - half), "high": min(100.0, value + half)}


def anomaly(journal: Journal, site: Site, now: int) -> bool | None:
    """Whether the last 60 min had too many critics for this weekday-hour of 8 weeks; None: too few to say."""
    hour = f"{site.local(now).hour:02d}"
    day = DAYS[date.fromisoformat(site.local_date(now)).weekday()]
    before = journal.records("contact", now - USUAL_WEEKS * 7 * DAY_MS - HOUR_MS, now - DAY_MS)
    usual = count(contact_of(r) for r in before if (r.tags["local_hour"], r.tags["weekday"]) == (hour, day))
    last = count(contact_of(record) for record in journal.records("contact", now - HOUR_MS, now + 1))
    if usual.n < MIN_N:
        return None
    return is_anomaly(last.critic, last.n, usual.critic / usual.n)


def _reactions(records: Sequence[Record]) -> dict[str, Any]:
    """ΔSI by phrase; no figure under 30 events."""
    pairs: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for record in records:
        before, after = (float(record.fields[name] or 0) for name in ("before", "after"))
        pairs[record.tags["phrase"]].append((before, after))
    return {phrase: asdict(reaction(found)) for phrase, found in sorted(pairs.items())}


def _sample(counts: Counts, customers: int | None) -> dict[str, Any]:
    """How many asks ± 5 points take, of a share and of EmoNPS with the shop's own variance."""
    n = counts.n
    own = counts.adjusted(counts.loyal)[1] * (n + 3) if n >= MIN_N else None
    return {
        "asked": n,
        "served": customers,
        "for_a_share": sample_size(MARGIN, customers),
        "for_emonps": None if own is None else sample_size_nps(POINTS, own, customers),
        "achieved": achieved_margin(n, customers) if n else None,
    }


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The same for a person to read."""
    sample = found["sample"]
    yield f"{found['site']}, {found['from']} to {found['to']}: {sample['asked']} contacts that count"
    yield index_line(found["index"])
    if found["weighted"]:
        yield f"EmoNPS, each point by its customers served: {_points(found['weighted'])}"
    for name in ("response_rate", "csat", "emotion_confirmed", "negativity_per_hour"):
        one = found[name]
        text = f"{one['value']:.3f}, from {one['low']:.3f} to {one['high']:.3f}" if one else "—"
        yield f"{name.replace('_', ' ')}: {text}"
    kappa = (found["direct_vs_indirect"] or {}).get("kappa")
    yield f"direct against indirect, kappa: {'—' if kappa is None else format(kappa, '.2f')}"
    yield f"anomaly in the last hour: {({True: 'yes', False: 'no', None: '—'})[found['anomaly']]}"
    for phrase, one in found["reactions"].items():
        value = "—" if one["delta"] is None else f"{one['delta']:+.1f} points"
        yield f"reaction to {phrase}: {value} ({one['n']} times)"
    yield f"asks for ±5 points: {sample['for_a_share']}; of EmoNPS: {sample['for_emonps'] or '—'}"


def index_line(index: dict[str, Any]) -> str:
    """The published index for a person to read."""
    name = "BaseNPS" if index["published"] == "base_nps" else "EmoNPS"
    if index["published"] == "none":
        return f"{name}: —"
    text = f"{name}: {_points(index | {'value': index[index['published']]})}"
    text += f", up to {index['upper']:+.0f} where no smile was seen" if index["flagged"] else ""
    return text + (" (few data)" if index["few_data"] else "")


def _points(figure: Mapping[str, float]) -> str:
    return f"{figure['value']:+.0f}, from {figure['low']:+.0f} to {figure['high']:+.0f}"
