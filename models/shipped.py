"""Models that lie in this repository, where each is known by its place; what is fetched is in fetch.py."""

from pathlib import Path

SMILE = Path(__file__).with_name("tflite") / "smile.tflite"
