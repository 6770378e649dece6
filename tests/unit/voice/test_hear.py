"""`emobox voice WAV` on real models and the demo's recordings: each phrase once, at its time, no other."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from demo.sound import SPEECH, TimelineError, make_timeline, phrase_ids, phrase_s, write_wav
from gateway.voice.audio import AudioError, read_wav
from gateway.voice.engine import Samples
from gateway.voice.hear import hear, voice_file
from gateway.voice.phrases import catalogue
from gateway.voice.quiet import Quiet
from models.evaluate.phrases import Ears
from models.training import recordings
from models.training.features import pcm

END_ERROR_S = 0.3
IDS = ("could-be-better", "normal", "rate-visit", "super")
RECORDINGS = Path(__file__).parents[4] / "shared" / "data" / "voices" / "librispeech_train.zip"
NEGATIVES = 20


def test_the_demo_has_a_small_recording_of_every_phrase() -> None:
    assert tuple(phrase_ids()) == IDS
    assert all(path.stat().st_size < 70_000 for path in SPEECH.glob("*.wav"))


@pytest.mark.parametrize("name", IDS)
def test_a_recording_alone_gives_its_own_phrase_once_with_margin(name: str) -> None:
    found = voice_file(SPEECH / f"{name}.wav")
    assert [phrase["id"] for phrase in found["phrases"]] == [name]
    threshold = catalogue()[name].threshold
    assert found["phrases"][0]["score"] > threshold + 0.75 * (1 - threshold)
    assert all(score < 0.75 for other, score in found["highest"].items() if other != name)
    assert found["phrases"][0]["end_s"] == pytest.approx(phrase_s(name), abs=END_ERROR_S)


def test_on_a_time_line_each_phrase_is_heard_once_at_its_time(tmp_path: Path) -> None:
    items = [
        (3.0, "rate-visit"),
        (7.013, "super"),
        (12.37, "rate-visit"),
        (16.0, "normal"),
        (19.5, "could-be-better"),
    ]
    wav = make_timeline(tmp_path / "shop.wav", items, 24.0)
    heard = [(phrase["id"], phrase["end_s"]) for phrase in voice_file(wav)["phrases"]]
    assert [name for name, _ in heard] == [name for _, name in items]
    ends = [start_s + phrase_s(name) for start_s, name in items]
    assert [end_s for _, end_s in heard] == pytest.approx(ends, abs=END_ERROR_S)


@pytest.mark.parametrize(("pause_s", "told"), [(0.0, ["rate-visit"]), (0.5, ["super", "rate-visit"])])
def test_praise_into_which_more_is_said_is_none(pause_s: float, told: list[str]) -> None:
    first, then = (_bare(read_wav(SPEECH / f"{name}.wav")) for name in ("super", "rate-visit"))
    said = np.concatenate([first, np.zeros(round(pause_s * 16_000), np.int16), then])
    assert [event.id for event in hear(said, list(catalogue().values()))[0]] == told


def test_shop_and_evaluation_ask_both_whether_there_is_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    sound, known, asked = read_wav(SPEECH / "rate-visit.wav"), list(catalogue().values()), list[str]()
    for name in ("is_noisy", "is_quiet"):
        monkeypatch.setattr(Quiet, name, lambda _, name=name: asked.append(name) or True)
    assert [event.id for event in hear(sound, known)[0]] == ["rate-visit"]
    assert asked == ["is_noisy", "is_quiet"]
    assert [event.id for event in Ears(known).hear((sound / 32768).astype(np.float32))] == ["rate-visit"]
    assert asked == 2 * ["is_noisy", "is_quiet"]


def _bare(sound: Samples) -> Samples:
    """Without the silence around it."""
    loud = np.nonzero(np.abs(sound) > 300)[0]
    return sound[loud[0] : loud[-1]]


@pytest.mark.parametrize("gain", [0.1, 0.5, 1.9])
def test_far_and_near_speakers_are_heard_alike(gain: float) -> None:
    for name in IDS:
        sound = np.clip(read_wav(SPEECH / f"{name}.wav") * gain, -32768, 32767).astype(np.int16)
        assert [event.id for event in hear(sound, list(catalogue().values()))[0]] == [name]


@pytest.mark.parametrize("level", [0, 3, 300, 5000])
def test_silence_and_noise_say_nothing(level: int) -> None:
    noise = np.random.default_rng(level).normal(0, 1, 16_000 * 20) * level
    assert hear(noise.astype(np.int16), list(catalogue().values()))[0] == []


def test_only_the_wanted_phrases_are_judged() -> None:
    found = voice_file(SPEECH / "super.wav", ids=["normal"])
    assert (found["phrases"], list(found["highest"])) == ([], ["normal"])


def test_a_bad_file_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_text("no sound here")
    with pytest.raises(AudioError, match=r"bad\.wav: is no plain WAV file"):
        voice_file(tmp_path / "bad.wav")


def test_an_empty_wav_has_nothing_to_say(tmp_path: Path) -> None:
    found = voice_file(write_wav(tmp_path / "empty.wav", np.zeros(0, np.int16)))
    assert (found["seconds"], found["phrases"]) == (0.0, [])


def test_a_time_line_that_overlaps_or_overruns_is_refused(tmp_path: Path) -> None:
    for items in ([(1.0, "super"), (1.5, "normal")], [(4.5, "super")], [(1.0, "great")]):
        with pytest.raises(TimelineError):
            make_timeline(tmp_path / "t.wav", items, 5.0)


def test_no_module_of_the_voice_room_can_write_sound() -> None:
    """The runtime loads no audio writer and opens nothing for writing while it hears."""
    code = (
        "import sys; opened = []\n"
        "from pathlib import Path; from gateway.voice.hear import voice_file\n"
        "sys.addaudithook(lambda e, a: opened.append(a) if e == 'open' and is_write(a) else None)\n"
        "def is_write(a): return bool(set(str(a[1] or '')) & set('wax+')) or bool((a[2] or 0) & 3)\n"
        f"print(voice_file(Path({str(SPEECH / 'super.wav')!r}))['phrases'][0]['id'], opened)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "super []"


def real_speech() -> Iterator[Samples]:
    """A few minutes of real people reading (training negatives: this guards the wiring, not the accuracy)."""
    for _, sound in recordings.read(RECORDINGS, recordings.names(RECORDINGS)[:NEGATIVES]):
        yield pcm(sound)


@pytest.mark.skipif(not RECORDINGS.exists(), reason=f"no recordings of real speech at {RECORDINGS}")
def test_real_people_reading_something_else_say_nothing() -> None:
    phrases = list(catalogue().values())
    assert [event for sound in real_speech() for event in hear(sound, phrases)[0]] == []
