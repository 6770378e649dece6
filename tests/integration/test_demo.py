"""The main job, as a new user would start it: the demo with a database, its page in a browser, kill -9."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from demo.play import LEAST_CONTACTS
from demo.scenes import KEY, scheduled
from gateway.config import load_site
from gateway.fusion import Fusion, PointEvents
from gateway.journal import Journal
from gateway.measurements import contact_record
from gateway.replay import sort_events
from tests.integration.test_hub import as_row, points
from tests.servers import Server, free_port, start_influxd
from tests.waiting import wait_for
from tests.web.test_browser import browse, signed

PLAY_S = 240
TILL = "till-1"
OUTCOMES = {"loyal", "passive", "unknown", "critic", "silent", "cancelled"}


@contextmanager
def demo(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """`emobox demo` with its port and log; ended politely."""
    port, log = free_port(), folder / "demo.log"
    place = ["--state", str(folder / "demo"), "--port", str(port)]
    command = [sys.executable, "-m", "gateway.cli", "demo", *place]
    with log.open("wb") as file:
        process = subprocess.Popen([*command, *options], stdout=file, stderr=file)
    try:
        yield process, port, log
    finally:
        process.terminate()
        process.wait(60)


def journal_of(folder: Path) -> Journal:
    journal = Journal(folder / "demo" / "journal.db")
    journal.open(read_only=True)
    return journal


def hub_pid(folder: Path) -> int:
    """The hub of this demo."""
    config = str(folder / "demo" / "site.toml")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if "run" in words and config in words:
                return int(entry.name)
    raise AssertionError("no hub runs")


def ends(log: Path) -> bool:
    return "the page goes on at" in log.read_text()


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_influxd(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.mark.timeout(PLAY_S + 60)
def test_the_whole_path_to_figures_that_page_database_and_journal_agree_on(
    tmp_path: Path, influx: Server
) -> None:
    with demo(tmp_path, "--influx", influx.url, "--history", "2d") as (process, port, log):
        wait_for(lambda: ends(log) or process.poll() is not None, "the demo's end", PLAY_S)
        assert process.poll() is None, log.read_text()
        with urlopen(f"http://127.0.0.1:{port}/api/today", timeout=5) as answer:
            today: dict[str, Any] = json.load(answer)
        figures = today["indices"]["all"]
        assert figures["published"] == "emonps"
        assert figures["n"] >= 12
        assert f"{figures['emonps']:+.1f}  (95 % interval {figures['low']:+.1f}" in log.read_text()
        shown = browse(f"http://127.0.0.1:{port}/", tmp_path).figures
        for name, text in (("emonps", signed), ("low", signed), ("high", signed), ("n", str)):
            assert shown[name] == text(figures[name])
        journal = journal_of(tmp_path)
        contacts = [r for r in journal.records("contact") if r.fields["local_date"] == today["date"]]
        assert {record.tags["outcome"] for record in contacts} == OUTCOMES
        assert {"voice", "key"} <= {record.tags["via"] for record in contacts}
        assert {record.tags["asked_by"] for record in contacts} == {"keyfob", "phrase"}
        wait_for(lambda: journal.cursor("influx") == journal.last_change(), "influx to have everything", 60)
        for measurement in ("contact", "press", "phrase", "device", "index"):
            expected = {row["time"]: row for row in map(as_row, journal.records(measurement))}
            assert {row["time"]: row for row in points(influx, measurement)} == expected, measurement
        journal.close()


@pytest.mark.timeout(PLAY_S + 60)
def test_kill_9_of_the_hub_in_the_middle_loses_no_contact_and_doubles_none(tmp_path: Path) -> None:
    scenes = scheduled()
    with demo(tmp_path) as (process, _, log):
        wait_for(lambda: "click, single" in log.read_text(), "the first ask", 90)
        for _ in range(2):
            time.sleep(scenes[1].at_s - scenes[0].at_s + 1)
            os.kill(hub_pid(tmp_path), signal.SIGKILL)
        wait_for(lambda: ends(log) or process.poll() is not None, "the demo's end", PLAY_S)
        journal = journal_of(tmp_path)
        happened = Counter(row.kind for row in journal.events_after(0, 10_000))
        assert happened["click"] == sum((not scene.spoken) + (scene.answer == "cancel") for scene in scenes)
        assert happened["press"] == sum(scene.answer in KEY for scene in scenes)
        site = load_site(tmp_path / "demo" / "site.toml")
        events = {TILL: PointEvents()}
        sort_events(journal, site, events)
        fused = Fusion(site, TILL).fuse(events[TILL])
        expected = [contact_record(contact, site) for contact in fused.contacts]
        assert journal.records("contact") == expected
        assert len(expected) >= LEAST_CONTACTS
        assert journal.gaps() == 0
        assert journal.quarantine_counts() == {}
        journal.close()


def test_the_demo_never_empties_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    keep = tmp_path / "demo" / "accounts.txt"
    keep.parent.mkdir()
    keep.write_text("42")
    with demo(tmp_path, "--once") as (process, _, log):
        assert process.wait(60) == 2
    assert keep.read_text() == "42"
    assert "holds other files" in log.read_text()


@pytest.mark.parametrize("taken", ["", ".emobox-demo"])
def test_a_folder_that_cannot_be_written_is_said_with_what_to_do(tmp_path: Path, taken: str) -> None:
    state = tmp_path / "demo" if taken else Path("/proc/x")
    if taken:
        (state / taken).mkdir(parents=True)
    with demo(tmp_path, "--once", f"--state={state}") as (process, _, log):
        assert process.wait(60) == 2
    assert f"{state} cannot be written" in log.read_text()
    assert "give another --state" in log.read_text()


@pytest.mark.parametrize(
    ("option", "message"),
    [("--history=foo", "allowed is a number of days"), ("--port=99999", "a port from 1")],
)
def test_a_wrong_option_is_said_before_anything_is_touched(tmp_path: Path, option: str, message: str) -> None:
    with demo(tmp_path, "--once", option) as (process, _, log):
        assert process.wait(60) == 2
    assert message in log.read_text()
    assert not (tmp_path / "demo").exists()


def test_a_taken_port_is_said_at_once(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        place = ["--state", str(tmp_path / "demo"), "--port", str(taken.getsockname()[1])]
        command = [sys.executable, "-m", "gateway.cli", "demo", "--once", *place]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "give another --port" in done.stderr
