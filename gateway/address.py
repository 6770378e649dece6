"""Addresses as a person or a log may see them."""

from __future__ import annotations

import re

LOGIN = re.compile(r"(?<=://).*@", re.DOTALL)


def without_login(text: str) -> str:
    """The text without what may be name and password of an address: all up to the last @ after the scheme."""
    return LOGIN.sub("", text)
