"""The figures of spec 4 as InfluxQL over `contact` records: exact, for any window, point and site; pure text.

The only language that InfluxDB 1.x, 2.x and 3.x all answer. Checked on 1.6.7, which has sqrt, pow, abs and
nested queries, but no least or greatest: those are written with abs. Trap: a subquery divides whole numbers
as whole numbers (9/10 = 0), an outer query does not. Only a contact that counts has a score.
"""

from __future__ import annotations

from statistics import NormalDist

OUTCOMES = ("loyal", "passive", "unknown", "critic", "silent")
N_MIN = 10
N_FEW_MAX = 29
SCOPE = '"site" =~ /^$site$/ AND "point" =~ /^$point$/'
SHOWN = f"{SCOPE} AND $timeFilter"
SQUARES = '(("n" - 1) * "sd" * "sd" + "q" * "q" / "n")'  # sum of the squares of the scores

ENOUGH = f'"n" >= {N_MIN}'
EMO_PUBLISHED = '"l" + "p" >= "u"'  # coverage of 0.50 and more; also without top ratings, as spec 4 has it
BASE_PUBLISHED = '"l" + "p" < "u"'
FLAGGED = f'{EMO_PUBLISHED} AND "l" + "p" < 4 * "u"'  # under 0.80; whole numbers, so that limits are exact


def sums(group: str = "") -> str:
    """n, q (sum of scores), sd (of scores), and counts of the outcomes (l, p, u, c, s); one row per group.

    Aggregates of the measurement itself: a subquery of its rows gives the same in 100 times the time.
    """
    counts = ", ".join(f'sum("{name}") AS "{name[0]}"' for name in OUTCOMES)
    heads = 'count("score") AS "n", sum("score") AS "q", stddev("score") AS "sd"'
    return f'SELECT {heads}, {counts} FROM "contact" WHERE {SHOWN}{group and " " + group}'


def of(query: str, condition: str = "") -> str:
    """FROM a subquery. With the window once more: without it an outer query opens every shard there is."""
    return f"FROM ({query}) WHERE $timeFilter{condition and ' AND ' + condition}"


def emonps(name: str, group: str = "") -> str:
    """EmoNPS and its 95 % interval as columns name, `name low`, `name high`; a row only where published."""
    return _index(name, '"q"', SQUARES, EMO_PUBLISHED, group)


def base_nps(name: str, group: str = "", *, camera: bool = True) -> str:
    """BaseNPS likewise: every top rating counts as loyal; with a camera a row only where EmoNPS has none."""
    published = BASE_PUBLISHED if camera else ENOUGH
    return _index(name, '("q" + "p" + "u")', f'({SQUARES} + "p" + "u")', published, group)


def _index(name: str, total: str, squares: str, published: str, group: str) -> str:
    """Adjusted Wald: 3/4 of a contact is added to both ends, which moves the sum of scores by nothing."""
    moments = (
        f'SELECT 100 * {total} / "n" AS "value", {total} / ("n" + 3) AS "m", '
        f'({squares} + 1.5) / ("n" + 3) AS "m2", "n" {of(sums(group), f"{ENOUGH} AND {published}")}'
    )
    half = '196 * sqrt(("m2" - "m" * "m") / ("n" + 3))'
    bounds = f'SELECT "value", 100 * "m" - {half} AS "a", 100 * "m" + {half} AS "b" {of(moments)}'
    low, high = greater('"a"', "-100"), lesser('"b"', "100")
    low, high = lesser(low, '"value"'), greater(high, '"value"')
    return f'SELECT "value" AS "{name}", {low} AS "{name} low", {high} AS "{name} high" {of(bounds)}'


def upper(name: str) -> str:
    """EmoNPS if all unknowns were loyal; a row only where EmoNPS is flagged (coverage 0.50 to 0.80)."""
    return f'SELECT 100 * ("q" + "u") / "n" AS "{name}" {of(sums(), f"{ENOUGH} AND {FLAGGED}")}'


def few(name: str) -> str:
    """N; a row only where it is 10 to 29."""
    return f'SELECT "n" AS "{name}" {of(sums(), f"""{ENOUGH} AND "n" <= {N_FEW_MAX}""")}'


def coverage(name: str) -> str:
    """The share of top ratings whose emotion is known, 0..1; no row without any, or under 10 contacts."""
    tops = '("l" + "p" + "u")'
    return f'SELECT 1.0 * ("l" + "p") / {tops} AS "{name}" {of(sums(), f"{ENOUGH} AND {tops} > 0")}'


def asked(total: str, answered: str, silent: str) -> str:
    """Counts: contacts, those with a rating, those without."""
    return f'SELECT "n" AS "{total}", "n" - "s" AS "{answered}", "s" AS "{silent}" {of(sums())}'


def outcomes() -> str:
    """One row: how many contacts ended in each outcome."""
    columns = ", ".join(f'"{name[0]}" AS "{name}"' for name in OUTCOMES)
    return f"SELECT {columns} {of(sums())}"


def smile_index(name: str, seen: str) -> str:
    """Smile-Index, its 95 % t interval, and the share of contacts seen; no row under 10 known emotions."""
    share = '"smile_share"'
    totals = (
        f'SELECT mean({share}) AS "mean", stddev({share}) AS "sd", count({share}) AS "n", '
        f'count("score") AS "all" FROM "contact" WHERE "score" >= -1 AND {SHOWN}'
    )
    half = f'{_t_quantile("n")} * "sd" / sqrt("n")'
    bounds = (
        f'SELECT 100 * "mean" AS "value", 100 * ("mean" - {half}) AS "a", 100 * ("mean" + {half}) AS "b", '
        f'1.0 * "n" / "all" AS "share" {of(totals, ENOUGH)}'
    )
    low, high = greater('"a"', "0"), lesser('"b"', "100")
    columns = f'"value" AS "{name}", {low} AS "{name} low", {high} AS "{name} high", "share" AS "{seen}"'
    return f"SELECT {columns} {of(bounds)}"


def _t_quantile(count: str) -> str:
    """t(0.975, count - 1) by its expansion in 1/df (Abramowitz, Stegun 26.7.5); error < 0.0001 from 9 on."""
    z, df = NormalDist().inv_cdf(0.975), f'("{count}" - 1)'
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    powers = " + ".join(f"{term!r} / pow({df}, {at})" for at, term in enumerate(terms, 1))
    return f"({z!r} + {powers})"


def newest(measurement: str, field: str) -> str:
    """The newest record of the last 30 days, whatever window is shown: its time is what matters."""
    where = '"site" =~ /^$site$/ AND time > now() - 30d'
    return f'SELECT "{field}" FROM "{measurement}" WHERE {where} ORDER BY time DESC LIMIT 1'


def by_day(zone: str, day_start_min: int) -> str:
    """Groups by business day of the shop's zone; days without contacts are left out.

    On the two days of the clock change a day that starts after 03:00 starts an hour off (InfluxQL's offset is
    counted from midnight).
    """
    return f"GROUP BY time(1d, {day_start_min}m) fill(none) tz('{zone}')"


def lesser(a: str, b: str) -> str:
    """The smaller of two numbers."""
    return f"(({a} + {b} - abs({a} - {b})) / 2)"


def greater(a: str, b: str) -> str:
    """The larger of two numbers."""
    return f"(({a} + {b} + abs({a} - {b})) / 2)"


def tag_values(tag: str, where: str = "") -> str:
    """The values of a tag of contacts, for a variable of the dashboard."""
    return f'SHOW TAG VALUES FROM "contact" WITH KEY = "{tag}"{where and " WHERE " + where}'
