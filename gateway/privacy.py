"""What the law of the shop's region allows (spec 7): the one place that decides it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.config import Site

REGIONS = ("eu", "uk", "ch", "us-il", "us-nyc", "us", "ru", "other")
POST_PRESS_ONLY = ("eu", "uk", "ch", "us-il")


@dataclass(frozen=True, slots=True)
class Profile:
    """Limits of one site; `why_off` says in plain words what is missing for the camera."""

    camera_on: bool
    post_press_only: bool
    why_off: str = ""


def profile(site: Site) -> Profile:
    """The limits of a site; an unknown region is the strictest."""
    known = site.region in REGIONS
    why_off = _why_off(site, known)
    return Profile(not why_off, not known or site.region in POST_PRESS_ONLY, why_off)


def _why_off(site: Site, known: bool) -> str:
    if site.camera is None:
        return "there is no [camera] table"
    if not site.camera.sign_posted.strip():
        return "nobody has confirmed the sign: set camera.sign_posted to who and when"
    if not known:
        return f"region is missing or unknown; allowed: {', '.join(REGIONS)}"
    if site.region == "us-il" and not site.camera.releases.strip():
        return "region us-il needs recorded releases: set camera.releases"
    return ""
