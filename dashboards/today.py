"""The dashboard Today: what an owner sees on the tablet by the till (1280 × 800), one look, no touch."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from dashboards import influxql
from dashboards.grafana import Field, Json, Panel, Place, Query, ages, bars, dashboard, tile, trend, variable

UID = "emobox-today"
# Okabe-Ito, darkened until white text is readable on them; never the only carrier of a meaning.
ORANGE, AMBER, BLUE, GREY, BLACK = "#B34700", "#9A6700", "#0072B2", "#595959", "#1A1A1A"
TREND_DAYS = 30


@dataclass(frozen=True, slots=True)
class Shop:
    """What a shop's dashboard depends on: its day, camera and targets (points, %, asks a day)."""

    zone: str = "Europe/Berlin"
    day_start_min: int = 0
    camera: bool = True  # off: BaseNPS alone is published (spec 4)
    target_emonps: int = 30
    target_smile: int = 30
    plan_asked: int = 12


def today(shop: Shop) -> Json:
    """The whole dashboard."""
    return dashboard(
        UID,
        "EmoBox today",
        panels=[index(shop), smile(shop), asked(shop), age(), days(shop), outcomes()],
        variables=[
            variable("site", "Shop", influxql.tag_values("site")),
            variable("point", "Point", influxql.tag_values("point", '"site" =~ /^$site$/')),
        ],
        zone=shop.zone,
        since=day_began(shop),
    )


def day_began(shop: Shop, days_before: int = 0) -> str:
    """The start of the business day, some days before, as Grafana's date arithmetic."""
    start = f"{shop.day_start_min}m" if shop.day_start_min else ""
    back = f"-{days_before}d" if days_before else ""
    return f"now{back}{start and '-' + start}/d{start and '+' + start}"


def kiosk_path(site: str, point: str | None = None) -> str:
    """Path and query of the dashboard for a tablet that shows nothing else: one shop, one or all points."""
    chosen = [("var-site", site), ("var-point", point or "$__all"), ("theme", "light"), ("refresh", "1m")]
    return f"/d/{UID}/today?kiosk&{urlencode(chosen)}"


def index(shop: Shop) -> Json:
    """EmoNPS, or where too few emotions were seen BaseNPS, with what there is to know about it."""
    goal = ((None, ORANGE), (0.0, AMBER), (float(shop.target_emonps), BLUE))
    with_faces = [Query("A", influxql.emonps("EmoNPS")), Query("C", influxql.upper("upper"))]
    queries = [
        *(with_faces if shop.camera else ()),
        Query("B", influxql.base_nps("BaseNPS", camera=shop.camera)),
        Query("D", influxql.few("few")),
    ]
    fields = [
        Field("EmoNPS", "🙂 EmoNPS", steps=goal),
        Field("EmoNPS low", "at least (95 %)", color=GREY),
        Field("EmoNPS high", "at most (95 %)", color=GREY),
        Field("BaseNPS", "BaseNPS (ratings alone)", steps=goal),
        Field("BaseNPS low", "at least (95 %)", color=GREY),
        Field("BaseNPS high", "at most (95 %)", color=GREY),
        Field("upper", "⚠ up to, if all unseen smiled", color=BLACK),
        Field("few", "⚠ few data, customers asked", color=BLACK),
    ]
    words = (
        "EmoNPS: +100 all loyal, −100 all critics. BaseNPS stands here instead when the emotion of fewer "
        "than half of the top ratings was seen; the two are never compared. "
        f"At least {influxql.N_MIN} customers asked."
    )
    title = f"How they felt · target {shop.target_emonps:+d} · – means under {influxql.N_MIN} asked"
    return tile(Panel(1, title, words, Place(0, 0, 8, 8), queries, fields))


def smile(shop: Shop) -> Json:
    """Smile-Index, its interval, and how many of the customers were seen at all."""
    goal = ((None, ORANGE), (shop.target_smile / 2, AMBER), (float(shop.target_smile), BLUE))
    fields = [
        Field("Smile-Index", "😀 Smile-Index", "percent", steps=goal),
        Field("Smile-Index low", "at least (95 %)", "percent", color=GREY),
        Field("Smile-Index high", "at most (95 %)", "percent", color=GREY),
        Field("seen", "customers seen", "percentunit", color=GREY),
    ]
    words = "Share of the visible time that customers smiled, mean over customers whose emotion is known."
    query = Query("A", influxql.smile_index("Smile-Index", "seen"))
    title = f"Smiling · target {shop.target_smile} %"
    return tile(Panel(2, title, words, Place(8, 0, 6, 8), [query], fields))


