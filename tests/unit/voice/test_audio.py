"""Sound sources and the capture thread: real time, nothing lost in silence, plain errors."""

import io
import os
import stat
import threading
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from demo.sound import write_wav
from gateway.voice.audio import FRAME_BYTES, AudioError, CardSource, PipeSource, WavSource, opener, read_wav
from gateway.voice.capture import QUEUE_FRAMES, Capture, Frame
from gateway.voice.engine import FRAME

RAMP = (np.arange(FRAME * 5) % 30_000).astype(np.int16)


def taken(capture: Capture) -> list[Frame]:
    """All frames until the source is over."""
    out = []
    while not capture.is_over:
        if frame := capture.take(0.05):
            out.append(frame)
    return out


def fake_arecord(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that stands for arecord: no card exists where tests run."""
    program = folder / "arecord"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_wav_is_played_at_real_speed_sample_for_sample(tmp_path: Path) -> None:
    capture = Capture(lambda: WavSource(write_wav(tmp_path / "a.wav", RAMP), loop=False))
    began_s = time.monotonic()
    capture.start()
    frames = taken(capture)
    assert time.monotonic() - began_s == pytest.approx(0.4, abs=0.25)
    np.testing.assert_array_equal(np.concatenate([frame.samples for frame in frames]), RAMP)
    assert [frame.end_s - began_s for frame in frames] == pytest.approx(
        [0.08, 0.16, 0.24, 0.32, 0.4], abs=0.1
    )


def test_a_looped_wav_goes_on_from_its_start(tmp_path: Path) -> None:
    source = WavSource(write_wav(tmp_path / "a.wav", RAMP[: FRAME * 2]), loop=True)
    heard = [source.read() for _ in range(5)]
    assert heard[0] == heard[2] == heard[4]
    assert heard[1] == heard[3] != heard[0]


def test_the_last_part_of_a_wav_is_filled_up_with_silence(tmp_path: Path) -> None:
    source = WavSource(write_wav(tmp_path / "a.wav", RAMP[:100]), loop=False)
    assert source.read() == RAMP[:100].tobytes().ljust(FRAME_BYTES, b"\0")
    assert source.read() == b""


def test_a_pipe_loses_nothing_however_fast_it_writes() -> None:
    sound = np.resize(RAMP, FRAME * QUEUE_FRAMES * 3)
    capture = Capture(lambda: PipeSource(io.BytesIO(sound.tobytes())))
    capture.start()
    time.sleep(0.1)
    np.testing.assert_array_equal(np.concatenate([frame.samples for frame in taken(capture)]), sound)
    assert capture.dropped == 0


def test_a_fifo_is_read_as_raw_sound(tmp_path: Path) -> None:
    fifo = tmp_path / "sound"
    os.mkfifo(fifo)
    threading.Thread(target=fifo.write_bytes, args=(RAMP.tobytes(),), daemon=True).start()
    assert opener(str(fifo))().read() == RAMP[:FRAME].tobytes()


@pytest.mark.timeout(20)
def test_a_fifo_that_nobody_writes_to_holds_up_nobody(tmp_path: Path) -> None:
    fifo = tmp_path / "sound"
    os.mkfifo(fifo)
    capture = Capture(opener(str(fifo)))
    began_s = time.monotonic()
    capture.start()
    assert capture.take(0.05) is None
    capture.stop()
    assert time.monotonic() - began_s < 2
    fifo.write_bytes(RAMP.tobytes())  # lets the thread go


def test_a_fifo_that_may_not_be_read_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fifo = tmp_path / "sound"
    os.mkfifo(fifo)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    with pytest.raises(AudioError, match="may not be read"):
        Capture(opener(str(fifo))).start()


def test_a_card_that_nobody_listens_to_drops_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_arecord(tmp_path, "head -c 128000 /dev/zero; exec sleep 60", monkeypatch)
    capture = Capture(lambda: CardSource("plughw:CARD=Fake"))
    capture.start()
    deadline_s = time.monotonic() + 5
    while capture.dropped < 25 and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert (capture.dropped, capture.take(0.1) is not None) == (50 - QUEUE_FRAMES, True)
    capture.stop()


def test_a_card_is_asked_for_by_name_in_our_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_arecord(tmp_path, f'echo "$@" > {tmp_path}/asked', monkeypatch)
    CardSource("plughw:CARD=Fake").read()
    asked = (tmp_path / "asked").read_text().split()
    assert asked == ["-q", "-D", "plughw:CARD=Fake", "-r", "16000", "-c", "1", "-f", "S16_LE", "-t", "raw"]


def test_a_card_whose_child_dies_is_opened_again_and_the_gap_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.voice.capture.RETRY_FIRST_S", 0.1)
    fake_arecord(tmp_path, f"head -c {FRAME_BYTES} /dev/zero", monkeypatch)
    capture = Capture(lambda: CardSource("plughw:CARD=Fake"))
    capture.start()
    frames = [capture.take(5), capture.take(5)]
    capture.stop()
    assert frames[0] is not None
    assert frames[1] is not None
    assert frames[1].start > frames[0].start + FRAME
    assert capture.restarts >= 1


def test_stopping_leaves_no_child_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_arecord(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60", monkeypatch)
    capture = Capture(lambda: CardSource("plughw:CARD=Fake"))
    capture.start()
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        time.sleep(0.01)
    began_s = time.monotonic()
    capture.stop()
    assert time.monotonic() - began_s < 5
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_without_arecord_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(AudioError, match="alsa-utils"):
        CardSource("default")


def odd_wav(path: Path, rate: int, channels: int, width: int) -> Path:
    """A WAV of another format."""
    with wave.open(str(path), "wb") as file:
        file.setframerate(rate)
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.writeframes(bytes(1000 * channels * width))
    return path


@pytest.mark.parametrize("form", [(44_100, 1, 2), (16_000, 2, 2), (16_000, 1, 1)])
def test_a_wav_of_another_format_is_refused_with_the_way_to_convert_it(
    tmp_path: Path, form: tuple[int, int, int]
) -> None:
    with pytest.raises(AudioError, match="ffmpeg -i"):
        read_wav(odd_wav(tmp_path / "odd.wav", *form))


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a wav at all" * 10, b"RIFF\x24\0\0\0WAVEfmt "])
def test_a_file_that_is_no_wav_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(AudioError, match="no plain WAV"):
        read_wav(tmp_path / "bad.wav")


def test_a_missing_or_unreadable_wav_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"none\.wav: cannot be read"):
        opener(str(tmp_path / "none.wav"))()
    with pytest.raises(AudioError, match="cannot be read"):
        read_wav(tmp_path)
