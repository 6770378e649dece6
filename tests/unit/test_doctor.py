"""The doctor finds what is wrong in a shop, says what to do, and disturbs nobody."""

import json
import os
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import cli
from gateway.checks import Finding
from gateway.config import Site
from gateway.doctor import CHECKS, diagnose, print_findings
from gateway.sinks.influx import open_influx
from gateway.sinks.reader import SinkReader
from gateway.web.reach import link
from tests.integration.influx import Access, one, store
from tests.servers import Server, free_port, start_influxd, start_mosquitto
from tests.web.shop import NOON, Shop, open_shop, serving, table

SITE = """
site = "shop-1"
zone = "Europe/Berlin"
region = "other"
[store]
path = {store}
[points.till-1.devices]
term-1 = {{ kind = "terminal", keys = 3 }}
fob-1 = {{ kind = "keyfob" }}
cam-1 = {{ kind = "camera" }}
mic-1 = {{ kind = "microphone" }}
"""
SIGN = '[camera]\nsign_posted = "2026-09-01 M. Weber"\n'


@pytest.fixture(autouse=True)
def own_model_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No check may depend on the models that happen to be cached here."""
    monkeypatch.setenv("EMOBOX_CACHE", str(tmp_path / "models"))


def doctor(folder: Path, more: str = "", port: int = 1) -> list[Finding]:
    """The findings about a shop whose store is `folder` and whose broker listens on `port`."""
    file = folder / "site.toml"
    web = "" if "[web]" in more else "[web]\nport = 0\n"
    file.write_text(SITE.format(store=json.dumps(str(folder))) + f"[broker]\nport = {port}\n{web}{more}")
    return diagnose(file)


def the(findings: list[Finding], words: str) -> Finding:
    """The one finding that says these words."""
    (found,) = [finding for finding in findings if words in finding.what]
    return found


def test_a_missing_file_is_the_one_finding(tmp_path: Path) -> None:
    (finding,) = diagnose(tmp_path / "site.toml")
    assert finding.level == "error"
    assert "cannot be read" in finding.what


def test_every_mistake_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('site = "s"\nzone = "Mars"\n[k]\nbutton = 3\n')
    findings = diagnose(tmp_path / "site.toml")
    assert [finding.level for finding in findings] == ["error", "error"]
    assert "zone" in findings[0].what
    assert "k.button" in findings[1].what


def test_whatever_is_wrong_comes_with_what_to_do(tmp_path: Path) -> None:
    more = '[cameras.cam-1]\nsource = 77\n[microphones.mic-1]\nsource = "nowhere.wav"\n'
    findings = doctor(tmp_path, more)
    assert len([finding for finding in findings if finding.level == "error"]) >= 4
    assert all(finding.do for finding in findings if finding.level != "ok")


def test_a_second_opinion_that_is_named_and_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = '[microphones.mic-1]\nsource = "nowhere.wav"\n[voice]\nconfirm = "whisper"\n'
    assert not any("confirmed" in finding.what for finding in doctor(tmp_path, more))
    monkeypatch.setattr("gateway.voice.whisper.is_installed", lambda: False)
    finding = the(doctor(tmp_path, more), "answers are not confirmed")
    assert (finding.level, "script/setup whisper" in finding.what) == ("warning", True)
    automatic = more.replace("whisper", "auto")
    assert not any("confirmed" in finding.what for finding in doctor(tmp_path, automatic))


def test_a_broker_that_is_down_is_an_error_that_says_how_to_start_it(tmp_path: Path) -> None:
    finding = the(doctor(tmp_path, port=free_port()), "MQTT broker")
    assert finding.level == "error"
    assert "systemctl" in finding.do


def test_without_mosquitto_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert "apt install mosquitto" in the(doctor(tmp_path, port=free_port()), "MQTT broker").do


def test_a_broker_that_answers_is_fine(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as broker:
        assert the(doctor(tmp_path, port=broker.port), "MQTT broker").level == "ok"


def test_a_broker_that_wants_a_password_is_an_error(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path, settings=["allow_anonymous false"]) as broker:
        finding = the(doctor(tmp_path, port=broker.port), "MQTT broker")
    assert (finding.level, "password_file" in finding.do) == ("error", True)


@pytest.fixture
def influxd(tmp_path: Path) -> Iterator[Server]:
    """A real InfluxDB that wants to know who asks."""
    with start_influxd(tmp_path, auth=True) as server:
        yield server


def influx(server_url: str, more: str = "") -> str:
    return f'[influx]\nurl = "{server_url}"\n{more}'


def test_a_password_file_that_is_not_there_is_named_and_hides_nothing_else(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as broker:
        file = tmp_path / "no-password"
        found = doctor(
            tmp_path, f'username = "x"\npassword_file = "{file}"\n[web]\nport = 0\n', port=broker.port
        )
    wrong = the(found, "the broker's password or certificate cannot be read")
    assert (wrong.level, str(file) in wrong.do) == ("error", True)
    assert the(found, "no InfluxDB is set up")


def test_a_password_that_is_not_used_for_want_of_a_username_is_a_warning(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as broker:
        found = doctor(tmp_path, 'password_file = "/nope"\n[web]\nport = 0\n', port=broker.port)
    unused = the(found, "/nope is not used")
    assert (unused.level, "username" in unused.do) == ("warning", True)
    assert the(found, "MQTT broker").level == "ok"


def test_a_check_that_breaks_off_hides_nothing_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_broker(site: Site) -> Iterator[Finding]:
        raise RuntimeError("geheim")
        yield

    monkeypatch.setattr("gateway.doctor.CHECKS", (check_broker, *CHECKS[1:]))
    found = doctor(tmp_path)
    assert the(found, "broker: could not be checked (RuntimeError)").level == "error"
    assert the(found, "no InfluxDB is set up")
    assert "geheim" not in str(found)


def test_a_shop_without_points_is_an_error_that_says_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('site = "shop-1"\nzone = "UTC"\n[store]\npath = "/nope"')
    first = diagnose(tmp_path / "site.toml")[0]
    assert (first.level, "points: none" in first.what, "add one" in first.do) == ("error", True, True)


def test_influx_down_is_an_error_and_nothing_is_said_to_be_lost(tmp_path: Path) -> None:
    finding = the(doctor(tmp_path, influx(f"http://127.0.0.1:{free_port()}")), "InfluxDB")
    assert finding.level == "error"
    assert "nothing is lost" in finding.do


def test_influx_that_refuses_the_password_is_an_error_without_the_password(
    tmp_path: Path, influxd: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    password = tmp_path / "password"
    password.write_text("w0rd\n")
    access = Access(influxd.url, username="root", password_file=str(password))
    one(Access(influxd.url), "CREATE USER root WITH PASSWORD 'w0rd' WITH ALL PRIVILEGES")
    login = f'username = "root"\npassword_file = "{password}"\n'
    assert the(doctor(tmp_path, influx(influxd.url, login)), "InfluxDB").level == "ok"
    assert ("emobox",) in [row for series in store(access).query("SHOW DATABASES") for row in series.rows]
    password.write_text("wr0ng\n")
    findings = doctor(tmp_path, influx(influxd.url, login))
    assert the(findings, "InfluxDB").level == "error"
    print_findings(findings)
    assert "wr0ng" not in capsys.readouterr().out


def follow(shop: Shop, access: Access) -> None:
    """Let a hub's sink send what InfluxDB has not been sent."""
    reader = SinkReader(shop.journal, open_influx(access))
    while reader.step():
        pass


