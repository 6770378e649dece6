"""Somebody speaks on, or does not."""

import numpy as np
import pytest

from gateway.voice.engine import FRAME, FRAME_S, RATE
from gateway.voice.quiet import Quiet

SECONDS = 3.0


def after(speech_s: float, quiet_s: float, noise: float) -> Quiet:
    """What was heard of speech that lasts and then nothing but noise (both re a full scale of 1)."""
    rng, quiet = np.random.default_rng(1), Quiet()
    beats = np.repeat(rng.uniform(0.3, 1.0, round(speech_s / 0.08)), FRAME)
    loud = np.concatenate(
        [np.zeros(round((SECONDS - speech_s) * RATE)), beats, np.zeros(round(quiet_s * RATE))]
    )
    tone = 0.3 * loud * np.sin(np.arange(len(loud)))
    sound = (32_767 * (tone + noise * rng.normal(0, 1, len(loud)))).astype(np.int16)
    for frame in sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME):
        quiet.push(frame)
    return quiet


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.05])
@pytest.mark.parametrize(("quiet_frames", "was"), [(0, False), (1, False), (2, False), (3, True), (9, True)])
def test_it_is_quiet_a_fifth_of_a_second_after_the_last_word(
    quiet_frames: int, was: bool, noise: float
) -> None:
    assert after(1.2, quiet_frames * FRAME_S, noise).is_quiet() is was


def test_steady_noise_may_always_hide_somebody() -> None:
    assert not after(0.0, 1.0, 0.1).is_quiet()


@pytest.mark.parametrize(("noise", "was"), [(0.0, False), (0.003, False), (0.05, True)])
def test_it_is_noisy_where_speech_is_not_much_louder_than_what_is_around_it(noise: float, was: bool) -> None:
    assert after(1.2, 0.0, noise).is_noisy() is was
    assert not Quiet().is_noisy()


def test_before_there_is_sound_and_after_a_gap_nothing_is_known() -> None:
    quiet = Quiet()
    assert not quiet.is_quiet()
    for _ in range(9):
        quiet.push(np.zeros(FRAME, np.int16))
    assert quiet.is_quiet()
    quiet.reset()
    assert not quiet.is_quiet()
