"""The firmware's promises: pure parts under CPython, whole devices under real MicroPython."""
