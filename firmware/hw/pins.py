"""The pins of an unmodified device; config.json may name others, hardware/*/pins.toml shows the wires."""

# No strapping pins (0, 2, 5, 12, 15), no flash pins (6 to 11), none without a pull-up (34 to 39).
PINS = {
    "terminal": {"keys": [25, 26, 27, 32, 33], "led": 23},
    "keyfob": {"keys": [33], "led": 23},
}
