"""Presses per key since the terminal was made."""

import json

from store.files import read_text, replace


def load(folder, keys):
    """One count a key; zeros where nothing readable is there."""
    try:
        totals = json.loads(read_text(folder + "/totals") or "[]")
    except ValueError:
        totals = []
    if not isinstance(totals, list):
        totals = []
    return (totals + [0] * keys)[:keys]


def save(folder, totals):
    """Keep the counts over power cuts."""
    replace(folder + "/totals", json.dumps(totals))
