"""What some trainings need beside EmoBox; see requirements.txt."""

from importlib.util import find_spec

NEEDED = ("torch", "litert_torch", "ai_edge_quantizer")
HOW = "pip install -r models/training/requirements.txt && pip install -e .   (in a venv of its own)"


def complaint() -> str:
    """What to type; empty when all is here."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    return f"{', '.join(missing)} not installed; run: {HOW}" if missing else ""
