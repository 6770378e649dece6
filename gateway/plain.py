"""Plain words for page and doctor: why a message was put aside, and what to say to the customer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """A quarantine reason of spec 2 for a shop owner: what it means, and what to do next."""

    means: str
    do: str


_UPDATE = "update this device's firmware, or flash it again"
_REASONS = {
    "bad_line": Reason("a line that is no message", "only a replayed log has lines; export the log again"),
    "bad_topic": Reason("sent to an address that no EmoBox device uses", "check site and name on the device"),
    "unknown_site": Reason("meant for another shop", "set the same `site` on the device as in site.toml"),
    "unknown_device": Reason(
        "from a device that site.toml does not name",
        "add it to a [points.<point>.devices] table of site.toml, or switch it off",
    ),
    "too_large": Reason("too large to be an event", _UPDATE),
    "not_utf8": Reason("not readable as text", _UPDATE),
    "bad_json": Reason("not readable as an event", _UPDATE),
    "version": Reason("in a version of the events that this hub does not know", "update hub and device"),
    "kind": Reason("a kind of event that such a device does not send", "check its `kind` in site.toml"),
    "identity": Reason("an event without proper numbers (boot, seq)", _UPDATE),
    "age": Reason("an event that does not say how long ago it happened", _UPDATE),
    "value": Reason(
        "an event with a value that is not allowed, such as a key that the terminal does not have",
        "check `keys` and `kind` of the device in site.toml, then its firmware",
    ),
    "conflict": Reason(
        "two different events with the same number",
        "two devices may share one name: give each its own; if not, flash the device again",
    ),
}
_OTHER = Reason("refused", "look at the reason in full with: emobox doctor")


def reason(text: str) -> Reason:
    """The plain words of a quarantine reason; details after a colon play no part."""
    return _REASONS.get(text.partition(":")[0], _OTHER)


_CUES = {
    "top": "Thank them, smile, say “come again” – and ask what would make it even better.",
    "middle": "Ask what would improve the rating.",
    "low": "Apologise, and tactfully ask why.",
    "silent": "No answer: tactfully ask why.",
}


def cue(rating: str | None) -> str:
    """The service standard: what to say to a customer after this rating; None is silent."""
    return _CUES[rating or "silent"]
