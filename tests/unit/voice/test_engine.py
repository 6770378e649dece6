"""The streaming engine against plain arithmetic on the same sound, with the real models."""

from pathlib import Path

import numpy as np
import pytest

from demo.sound import SPEECH
from gateway.tflite import Model, ModelError
from gateway.voice.audio import frames_of, read_wav
from gateway.voice.engine import FRAME, WARM_UP_FRAMES, Engine, Features, Head, Samples
from gateway.voice.phrases import catalogue
from models import fetch
from tests.unit.voice.openwakeword.make import GOLDEN, WARM_UP, WINDOWS, head, sound

WINDOW = 76


def speech(seconds: float = 6.0) -> Samples:
    """The recordings one after the other."""
    sound = np.concatenate([read_wav(path) for path in sorted(SPEECH.glob("*.wav"))])
    return np.resize(sound, int(seconds * 16_000) // FRAME * FRAME)


def plain_embeddings(sound: Samples) -> np.ndarray:
    """All embeddings at once: each 1760-sample slice to mels, every 76 mels (8 apart) in one big batch."""
    padded = np.concatenate([np.zeros(480), sound]).astype(np.float32)
    mel = Model(fetch.path("melspectrogram"))
    mel.resize((1, 1760))
    slices = [padded[None, start : start + 1760] for start in range(0, len(sound), FRAME)]
    mels = np.concatenate([mel.run(piece)[0].reshape(8, 32) for piece in slices]) / 10 + 2
    windows = np.stack([mels[end - WINDOW : end] for end in range(80, len(mels) + 1, 8)])[..., None]
    embedding = Model(fetch.path("embedding"))
    embedding.resize(windows.shape)
    return embedding.run(windows)[0].reshape(len(windows), 96)


def test_streamed_embeddings_equal_those_computed_at_once() -> None:
    sound = speech()
    features = Features()
    streamed = np.stack([features.push(frame) for frame in frames_of(sound)])
    np.testing.assert_allclose(streamed[9:], plain_embeddings(sound), atol=1e-4)


def test_scores_equal_the_heads_on_embeddings_computed_at_once() -> None:
    sound, phrases = speech(), catalogue()
    engine = Engine({name: phrase.head for name, phrase in phrases.items()})
    streamed = [engine.push(frame) for frame in frames_of(sound)]
    plain = plain_embeddings(sound)
    for name, phrase in phrases.items():
        head = Head(phrase.head)
        for frame in range(WARM_UP_FRAMES, len(streamed)):
            expected = head.score(plain[frame - 9 - 15 : frame - 9 + 1])
            assert streamed[frame] is not None
            assert streamed[frame][name] == pytest.approx(expected, abs=1e-4)


def test_embeddings_and_scores_equal_those_of_openwakeword_for_heads_of_any_window() -> None:
    """golden.npz is what openwakeword 0.6.0 itself computed on ai-edge-litert (openwakeword/make.py)."""
    golden, features = np.load(GOLDEN), Features()
    engine = Engine({f"{window:02}": head(window) for window in WINDOWS})
    embeddings = np.stack([features.push(frame) for frame in frames_of(sound())])
    np.testing.assert_allclose(embeddings[WARM_UP:], golden["embeddings"][WARM_UP:], atol=1e-4)
    scores = [engine.push(frame) or {} for frame in frames_of(sound())][WARM_UP:]
    theirs = dict(zip(sorted(head(window).stem for window in WINDOWS), golden["scores"].T, strict=True))
    for window in WINDOWS:
        ours = [said[f"{window:02}"] for said in scores]
        assert np.ptp(ours) > 0.9
        np.testing.assert_allclose(ours, theirs[head(window).stem][WARM_UP:], atol=1e-4)


def test_a_head_with_a_longer_window_waits_until_it_has_heard_that_much() -> None:
    engine = Engine({"long": head(28)})
    said = [engine.push(frame) is not None for frame in frames_of(sound())]
    assert said.index(True) == 76 // 8 + 28


def test_says_nothing_in_the_first_26_frames_and_after_a_gap() -> None:
    engine = Engine({})
    frames = list(frames_of(speech()))
    assert [engine.push(frame) is None for frame in frames[:28]] == [True] * 26 + [False] * 2
    engine.reset()
    assert [engine.push(frame) is None for frame in frames[:28]] == [True] * 26 + [False] * 2


def test_after_a_reset_old_sound_has_no_influence() -> None:
    used, fresh = Features(history=5), Features(history=5)
    for frame in frames_of(speech(3)):
        used.push(frame)
        used.between()
    used.reset()
    for frame in frames_of(speech(2)):
        np.testing.assert_array_equal(used.push(frame), fresh.push(frame))
        np.testing.assert_array_equal(used.between(), fresh.between())


def test_an_engine_that_was_reset_is_as_a_fresh_one() -> None:
    used, fresh = Engine({}, history=32), Engine({}, history=32)
    for frame in frames_of(speech(4)):
        used.push(frame)
    used.reset()
    for frame in frames_of(speech(2)):
        used.push(frame)
        fresh.push(frame)
    np.testing.assert_array_equal(used.embeddings, fresh.embeddings)
    np.testing.assert_array_equal(used.between(), fresh.between())


def test_a_file_that_is_no_head_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no phrase head"):
        Head(fetch.path("embedding"))
    (tmp_path / "bad.tflite").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="not a usable TFLite model"):
        Head(tmp_path / "bad.tflite")
    with pytest.raises(ModelError, match="missing"):
        Head(tmp_path / "none.tflite")