def test_what_influxdb_no_longer_shows_is_told_and_can_be_sent_again(tmp_path: Path) -> None:
    with start_influxd(tmp_path) as server, open_shop(tmp_path) as shop:
        for place in range(3):
            shop.contact(NOON + place * 120_000, 1)
        shop.clock.now += 600_000
        shop.catch_up()
        access, table = Access(server.url), influx(server.url)
        follow(shop, access)
        assert the(doctor(tmp_path, table), "was sent every record").level == "ok"
        store(access).query("DROP MEASUREMENT contact")
        lacking = the(doctor(tmp_path, table), "0 × contact, the journal has 3")
        assert (lacking.level, "emobox resend" in lacking.do) == ("warning", True)
        assert cli.main(["resend", "--config", str(tmp_path / "site.toml")]) == 0
        follow(shop, access)
        assert the(doctor(tmp_path, table), "was sent every record").level == "ok"


def test_without_influx_there_is_nowhere_to_send_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    doctor(tmp_path)
    assert cli.main(["resend", "--config", str(tmp_path / "site.toml")]) == 2
    assert "[influx]" in capsys.readouterr().err


def test_without_influx_it_is_a_warning(tmp_path: Path) -> None:
    assert the(doctor(tmp_path), "InfluxDB").level == "warning"


