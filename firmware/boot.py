"""Runs first at every start: hold the first key for two seconds to get safe mode."""

from hw import safe
from hw.pins import PINS
from store.config import ConfigError, load


def first_key():
    """Pin of the first key; the default one where config.json cannot be used."""
    try:
        return load("config.json")["pins"]["keys"][0]
    except ConfigError:
        return PINS["keyfob"]["keys"][0]


if safe.decide(first_key()):
    print("safe mode: the application is off; release the key and connect with mpremote")
