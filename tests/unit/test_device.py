"""A device of the moment: a boot number comes once, an event that no link takes costs no number."""

import time
from pathlib import Path
from typing import Any

import pytest

from gateway.bus import BrokerAddress
from gateway.cli import main
from gateway.device import MomentDevice, next_boot
from models.fetch import FetchError

TORN = ["", "\0\0\0", "x", "-7", "1e9", "\udcff", "٣ ٣", "9" * 5000]
SITE = """
site = "shop-1"
zone = "UTC"
region = "other"
[points.till-1]
technology = "voice"
[points.till-1.devices]
mic-1 = {{ kind = "microphone" }}
[microphones.mic-1]
source = "{source}"
[phrases.super]
role = "rating"
rating = "top"
[store]
path = "{store}"
"""


@pytest.mark.parametrize("text", TORN)
@pytest.mark.parametrize("now_s", [0.0, 1_800_000_000.5])
def test_a_torn_boot_number_is_followed_by_one_that_was_never_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, now_s: float
) -> None:
    path = tmp_path / "cam-1.boot"
    used = [next_boot(path) for _ in range(3)]
    path.write_text(text, errors="surrogateescape")
    monkeypatch.setattr(time, "time", lambda: now_s)  # a Pi without a battery starts in 1970
    used += [next_boot(path) for _ in range(3)]
    assert used == sorted(set(used))
    assert used[0] == 1
    assert used[3] > 1_000_000_000


def test_a_folder_that_cannot_be_written_is_a_plain_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wav, store = tmp_path / "a.wav", tmp_path / "store"
    wav.write_bytes((Path(__file__).parents[2] / "demo/speech/super.wav").read_bytes())
    store.write_text("a file lies where the folder should be")
    site = tmp_path / "site.toml"
    site.write_text(SITE.format(source=wav, store=store))
    assert main(["microphone", "mic-1", "--config", str(site)]) == 2
    said = capsys.readouterr().err
    assert f"{store}/devices" in said
    assert "[store] path" in said
    assert "Traceback" not in said


def site_file(folder: Path, source: object) -> str:
    site = folder / "site.toml"
    site.write_text(SITE.format(source=source, store=folder / "store"))
    return str(site)


def test_a_model_that_cannot_be_fetched_now_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise FetchError("connect this machine to the internet")

    monkeypatch.setattr("gateway.voice.microphone.Ear", unreachable)
    assert main(["microphone", "mic-1", "--config", site_file(tmp_path, "x.wav")]) == 1


def test_stdin_is_no_microphone_of_a_supervised_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gateway.supervisor.end_with_parent", lambda: None)
    assert main(["microphone", "mic-1", "--config", site_file(tmp_path, "-"), "--supervised"]) == 2
    said = capsys.readouterr().err
    assert "[microphones.mic-1]" in said
    assert "emobox microphone mic-1" in said


class Link:
    """Stands for the broker: says no while it is down or stuffed."""

    connected = True

    def __init__(self) -> None:
        self.takes = True
        self.seqs: list[int] = []

    def publish(self, topic: str, event: dict[str, Any]) -> bool:
        """As Bus.publish."""
        if self.takes:
            self.seqs.append(event["seq"])
        return self.takes


def test_an_event_that_no_link_takes_is_counted_and_leaves_no_gap(tmp_path: Path) -> None:
    device, link = MomentDevice(BrokerAddress(), "shop-1", "cam-1", tmp_path, lambda command: None), Link()
    device._bus = link  # type: ignore[assignment]
    for takes in (True, False, False, True):
        link.takes = takes
        assert device.send("face", {}, time.monotonic()) == takes
    link.takes = False
    assert not device.send("health", {}, time.monotonic())
    assert link.seqs == [1, 2]
    assert device.dropped == 2  # a health event is sent again: it is not lost
