"""The shop's site.toml as one frozen tree."""

from gateway.config.reading import SiteError, load_for_replay, load_site, parse_site
from gateway.config.site import Site
from gateway.config.tables import Broker, Defaults, Influx
from gateway.config.values import DAYS

__all__ = [
    "DAYS",
    "Broker",
    "Defaults",
    "Influx",
    "Site",
    "SiteError",
    "load_for_replay",
    "load_site",
    "parse_site",
]