def asked(shop: Shop) -> Json:
    """How many were asked, answered, stayed silent; and of how many top ratings the emotion is known."""
    plan = ((None, AMBER), (float(shop.plan_asked), BLUE))
    fields = [
        Field("asked", "👋 asked", steps=plan),
        Field("answered", "answered", color=GREY),
        Field("silent", "🤐 silent", color=GREY),
        Field("coverage", "emotion seen at top ratings", "percentunit", color=GREY),
    ]
    words = "Cancelled asks and those outside opening hours are not counted."
    queries = [
        Query("A", influxql.asked("asked", "answered", "silent")),
        Query("B", influxql.coverage("coverage")),
    ]
    title = f"Asked · plan {shop.plan_asked} a day"
    return tile(Panel(3, title, words, Place(14, 0, 6, 8), queries, fields))


def age() -> Json:
    """How old the newest data are: a broken connection looks just like a quiet shop everywhere else."""
    queries = [Query("A", influxql.newest("contact", "k")), Query("B", influxql.newest("device", "gaps"))]
    fields = [
        Field("A", "customer asked", "dateTimeFromNow", color=GREY),
        Field("B", "sign of life", "dateTimeFromNow", color=GREY),
    ]
    words = (
        "The sign of life comes from buttons, keyfobs, camera and microphone, also while nobody is served."
    )
    return ages(Panel(4, "Newest data · under 1 h", words, Place(20, 0, 4, 8), queries, fields))


def days(shop: Shop) -> Json:
    """Both indices by business day, each a line of its own with its interval; no day under 10 asks."""
    group = influxql.by_day(shop.zone, shop.day_start_min)
    with_faces = [Query("A", influxql.emonps("EmoNPS", group), table=False)]
    base = Query("B", influxql.base_nps("BaseNPS", group, camera=shop.camera), table=False)
    queries = [*(with_faces if shop.camera else ()), base]
    fields = [*_line("EmoNPS", BLUE, "solid"), *_line("BaseNPS", ORANGE, "dash")]
    words = (
        f"One point a day with at least {influxql.N_MIN} customers asked; the band holds the true value 95 %."
    )
    title = (
        f"Day by day · EmoNPS target {shop.target_emonps:+d} · BaseNPS (dashed) where emotions were not seen"
    )
    panel = Panel(5, title, words, Place(0, 8, 14, 10), queries, fields)
    return trend(panel, since=day_began(shop, TREND_DAYS), low=-100, high=100)


def _line(name: str, color: str, dash: str) -> list[Field]:
    drawn = {"lineStyle": {"fill": dash, "dash": [10, 10]} if dash == "dash" else {"fill": dash}}
    band = {
        "lineWidth": 0,
        "showPoints": "never",
        "hideFrom": {"legend": True, "tooltip": False, "viz": False},
    }
    return [
        Field(name, name, color=color, custom=drawn | {"insertNulls": 36 * 3600 * 1000}),
        Field(f"{name} low", f"{name} at least", color=color, custom=band),
        Field(f"{name} high", f"{name} at most", color=color, custom=band | _fill_to(f"{name} low")),
    ]


def _fill_to(column: str) -> Json:
    return {"fillBelowTo": column, "fillOpacity": 15}


def outcomes() -> Json:
    """How many contacts ended in each outcome, best first."""
    fields = [
        Field("loyal", "😀 loyal: top, smiled", color=BLUE),
        Field("passive", "🙂 passive: top, no smile", color=GREY),
        Field("unknown", "❔ top, face not seen", color=GREY),
        Field("critic", "🙁 critic: middle or low", color=ORANGE),
        Field("silent", "🤐 silent: no answer", color=AMBER),
    ]
    words = "EmoNPS = loyal − critics − K for each silent one, per 100 asked."
    title = "What they answered · more loyal than critics is above 0"
    return bars(Panel(6, title, words, Place(14, 8, 10, 10), [Query("A", influxql.outcomes())], fields))