def test_put_aside_messages_are_counted_by_reason_with_the_last_ones(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        for _ in range(4):
            shop.message("emobox/v1/shop-1/nobody/event", b'{"secret": "s3cret"}', NOON)
        shop.message("emobox/v1/shop-1/term-1/event", b"[", NOON)
        findings = doctor(tmp_path)
    stranger, broken = the(findings, "unknown_device"), the(findings, "bad_json")
    assert stranger.level == broken.level == "warning"
    assert stranger.what.startswith("4 ×")
    assert "emobox/v1/shop-1/nobody/event" in stranger.what
    assert "site.toml" in stranger.do
    assert "s3cret" not in str(findings)


def test_events_that_never_arrived_are_told_by_device(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.send("term-1", NOON, "press", key=1)
        shop._seq["term-1"] += 5
        shop.send("term-1", NOON + 1000, "press", key=1)
        findings = doctor(tmp_path)
    assert the(findings, "5 events of term-1").level == "warning"


def test_who_was_heard_when_and_who_never_is_told(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.send("fob-1", NOON, "click", pattern="single")
        findings = doctor(tmp_path)
        rows = {device.name: device for device in shop.today().devices}
    assert the(findings, "heard last: fob-1 2026-09-22 12:00").level == "ok"
    never = the(findings, "never heard of: ")
    assert (never.level, never.what) == ("warning", "never heard of: term-1, cam-1, mic-1")
    assert (rows["fob-1"].online, rows["fob-1"].seen, rows["term-1"].heard) == (None, None, None)
    assert rows["fob-1"].heard == "2026-09-22 12:00"


def test_it_works_while_the_hub_runs_and_changes_nothing(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.contact(NOON, 1)
        shop.catch_up()
        before = shop.today()
        assert the(doctor(tmp_path), "the journal can be read").level == "ok"
        assert shop.today() == before
        shop.contact(NOON + 600_000, 2)  # the hub can still write
        shop.catch_up()
        assert len(shop.today().contacts) == 2


def test_a_journal_after_the_hub_has_stopped_can_be_read(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        shop.contact(NOON, 1)
    assert the(doctor(tmp_path), "the journal can be read").level == "ok"


@pytest.mark.parametrize("keep", [0, 5000])
def test_a_damaged_journal_is_an_error_not_a_crash(tmp_path: Path, keep: int) -> None:
    with open_shop(tmp_path) as shop:
        for step in range(200):
            shop.message(f"emobox/v1/shop-1/nobody/{step}", b"{}" * 100, NOON)
    path = tmp_path / "journal.db"
    content = path.read_bytes()
    path.write_bytes(content[:keep] + os.urandom(len(content) - keep))
    damaged = the(doctor(tmp_path), "journal.db")
    assert (damaged.level, "emobox restore" in damaged.do) == ("error", True)


def test_no_journal_yet_is_a_warning_and_none_is_made(tmp_path: Path) -> None:
    assert the(doctor(tmp_path), "there is no journal").level == "warning"
    assert not (tmp_path / "journal.db").exists()


@pytest.mark.parametrize(
    ("more", "level", "words"),
    [("", "warning", "[camera]"), ("[camera]\n", "warning", "sign"), (SIGN, "ok", "M. Weber")],
)
def test_says_whether_the_camera_may_look_and_why_not(
    tmp_path: Path, more: str, level: str, words: str
) -> None:
    finding = the(doctor(tmp_path, more), "the camera")
    assert (finding.level, words in finding.what) == (level, True)
    assert level == "ok" or "sign_posted" in finding.do


def test_camera_and_microphone_files_and_models_are_looked_for(tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    video.touch()
    more = f'[cameras.cam-1]\nsource = "{video}"\n[microphones.mic-1]\nsource = "plughw:CARD=Nothing"\n'
    findings = doctor(tmp_path, more)
    assert the(findings, "camera cam-1").level == "ok"
    assert the(findings, "microphone mic-1").level == "error"
    assert "emobox models fetch" in the(findings, "model files are missing").do


def test_the_password_in_a_cameras_address_is_not_shown(tmp_path: Path) -> None:
    more = f'[cameras.cam-1]\nsource = "rtsp://me:s3cret@127.0.0.1:{free_port()}/live"\n'
    findings = doctor(tmp_path, more)
    assert the(findings, "camera cam-1").level == "error"
    assert "s3cret" not in str(findings)


def test_the_pages_port_is_free_ours_or_taken(tmp_path: Path) -> None:
    port = free_port()
    web = f"[web]\nport = {port}\n"
    assert "is free" in the(doctor(tmp_path, web), f"{port}").what
    with open_shop(tmp_path, table(web={"port": port})) as shop, serving(shop):
        assert "the page is there" in the(doctor(tmp_path, web), f"{port}").what
    with socket.create_server(("127.0.0.1", port)):
        began = time.monotonic()
        taken = the(doctor(tmp_path, web), f"port {port}")
        assert time.monotonic() - began < 10
    assert (taken.level, "[web]" in taken.do) == ("error", True)


def test_a_page_for_the_whole_network_is_a_warning(tmp_path: Path) -> None:
    assert the(doctor(tmp_path, '[web]\nhost = "0.0.0.0"\nport = 0\n'), "network").level == "warning"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_page_for_the_whole_network_is_shown_by_an_address_that_a_phone_can_open(
    tmp_path: Path, host: str
) -> None:
    web = {"host": host, "port": free_port()}
    with open_shop(tmp_path, table(web=web)) as shop, serving(shop):
        found = doctor(tmp_path, f'[web]\nhost = "{host}"\nport = {web["port"]}\n')
        shown = the(found, "the page is there").what.removeprefix("the page is there: ")
        assert shown == link(host, web["port"], "")
        assert urllib.request.urlopen(shown, timeout=10).status == 200
    free = doctor(tmp_path, f'[web]\nhost = "{host}"\nport = {free_port()}\n')
    assert the(free, "is free for the page").level == "ok"


def test_a_clock_behind_the_journal_is_an_error(tmp_path: Path) -> None:
    with open_shop(tmp_path):
        pass
    later = time.time() + 86_400
    os.utime(tmp_path / "journal.db", (later, later))
    assert the(doctor(tmp_path), "the clock went back").level == "error"


def test_a_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1_000_000

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    assert the(doctor(tmp_path), "the disk is full").level == "error"


@pytest.mark.parametrize(("level", "status"), [("ok", 0), ("warning", 0), ("error", 1)])
def test_the_exit_status_tells_an_error(level: Any, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    finding = Finding(level, "a \x1b[31mthing", "do")
    assert print_findings([finding], as_json=True) == status
    printed = json.loads(capsys.readouterr().out)
    assert printed["ok"] is (status == 0)
    assert printed["findings"] == [{"level": level, "what": finding.what, "do": "do"}]
    assert print_findings([finding]) == status
    assert "\x1b" not in capsys.readouterr().out
