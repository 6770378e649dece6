"""Safe mode: the application stays off, so that a technician reaches the device over USB."""

import time

from hw.board import Key

HOLD_MS = 2_000
STEP_MS = 50
state = {"on": False}  # boot.py and main.py run in one interpreter: what boot.py finds, main.py reads here


def decide(key_pin):
    """Safe mode is on when the first key is held through the first two seconds."""
    key = Key(key_pin)
    state["on"] = _held(key)
    return state["on"]


def _held(key):
    for _ in range(HOLD_MS // STEP_MS):
        if not key.down():
            return False
        time.sleep(STEP_MS / 1000)
    return True
