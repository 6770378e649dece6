"""What a shop does to speech: rooms, noise, distance, other people; drawn from one seeded generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.signal import fftconvolve, lfilter

from gateway.voice.engine import RATE
from models.training.speech import Sound, resample

BEFORE_S = 2.4
AFTER_S = 1.0
UN_NOISED_SHARE = 0.4
ZERO_SHARE = 0.2


@dataclass(frozen=True)
class Scene:
    """A piece of sound; `end_s` is when its phrase ends, None where no phrase is in it."""

    sound: Sound
    end_s: float | None = None


def scene(phrase: Sound, others: Sequence[Sound], rng: Generator) -> Scene:
    """`phrase` at a random pace and voice size, between silence or other people's talk, in a room."""
    phrase = resized(phrase, rng)
    before = _context(BEFORE_S, others, rng, near_end=True)
    after = _context(AFTER_S, others, rng, near_end=False) if rng.random() < 0.5 else _silence(AFTER_S)
    spoken = np.concatenate([before, phrase, after])
    return Scene(in_shop(spoken, others, rng), (len(before) + len(phrase)) / RATE)


def clean_scene(phrase: Sound, rng: Generator) -> Scene:
    """`phrase` as it is, in silence or next to it."""
    spoken = np.concatenate([_silence(BEFORE_S), phrase, _silence(AFTER_S)])
    hiss = rng.normal(0, 1e-4, len(spoken)) if rng.random() < 0.5 else 0
    return Scene(np.asarray(spoken + hiss, np.float32), BEFORE_S + len(phrase) / RATE)


def resized(sound: Sound, rng: Generator) -> Sound:
    """Smaller or larger speaker (which also changes the pace): played 12 % slower to 12 % faster."""
    return resample(sound, 100, int(rng.integers(88, 113)))


def in_shop(sound: Sound, others: Sequence[Sound], rng: Generator) -> Sound:
    """Room, microphone, noise and level; a good share stays un-noised."""
    if rng.random() < 0.45:
        sound = _reverberate(sound, rng)
    if rng.random() < 0.4:
        sound = _colour(sound, rng)
    if rng.random() > UN_NOISED_SHARE:
        sound = _add_noise(sound, others, rng)
    elif rng.random() > ZERO_SHARE:
        sound = sound + rng.normal(0, 10 ** rng.uniform(-4.5, -3), len(sound))
    level = 10 ** (rng.uniform(-28, -1) / 20)
    return np.asarray(sound * level / max(1e-6, np.abs(sound).max()), np.float32)


def _context(seconds: float, others: Sequence[Sound], rng: Generator, *, near_end: bool) -> Sound:
    """Silence, or talk that stops (starts) 0.1 to 0.6 s from the phrase."""
    out = _silence(seconds)
    if not others or rng.random() < 0.5:
        return out
    gap = int(rng.uniform(0.1, 0.6) * RATE)
    talk = others[int(rng.integers(len(others)))]
    talk = talk[-(len(out) - gap) :] if near_end else talk[: len(out) - gap]
    place = slice(len(out) - gap - len(talk), len(out) - gap) if near_end else slice(gap, gap + len(talk))
    out[place] = talk * rng.uniform(0.2, 1.0)
    return out


def _silence(seconds: float) -> Sound:
    return np.zeros(int(seconds * RATE), np.float32)


def _reverberate(sound: Sound, rng: Generator) -> Sound:
    """A room of exponentially decaying noise, RT60 0.15 to 0.6 s."""
    length = int(rng.uniform(0.15, 0.6) * RATE)
    tail = rng.normal(0, 1, length) * 10 ** (-3 * np.arange(length) / length)
    tail[: RATE // 400] = 0
    tail *= rng.uniform(0.2, 0.9) / np.sqrt((tail**2).sum())
    tail[0] = 1
    return np.asarray(fftconvolve(sound, tail)[: len(sound)], np.float32)


def _colour(sound: Sound, rng: Generator) -> Sound:
    """A microphone that is dull or thin."""
    pole = rng.uniform(0.1, 0.6)
    dull = lfilter([1 - pole], [1, -pole], sound)
    return np.asarray(dull if rng.random() < 0.5 else sound - pole * dull, np.float32)


def _add_noise(sound: Sound, others: Sequence[Sound], rng: Generator) -> Sound:
    noise = _babble(len(sound), others, rng) if others and rng.random() < 0.4 else _hiss(len(sound), rng)
    power = (sound[np.abs(sound) > 0.01] ** 2).mean() if (np.abs(sound) > 0.01).any() else 1e-3
    ratio = 10 ** (rng.uniform(5, 28) / 10)
    return np.asarray(sound + noise * np.sqrt(power / ratio / max(1e-9, (noise**2).mean())), np.float32)


def _hiss(length: int, rng: Generator) -> Sound:
    """White to brown noise."""
    pole = rng.choice([0.0, 0.7, 0.95, 0.99])
    return np.asarray(lfilter([1], [1, -pole], rng.normal(0, 1, length)), np.float32)


def _babble(length: int, others: Sequence[Sound], rng: Generator) -> Sound:
    """Four people at once."""
    out = np.zeros(length, np.float32)
    for _ in range(4):
        talk = np.resize(others[int(rng.integers(len(others)))], length)
        out += np.roll(talk, int(rng.integers(length)))
    return out
