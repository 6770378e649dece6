"""Other speakers out of one: formants moved and pace bent, by a phase vocoder (Flanagan and Golden 1966)."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from models.training.speech import Sound, resample

SIZE, HOP = 512, 128
ENVELOPE = 28
"""Cepstral coefficients that count as the vocal tract; the rest is the voice's pitch."""
WINDOW = np.hanning(SIZE + 1)[:-1].astype(np.float32)
Complex = NDArray[np.complex64]


def another(sound: Sound, rng: Generator) -> Sound:
    """`sound` by somebody else: size of head, formants and pace at random."""
    sound = resample(sound, 100, int(rng.integers(91, 111)))
    return bent(sound, float(rng.uniform(0.88, 1.14)), rng.uniform(0.8, 1.25, 4))


def bent(sound: Sound, formants: float, paces: NDArray[np.float64]) -> Sound:
    """Formants moved by a factor; `paces` spread over the sound, above 1 is faster."""
    spectrum = _forward(sound)
    at = _positions(len(spectrum), paces)
    size, phase = np.abs(spectrum), np.angle(spectrum)
    turn = np.diff(phase, axis=0, append=phase[-1:])
    lower = at.astype(int)
    share = (at - lower)[:, None]
    upper = np.minimum(lower + 1, len(size) - 1)
    sizes = (1 - share) * size[lower] + share * size[upper]
    phases = phase[0] + np.concatenate([np.zeros((1, size.shape[1])), np.cumsum(turn[lower], 0)[:-1]])
    return _backward(_warped(sizes, formants) * np.exp(1j * phases))


def _positions(count: int, paces: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where in the old frames each new frame lies."""
    knots = np.linspace(0, count, len(paces))
    lengths = 1 / np.interp(np.arange(count), knots, paces)
    ends = np.cumsum(lengths)
    return np.interp(np.arange(int(ends[-1])), ends - lengths, np.arange(count))


def _warped(sizes: NDArray[np.floating], formants: float) -> NDArray[np.floating]:
    """The envelope of each spectrum stretched along the frequency; its fine structure stays."""
    logs = np.log(sizes + 1e-5)
    cepstrum = irfft(logs, axis=1)
    cepstrum[:, ENVELOPE:-ENVELOPE] = 0
    envelope = np.real(rfft(cepstrum, axis=1))
    bins = np.arange(logs.shape[1])
    source = np.minimum(bins / formants, bins[-1])
    lower = source.astype(int)
    share = source - lower
    upper = np.minimum(lower + 1, bins[-1])
    moved = (1 - share) * envelope[:, lower] + share * envelope[:, upper]
    return np.asarray(np.exp(logs + moved - envelope))


def _forward(sound: Sound) -> Complex:
    padded = np.pad(np.asarray(sound, np.float32), (SIZE, SIZE))
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP]
    return np.asarray(rfft(frames * WINDOW, axis=1), np.complex64)


def _backward(spectrum: NDArray[np.complexfloating]) -> Sound:
    """Overlap-add, without the padding that `_forward` put around."""
    frames = irfft(spectrum, SIZE, axis=1) * WINDOW
    out = np.zeros((len(frames) + SIZE // HOP) * HOP)
    for part in range(SIZE // HOP):
        block = frames[:, part * HOP : (part + 1) * HOP].ravel()
        out[part * HOP : part * HOP + len(block)] += block
    return np.asarray(out[SIZE:-SIZE] / (WINDOW**2).sum() * HOP, np.float32)
