"""What a shop does to speech: rooms, noise, distance, other people; drawn from one seeded generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.signal import fftconvolve, lfilter

from gateway.voice.engine import RATE
from models.training import morph
from models.training.speech import Sound

TAIL_S = 0.8
"""Sound after the phrase."""
UN_NOISED_SHARE = 0.25
ZERO_SHARE = 0.2
MORPHED_SHARE = 0.65
ROOM_SHARE = 0.6


@dataclass(frozen=True)
class Scene:
    """A piece of sound; `end_s` is when its phrase ends."""

    sound: Sound
    end_s: float


def scene(phrase: Sound, seconds: float, others: Sequence[Sound], rng: Generator) -> Scene:
    """`phrase` by somebody like its speaker, between silence or other talk, in a room; `seconds` long.

    The phrase ends up to 0.4 s before `seconds` less the tail; a longer one loses its beginning.
    """
    phrase = morph.another(phrase, rng) if rng.random() < MORPHED_SHARE else phrase
    end = int((seconds - TAIL_S - rng.uniform(0, 0.4)) * RATE)
    phrase = phrase[-end:]
    before = _context(end - len(phrase), others, rng, near_end=True)
    after = _context(int(seconds * RATE) - end, others, rng, near_end=False)
    return Scene(in_shop(np.concatenate([before, phrase, after]), others, rng), end / RATE)


def in_shop(sound: Sound, others: Sequence[Sound], rng: Generator) -> Sound:
    """Room, microphone, noise and level; a good share stays un-noised."""
    if rng.random() < ROOM_SHARE:
        sound = any_room(sound, rng)
    if rng.random() < 0.4:
        sound = _colour(sound, rng)
    if rng.random() > UN_NOISED_SHARE:
        sound = add_noise(sound, _noise(len(sound), others, rng), float(rng.uniform(3, 20)))
    elif rng.random() > ZERO_SHARE:
        sound = sound + rng.normal(0, 10 ** rng.uniform(-4.5, -3), len(sound))
    sound = _at_level(sound, -30, rng)
    return np.asarray(np.clip(sound * 3, -0.9, 0.9) if rng.random() < 0.04 else sound, np.float32)


def in_loud_shop(sound: Sound, others: Sequence[Sound], rng: Generator) -> Sound:
    """A room and noise 4 to 14 dB below the voice, mostly steady: where phones drown."""
    sound = reverberate(sound, rng.uniform(0.2, 0.7), rng.uniform(0.3, 0.9), rng)
    noise = hiss(len(sound), rng) if rng.random() < 0.6 else _noise(len(sound), others, rng)
    sound = add_noise(sound, noise, float(rng.uniform(4, 14)))
    return np.asarray(_at_level(sound, -20, rng), np.float32)


def _at_level(sound: Sound, least_db: float, rng: Generator) -> Sound:
    """Its peak from `least_db` to −1 dB of full scale."""
    level = 10 ** (rng.uniform(least_db, -1) / 20)
    return sound * level / max(1e-6, float(np.abs(sound).max()))


def _context(length: int, others: Sequence[Sound], rng: Generator, *, near_end: bool) -> Sound:
    """Silence, or talk that stops (starts) 0.05 to 0.6 s from the phrase."""
    out = np.zeros(length, np.float32)
    gap = int(rng.uniform(0.05, 0.6) * RATE)
    if not others or length <= gap or rng.random() < 0.5:
        return out
    talk = others[int(rng.integers(len(others)))]
    talk = talk[-(length - gap) :] if near_end else talk[: length - gap]
    place = slice(length - gap - len(talk), length - gap) if near_end else slice(gap, gap + len(talk))
    out[place] = talk * rng.uniform(0.2, 1.0)
    return out


def any_room(sound: Sound, rng: Generator) -> Sound:
    """A room of RT60 0.15 to 0.9 s, near or far from the microphone."""
    return reverberate(
        sound, float(np.exp(rng.uniform(np.log(0.15), np.log(0.9)))), rng.uniform(0.2, 1.1), rng
    )


def reverberate(sound: Sound, seconds: float, tail_size: float, rng: Generator) -> Sound:
    """A room of RT60 `seconds`: early reflections and a tail that dulls as it decays (Polack 1988).

    `tail_size` is the tail's amplitude against the direct sound, 1 is as much energy in both.
    """
    length = int(seconds * RATE)
    decay = 10 ** (-3 * np.arange(length) / length)
    bright, dull = rng.normal(0, 1, length) * decay**1.6, rng.normal(0, 1, length) * decay
    tail = bright + 1.5 * lfilter([0.3], [1, -0.7], dull)
    tail[: RATE // 400] = 0
    tail *= tail_size / np.sqrt((tail**2).sum())
    for place in rng.integers(16, RATE // 25, 6):
        tail[place] += rng.uniform(-0.4, 0.4)
    tail[0] = 1
    return np.asarray(fftconvolve(sound, tail)[: len(sound)], np.float32)


def _colour(sound: Sound, rng: Generator) -> Sound:
    """A microphone that is dull or thin."""
    pole = rng.uniform(0.1, 0.7)
    dull = lfilter([1 - pole], [1, -pole], sound)
    return np.asarray(dull if rng.random() < 0.5 else sound - pole * dull, np.float32)


def add_noise(sound: Sound, noise: Sound, ratio_db: float) -> Sound:
    """`sound` with `noise` at a ratio to the mean power of its loud parts."""
    loud = np.abs(sound) > 0.01
    power = float((sound[loud] ** 2).mean()) if loud.any() else 1e-3
    wanted = power / 10 ** (ratio_db / 10)
    return np.asarray(sound + noise * np.sqrt(wanted / max(1e-9, float((noise**2).mean()))), np.float32)


def _noise(length: int, others: Sequence[Sound], rng: Generator) -> Sound:
    draw = rng.random()
    if others and draw < 0.45:
        return _babble(length, others, rng)
    return _clatter(length, rng) if draw > 0.85 else hiss(length, rng)


def silence(seconds: tuple[float, float], rng: Generator) -> Sound:
    """Nothing, for as long as chance has it."""
    return np.zeros(int(rng.uniform(*seconds) * RATE), np.float32)


def hiss(length: int, rng: Generator) -> Sound:
    """White to brown noise."""
    pole = rng.choice([0.0, 0.7, 0.95, 0.99])
    return np.asarray(lfilter([1], [1, -pole], rng.normal(0, 1, length)), np.float32)


def _clatter(length: int, rng: Generator) -> Sound:
    """A café: hum, hiss and knocks that ring."""
    out = 0.2 * hiss(length, rng) / 3
    out += 0.2 * np.sin(2 * np.pi * rng.uniform(48, 240) * np.arange(length) / RATE)
    for start in rng.integers(0, length, 6):
        ring = np.arange(min(RATE // 8, length - start))
        out[start : start + len(ring)] += (
            rng.uniform(0.3, 2) * np.exp(-ring / 400) * np.sin(rng.uniform(0.2, 1.5) * ring)
        )
    return np.asarray(out, np.float32)


def _babble(length: int, others: Sequence[Sound], rng: Generator) -> Sound:
    """Two to six people at once."""
    out = np.zeros(length, np.float32)
    for _ in range(int(rng.integers(2, 7))):
        talk = np.resize(others[int(rng.integers(len(others)))], length)
        out += np.roll(talk, int(rng.integers(length))) * rng.uniform(0.3, 1)
    return out
