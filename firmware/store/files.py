"""Small files on a flash that loses power at any moment."""

import os


def make_folder(path):
    """Make the folder and its parents where they are missing."""
    parts = path.split("/")
    for end in range(1, len(parts) + 1):
        try:
            os.mkdir("/".join(parts[:end]))
        except OSError:
            pass  # it is there; if it could not be made, the first write says so


def read_text(path):
    """The file's text, or None when it is missing or not text."""
    try:
        with open(path) as file:
            return file.read()
    except (OSError, UnicodeError):
        return None


def read_bytes(path):
    """The file's bytes; empty when it is missing."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def replace(path, text):
    """Write the file whole or not at all: littlefs renames in one step."""
    with open(path + ".new", "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def remove(path):
    """Remove the file where it is there."""
    try:
        os.remove(path)
    except OSError:
        pass
