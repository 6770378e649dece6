"""What the law of the shop's region allows (spec 7): the one place that decides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

REGIONS = ("eu", "uk", "ch", "us-il", "us-nyc", "us", "ru", "other")
POST_PRESS_ONLY = ("eu", "uk", "ch", "us-il")
NO_STAFF_EMOTION = ("eu", "uk", "ch", "us-il")
CLIPS_NEED_CONSENT = ("eu", "ch", "us-il")
UNKNOWN_REGION = f"region is missing or unknown; allowed: {', '.join(REGIONS)}"


class Camera(Protocol):
    """The [camera] table: who confirmed the sign and the releases, and when."""

    @property
    def sign_posted(self) -> str: ...

    @property
    def releases(self) -> str: ...


class ScopeAll(Protocol):
    """The [scope_all] table: who approved it, and when."""

    @property
    def approved(self) -> str: ...


class Shop(Protocol):
    """What of site.toml decides; `gateway.config.Site` is one."""

    @property
    def region(self) -> str: ...

    @property
    def camera(self) -> Camera | None: ...

    @property
    def scope_all(self) -> ScopeAll | None: ...


@dataclass(frozen=True, slots=True)
class Profile:
    """Limits of one site; `why_off` says in plain words what is missing for the camera."""

    camera_on: bool
    post_press_only: bool
    why_off: str = ""


def profile(site: Shop) -> Profile:
    """The limits of a site; an unknown region is the strictest."""
    known = site.region in REGIONS
    why_off = _why_off(site, known)
    return Profile(not why_off, not known or site.region in POST_PRESS_ONLY, why_off)


def _why_off(site: Shop, known: bool) -> str:
    if site.camera is None:
        return "there is no [camera] table"
    if not site.camera.sign_posted.strip():
        return "nobody has confirmed the sign: set camera.sign_posted to who and when"
    if not known:
        return UNKNOWN_REGION
    if site.region == "us-il" and not site.camera.releases.strip():
        return "region us-il needs recorded releases: set camera.releases"
    return ""


def why_no_aim(site: Shop) -> str:
    """Why an installer may not look through a camera, numbers alone, no picture; "" where they may."""
    return profile(site).why_off


def why_no_scope_all(site: Shop) -> str:
    """Why no camera may watch everybody in opening hours; "" where it may: a choice of its own, recorded."""
    limits = profile(site)
    if not limits.camera_on:
        return limits.why_off
    if limits.post_press_only:
        return f"region {site.region} allows readings after a press alone, so nobody else may be watched"
    if site.scope_all is None or not site.scope_all.approved.strip():
        return "nobody has approved it: set scope_all.approved to who and when"
    return ""


def why_no_staff_emotion(region: str, consent: str) -> str:
    """Why no camera may be turned to a member of staff; "" where it may, for that person's eyes alone."""
    if region not in REGIONS:
        return UNKNOWN_REGION
    if region in NO_STAFF_EMOTION:
        return f"a camera turned to staff cannot be switched on in region {region}"
    if not consent.strip():
        return "written consent must be recorded: set consent to who and when"
    return ""


def why_no_clips(region: str, *, switched_on: bool = False, consent: str = "") -> str:
    """Why no seconds of sound may be kept (encrypted, 72 h); "" where they may.

    `consent`: of everybody who may be heard, who and when.
    """
    if not switched_on:
        return "voice clips are off: nobody has switched them on"
    if region not in REGIONS:
        return UNKNOWN_REGION
    if region in CLIPS_NEED_CONSENT and not consent.strip():
        return f"region {region} needs the recorded consent of everybody who may be heard"
    return ""
