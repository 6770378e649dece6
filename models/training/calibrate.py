"""Where a head's threshold lies: the lowest one that hours of other talk pass seldom enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.voice.engine import FRAME_S
from gateway.voice.rivals import PATIENCE_FRAMES
from models.training import learn
from models.training.heads import Weights
from models.training.learn import Windows

THRESHOLDS = tuple(round(0.2 + 0.01 * step, 2) for step in range(79))
"""The spotter takes a rival at half its threshold for near, so not too low."""
FALSE_ACCEPTS_PER_H = 1.5
"""Of single members, on talk and scraps that are partly near to the phrase; together they err less."""
TALK = ("talk", "real", "scrap")
NEAR_SHARE = 0.06
MOST = (FALSE_ACCEPTS_PER_H, NEAR_SHARE)
REFRACTORY_FRAMES = 12
LATEST_S = 1.2

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Calibrated:
    """A threshold and what it was chosen by; `near_share`: near misses that pass it."""

    threshold: float
    lag_s: float
    false_accepts: int
    hours: float
    near_share: float
    n_near: int


def calibrate(
    head: Weights, members: Sequence[Weights], windows: Windows, most: tuple[float, float] = MOST
) -> Calibrated:
    """Threshold by talk that the judging member never saw; lag by the head's own phrases.

    `most`: false accepts per hour of single members, share of near misses that may pass.
    """
    talk = windows.of(*TALK)
    unseen = learn.unseen_scores(members, windows, talk)
    hours = len(talk) * FRAME_S / 3600
    near = windows.of("near", "negated")
    near_best = best_by_clip(learn.unseen_scores(members, windows, near), windows.clip[near])
    threshold = THRESHOLDS[-1]
    for threshold in THRESHOLDS:
        count = events(unseen, windows.clip[talk], threshold)
        if count <= most[0] * hours and (near_best >= threshold).mean() <= most[1]:
            break
    share = round(float((near_best >= threshold).mean()), 4) if len(near_best) else 0.0
    lag_s = _lag(head, windows, threshold)
    return Calibrated(
        threshold,
        lag_s,
        events(unseen, windows.clip[talk], threshold),
        round(hours, 3),
        share,
        len(near_best),
    )


def events(scores: Floats, clip: NDArray[np.int64], threshold: float) -> int:
    """How often a spotter would fire: runs of frames over the threshold, a second apart."""
    hot = (smoothed(scores, clip) >= threshold).nonzero()[0]
    return int(len(hot) and 1 + (np.diff(hot) > REFRACTORY_FRAMES).sum())


def smoothed(scores: Floats, clip: NDArray[np.int64]) -> Floats:
    """The lowest of the last frames that the spotter wants over the threshold; 0 at a clip's beginning."""
    out = scores.copy()
    for back in range(1, PATIENCE_FRAMES):
        same = clip[back:] == clip[:-back]
        out[back:] = np.minimum(out[back:], np.where(same, scores[:-back], 0))
        out[:back] = 0
    return out


def best_by_clip(scores: Floats, clip: NDArray[np.int64]) -> Floats:
    """The highest smoothed score of each clip."""
    if not len(scores):
        return scores
    starts = np.flatnonzero(np.diff(clip, prepend=clip[0] - 1))
    return np.maximum.reduceat(smoothed(scores, clip), starts)


def _lag(head: Weights, windows: Windows, threshold: float) -> float:
    """From the phrase's end to the middle of the scores over the threshold, s (median over clips)."""
    own = windows.of("positive", "partial", "left out")
    own = own[~np.isnan(windows.offset_s[own]) & (windows.offset_s[own] < LATEST_S)]
    score, clip = learn.scores(head, windows, own), windows.clip[own]
    weight = np.where(score >= threshold, score, 0)
    totals, sums = np.bincount(clip, weight), np.bincount(clip, weight * windows.offset_s[own])
    heard = totals > 0
    return round(float(np.median(sums[heard] / totals[heard])), 3) if heard.any() else 0.2
