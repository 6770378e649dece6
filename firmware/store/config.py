"""config.json: who this device is, where its pins and its broker are."""

import json

from hw.pins import PINS
from store.files import read_text

KINDS = ("terminal", "keyfob")
DEFAULTS = {
    "data": "data",  # folder of the outbox, the boot counter and the totals
    "first_boot": 1,  # the flash tool raises it on an erased device, so that no identity is used twice
    "health_s": 60,
    "segments": 64,  # size of the outbox: 64 files of 30 events
    "debounce_ms": 30,
}
BROKER = {"host": None, "port": 1883, "user": None, "password": None, "tls": None, "keepalive_s": 20}
WIFI = {"ssid": "", "password": ""}
NAMES = ("site", "device", "kind", "keys", "pins", "broker", "wifi")
WHOLE, TEXT = "a whole number from 1", "a text in quotes"


class ConfigError(Exception):
    """config.json cannot be used; the text says what to change."""


def load(path):
    """The configuration with every default filled in; ConfigError says what is wrong."""
    text = read_text(path)
    if text is None:
        raise ConfigError(path + " is missing: flash the device again")
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ConfigError(path + " is not JSON: flash the device again") from error
    return _complete(path, given)


def _complete(path, given):
    if not isinstance(given, dict):
        raise ConfigError(path + " must hold one JSON object")
    for name in given:
        _need(name in NAMES or name in DEFAULTS, path, name, _left_out(NAMES + tuple(DEFAULTS)))
    config = dict(DEFAULTS)
    config.update(given)
    for name in ("site", "device"):
        _need(_is_name(config.get(name)), path, name, "a name without / + # and spaces")
    _need(config.get("kind") in KINDS, path, "kind", "terminal or keyfob")
    config["broker"] = _broker(path, given.get("broker"))
    config["wifi"] = _part(path, "wifi", given.get("wifi"), WIFI)
    for name in WIFI:
        _need(isinstance(config["wifi"][name], str), path, "wifi." + name, TEXT)
    config["keys"] = _keys(path, config)
    config["pins"] = _pins(path, config)
    for name in ("first_boot", "health_s", "segments", "debounce_ms"):
        _need(_is_whole(config[name]), path, name, WHOLE)
    return config


def _part(path, name, given, defaults):
    _need(given is None or isinstance(given, dict), path, name, "an object in { }")
    part = dict(defaults)
    for key in given or ():
        _need(key in defaults, path, name + "." + key, _left_out(defaults))
        part[key] = given[key]
    return part


def _broker(path, given):
    broker = _part(path, "broker", given, BROKER)
    _need(isinstance(broker["host"], str) and broker["host"], path, "broker.host", "the gateway's address")
    _need(type(broker["port"]) is int and 0 < broker["port"] < 65536, path, "broker.port", "1 to 65535")
    for name in ("user", "password"):
        good = broker[name] is None or isinstance(broker[name], str)
        _need(good, path, "broker." + name, TEXT)
    _need(_is_whole(broker["keepalive_s"]), path, "broker.keepalive_s", WHOLE)
    if broker["tls"] is not None:
        ca = broker["tls"].get("ca") if isinstance(broker["tls"], dict) else None
        _need(isinstance(ca, str), path, "broker.tls", 'such as {"ca": "ca.der"}')
    return broker


def _keys(path, config):
    if config["kind"] == "keyfob":
        return 1
    keys = config.get("keys", 3)
    _need(type(keys) is int and 2 <= keys <= 5, path, "keys", "2 to 5")
    return keys


def _pins(path, config):
    pins = dict(PINS[config["kind"]])
    given = config.get("pins")
    pins.update(given if isinstance(given, dict) else {})
    _need(isinstance(pins["keys"], list), path, "pins.keys", "a list of pin numbers, leftmost key first")
    pins["keys"] = pins["keys"][: config["keys"]]
    every = pins["keys"] + [pins["led"]]
    whole = all(type(pin) is int and pin >= 0 for pin in every)
    wanted = "one pin a key and one for the light, all different"
    _need(whole and len(every) == config["keys"] + 1 == len(set(every)), path, "pins", wanted)
    return pins


def _is_name(value):
    return isinstance(value, str) and value and not any(sign in value for sign in "/+# ")


def _left_out(allowed):
    return "left out: allowed are " + ", ".join(allowed)


def _is_whole(value):
    return type(value) is int and value > 0


def _need(good, path, name, allowed):
    if not good:
        raise ConfigError(path + ": " + name + " must be " + allowed)
