"""pocketsphinx as a second opinion on English answers (the only importer of pocketsphinx; an optional extra).

A grammar of the answers and of their opposites; what is heard decides. Its model is in its wheel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from pocketsphinx import Decoder

from gateway.voice.engine import Samples
from gateway.voice.phrases import Phrase

LANGUAGE = "en"
OPPOSITE = "low"
"""What an answer turned round is taken for: "not super", "not okay"."""
SILENCE = np.zeros(3200, np.int16)


class Sphinx:
    """Hears one of the answers, or one turned round. Not safe between threads."""

    before_s, after_s, allowed_s = 2.0, 0.3, 1.0

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        own = [phrase for phrase in phrases if phrase.head.parent.name == LANGUAGE]
        self.ratings = {
            text.lower(): phrase.rating for phrase in own for text in phrase.texts or (phrase.text,)
        }
        self._opposites = opposites(list(self.ratings))
        self._decoder = Decoder(lm=None, loglevel="FATAL")
        self._decoder.add_jsgf_string("answers", grammar([*self.ratings, *self._opposites]))
        self._decoder.activate_search("answers")

    def agrees(self, phrase: Phrase, sound: Samples) -> bool:
        """Whether it hears an answer of the same rating, or none; other languages are let through."""
        if phrase.head.parent.name != LANGUAGE:
            return True
        heard = self.hear(sound)
        if heard in self._opposites:
            return phrase.rating == OPPOSITE
        return self.ratings.get(heard, phrase.rating) == phrase.rating

    def close(self) -> None:
        """It holds nothing open."""

    def hear(self, sound: Samples) -> str:
        """What was said, in the words of the grammar; "" when nothing was."""
        self._decoder.start_utt()
        self._decoder.process_raw(np.concatenate([SILENCE, sound, SILENCE]).tobytes(), full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return str(found.hypstr) if found else ""


def grammar(texts: Sequence[str]) -> str:
    """JSGF: one of `texts` (a loop over other words took 7 s to decode instead of 0.02)."""
    return f"#JSGF V1.0;\ngrammar answers;\npublic <answer> = {' | '.join(texts)};\n"


def opposites(texts: Sequence[str]) -> list[str]:
    """What turns one of `texts` round and is no answer itself."""
    return sorted({opposite for text in texts for opposite in _opposites(text)} - set(texts))


def _opposites(text: str) -> Iterator[str]:
    """The phrase turned round by a "not" before its last word or after its verb."""
    words = text.split()
    if "not" not in words:
        yield " ".join([*words[:-1], "not", words[-1]])
        yield f"not {words[-1]}"
