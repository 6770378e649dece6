"""What an owner may ask about the last days beyond the page: spec 4, Others, of the whole shop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from gateway.config import DAYS, Site
from gateway.fusion import Contact
from gateway.indexer import Period, periods
from gateway.indices import measure, served
from gateway.indices.compare import is_anomaly
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


def report(journal: Journal, site: Site, now: int, days: int) -> dict[str, Any]:
    """The last `days` business days up to now; figures under 10 contacts are null (spec 4, spec 7)."""
    start = first_day(site, now, days).start
    contacts = [contact_of(record) for record in journal.records("contact", start, now + 1)]
    counts, customers = count(contacts), served(site, None)
    table = direct_against_indirect(contacts)
    return {
        "site": site.site,
        "from": site.local_date(start),
        "to": site.local_date(now),
        "contacts": asdict(counts) | {"n": counts.n},
        "index": asdict(measure(contacts, site, customers).nps),
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
    """Low ratings by key of contacts that count, and low presses without an ask, per opening hour."""
    low = sum(one.counts and one.rating == "low" and one.via == "key" for one in contacts)
    presses = journal.records("press", start, now + 1)
    low += sum((p.tags["rating"], p.tags["state"]) == ("low", "spontaneous") for p in presses)
    hours = sum(site.is_open(t) for t in range(start, now, MINUTE_MS)) * MINUTE_MS / HOUR_MS
    if not hours:
        return None
    value, at_least, at_most = negativity(low, hours)
    return {"value": value, "low": at_least, "high": at_most, "presses": low, "hours": hours}


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
