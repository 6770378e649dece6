"""Texts as phones, by espeak-ng's rules of pronunciation; a pause where a sentence has one."""

from __future__ import annotations

import re
import subprocess
from functools import cache

from gateway.voice.phones import PAUSE
from models.training.speech import SpeechError

RULES = {"en": "en-us", "ru": "ru"}
BREAKS = re.compile(r"[|.,;:!?]+|\s-+\s|--+")
UNWANTED = re.compile(r"\(\w+\)|[ˈˌ‿]")
"""Marks of a word in another language, stress, liaison."""


def spell(text: str, language: str) -> list[str]:
    """The phones of `text`; PAUSE for each "|" and punctuation mark, once where several meet."""
    out: list[str] = []
    for number, part in enumerate(BREAKS.split(text)):
        if number and out[-1:] != [PAUSE]:
            out.append(PAUSE)
        out += _phones(part.strip(" -'"), language)
    return out


@cache
def _phones(words: str, language: str) -> list[str]:
    if not words:
        return []
    command = ["espeak-ng", "-q", "-v", RULES[language], "--ipa", "--sep= "]
    try:
        done = subprocess.run(command, input=words.encode(), capture_output=True, timeout=60)
    except FileNotFoundError:
        raise SpeechError("espeak-ng is not installed; run `sudo apt install espeak-ng`") from None
    if done.returncode:
        raise SpeechError(f"espeak-ng failed: {done.stderr.decode(errors='replace')[-200:]}")
    return UNWANTED.sub("", done.stdout.decode()).split()
