"""What cannot be used in site.toml: exit 2, nothing on stdout; file, key and what is allowed on stderr."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli import main
from gateway.config import SiteError, load_site

BASE = 'site = "s"\nzone = "Europe/Berlin"\n'
DEVICE = "[points.p.devices]\nt = "
FIRST = "points.p.devices.t"

WRONG = [
    # names: unknown ones in every table that replay reads, and at the top
    ('[hour]\nmon = "09:00-10:00"', "hour", "hours, camera, k, points, phrases, defaults"),
    ('[hours]\nmonday = "09:00-10:00"', "hours.monday", "mon, tue, wed, thu, fri, sat, sun"),
    ('[camera]\nsign = "x"', "camera.sign", "sign_posted, releases"),
    ("[k]\nphone = 0.5", "k.phone", "button, voice"),
    ("[k]\nbutton = [ { value = 0.5, until = 1 } ]", "k.button.0.until", "value, from"),
    ('[points.p]\ntech = "voice"', "points.p.tech", "technology, served, devices"),
    (DEVICE + '{ kind = "keyfob", colour = 1 }', f"{FIRST}.colour", "kind, keys, test"),
    ('[phrases.x]\nrole = "ask"\nword = "x"', "phrases.x.word", "role, rating"),
    ("[defaults]\nburst = 5", "defaults.burst", "burst_gap_s, cancel_s"),
    # the top
    ("region = 5", "region", "a text in quotes"),
    ('day_start = "24:00"', "day_start", "a time such as"),
    ('day_start = "4:00"', "day_start", "a time such as"),
    ("day_start = 4", "day_start", "a time such as"),
    # hours
    ("hours = 5", "hours", "a table"),
    ("[hours]\nmon = 5", "hours.mon", '"09:00-20:00" or a list'),
    ('[hours]\nmon = ["09:00-10:00", 5]', "hours.mon", '"09:00-20:00" or a list'),
    ('[hours]\nmon = "9-20"', "hours.mon", "a time such as 09:00"),
    ('[hours]\nmon = "09:60-10:00"', "hours.mon", "00:00 to 24:00 (it is '09:60-10:00')"),
    ('[hours]\nmon = "09:00-24:01"', "hours.mon", "00:00 to 24:00"),
    ('[hours]\nmon = "24:00-01:00"', "hours.mon", "before 24:00"),
    # camera, K
    ("[camera]\nsign_posted = true", "camera.sign_posted", "a text in quotes"),
    ("[k]\nbutton = 0.19", "k.button.0.value", "0.2 to 1 (it is 0.19)"),
    ("[k]\nvoice = 1.01", "k.voice.0.value", "0.2 to 1"),
    ("[k]\nbutton = true", "k.button.0.value", "a number"),
    ("[k]\nbutton = nan", "k.button.0.value", "a number"),
    ("[k]\nbutton = []", "k.button", "0.2 to 1"),
    ("[k]\nbutton = [0.5]", "k.button.0", "a table"),
    (
        "[k]\nbutton = [ { value = 0.5 }, { value = 0.6 } ]",
        "k.button",
        "every version but the first needs `from`",
    ),
    ("[k]\nbutton = [ { from = 2025-01-01T00:00:00Z, value = 0.6 } ]", "k.button.0.from", "without offset"),
    ('[k]\nbutton = [ { from = "x", value = 0.6 } ]', "k.button.0.from", "2025-10-08T10:30:00"),
    ("[k]\nbutton = [ { from = 2025-01-01T00:00:00 } ]", "k.button.0.value", "value, from"),
    # points and devices
    ("points = 5", "points", "a table"),
    ("[points.all]", "points.all", '"all" is not allowed'),
    ('[points."a/b"]', "points.a/b", "must not hold"),
    ('[points.p]\ntechnology = "phone"', "points.p.technology", "'button' or 'voice' (it is 'phone')"),
    ("[points.p]\nserved = -1", "points.p.served", "greater than or equal to 0"),
    ("[points.p]\nserved = 1.5", "points.p.served", "a whole number (it is 1.5)"),
    ('[points.p]\nserved = "12"', "points.p.served", "a whole number (it is '12')"),
    (DEVICE + '{ kind = "terminal" }', FIRST, "`keys`, 2 to 5"),
    (DEVICE + '{ kind = "terminal", keys = 1 }', f"{FIRST}.keys", "greater than or equal to 2"),
    (DEVICE + '{ kind = "terminal", keys = 6 }', f"{FIRST}.keys", "less than or equal to 5"),
    (DEVICE + '{ kind = "terminal", keys = 3.0 }', f"{FIRST}.keys", "a whole number"),
    (DEVICE + '{ kind = "phone" }', f"{FIRST}.kind", "'terminal', 'keyfob', 'camera' or 'microphone'"),
    (DEVICE + "{ keys = 3 }", f"{FIRST}.kind", "kind, keys, test"),
    (DEVICE + '{ kind = "keyfob", keys = 3 }', FIRST, "only a terminal has `keys`"),
    (DEVICE + '{ kind = "keyfob", test = "yes" }', f"{FIRST}.test", "true or false"),
    ('[points.p.devices]\n"a+b" = { kind = "keyfob" }', "points.p.devices.a+b", "must not hold"),
    (
        DEVICE + '{ kind = "keyfob" }\n[points.q.devices]\nt = { kind = "camera" }',
        "points.q.devices.t",
        "named twice (also at p); allowed is once",
    ),
    # phrases
    ('[phrases.x]\nrole = "rating"', "phrases.x", "top, middle or low"),
    ('[phrases.x]\nrole = "rating"\nrating = "best"', "phrases.x.rating", "'top', 'middle' or 'low'"),
    ('[phrases.x]\nrole = ""', "phrases.x.role", "not empty"),
    ('[phrases.x]\nrating = "top"', "phrases.x.role", "role, rating"),
    # defaults
    ("defaults = 5", "defaults", "a table"),
    ('[defaults]\nburst_gap_s = "5"', "defaults.burst_gap_s", "a number"),
    ("[defaults]\nburst_gap_s = -1", "defaults.burst_gap_s", "greater than or equal to 0"),
    ("[defaults]\nburst_gap_s = 1.0005", "defaults.burst_gap_s", "at most three decimals"),
    ("[defaults]\nburst_gap_s = inf", "defaults.burst_gap_s", "a number"),
    ("[defaults]\nsmile_on = 1.1", "defaults.smile_on", "less than or equal to 1"),
    ("[defaults]\nsmile_off = -0.1", "defaults.smile_off", "greater than or equal to 0"),
    ("[defaults]\nface_yaw_max = 181", "defaults.face_yaw_max", "less than or equal to 180"),
    ("[defaults]\nface_px_min = true", "defaults.face_px_min", "a number"),
    ("[defaults]\nretention_raw_days = 0", "defaults.retention_raw_days", "greater than or equal to 1"),
    ("[defaults]\nretention_hourly_months = 1.5", "defaults.retention_hourly_months", "a whole number"),
]
WRONG_FILES = [
    ('zone = "UTC"', "site", "is missing"),
    ('site = "s"', "zone", "is missing"),
    ('site = "a/b"\nzone = "UTC"', "site", "must not hold"),
    ('site = ""\nzone = "UTC"', "site", "must not be empty"),
    ('site = "s"\nzone = "Mars/Base"', "zone", "IANA time zone"),
    ("site = ", "is not TOML", ""),
]


def refused(text: str | bytes, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What stderr says of a site.toml that replay refuses."""
    site, log = folder / "site.toml", folder / "log.jsonl"
    site.write_bytes(text if isinstance(text, bytes) else text.encode())
    log.write_text("")
    assert main(["replay", str(log), "--config", str(site), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"{site}: ")
    return err.removeprefix(f"{site}: ").rstrip("\n")


@pytest.mark.parametrize(("table", "key", "allowed"), WRONG)
def test_a_wrong_value_is_named_by_file_key_and_what_is_allowed(
    table: str, key: str, allowed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(BASE + table, tmp_path, capsys)
    assert "\n" not in message
    assert message.startswith(f"{key}: ")
    assert allowed in message


@pytest.mark.parametrize(("text", "key", "allowed"), WRONG_FILES)
def test_a_site_needs_a_name_and_a_zone(
    text: str, key: str, allowed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(text, tmp_path, capsys)
    assert message.startswith(f"{key}: ")
    assert allowed in message


def test_a_file_that_is_no_text_or_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is not UTF-8" in refused(b'site = "\xff"', tmp_path, capsys)
    log = tmp_path / "log.jsonl"
    assert main(["replay", str(log), "--config", str(tmp_path / "none.toml")]) == 2
    out, err = capsys.readouterr()
    assert (out, "none.toml: cannot be read" in err) == ("", True)


@pytest.mark.parametrize(
    "table",
    [
        '[broker]\nhots = "x"\nport = 99999',
        '[influx]\nurl = "influx.local"',
        '[web]\ntheme = "dark"',
        "[store]\npath = 5",
        '[notifier]\ntelegram = "x"',
        "[scope_all]",
        '[cameras.nobody]\nsource = "x"',
        '[staff.anna]\nkeyfob = "none"',
        "voice = 5",
    ],
)
def test_a_replay_ignores_the_gateways_own_tables_and_the_gateway_does_not(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site, log = tmp_path / "site.toml", tmp_path / "log.jsonl"
    site.write_text(BASE + table)
    log.write_text("")
    assert main(["replay", str(log), "--config", str(site), "--json"]) == 0
    assert capsys.readouterr().err == ""
    with pytest.raises(SiteError, match=r"site\.toml: "):
        load_site(site)


def test_a_wrong_name_in_a_table_of_the_gateway_is_told_with_what_is_allowed(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(BASE + '[broker]\nhots = "x"')
    with pytest.raises(SiteError, match=r"broker\.hots: unknown name; allowed here: host, port"):
        load_site(site)


def test_a_file_from_notepad_is_read_and_one_of_brackets_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site.toml").write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    assert load_site(tmp_path / "site.toml").site == "s"
    assert "too many brackets" in refused("x = " + "[" * 3000, tmp_path, capsys)
    assert "is not TOML" in refused("x = " + "1" * 5000, tmp_path, capsys)


def test_a_log_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site.toml").write_text(BASE)
    assert main(["replay", str(tmp_path / "no.jsonl"), "--config", str(tmp_path / "site.toml")]) == 2
    out, err = capsys.readouterr()
    assert (out, "no.jsonl: cannot be read" in err) == ("", True)


def test_every_wrong_value_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(BASE + "[k]\nbutton = 2\n[hours]\nmonday = 1", tmp_path, capsys)
    assert len(message.splitlines()) == 2


@pytest.mark.parametrize(
    "table",
    [
        '[hours]\nsat = ["09:00-13:00", "14:00-24:00"]\nfri = "18:00-02:00"',
        "[k]\nbutton = 0.2\nvoice = 1",
        "[k]\nvoice = [ { value = 0.3 }, { from = 2025-10-08T10:30:00, value = 0.6 } ]",
        "[k]\nbutton = [ { from = 2025-10-08T10:30:00, value = 0.6 } ]",
        '[points."Kasse 1"]\nserved = 0',
        '[phrases."any id"]\nrole = "refusal"',
        "[defaults]\nburst_gap_s = 4.999\nsmile_on = 1\nsmile_off = 0",
        'region = "mars"',
    ],
)
def test_what_the_format_allows_is_read(table: str, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(BASE + table)
    assert load_site(tmp_path / "site.toml").site == "s"


def test_the_defaults_are_those_of_the_format(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(BASE)
    assert load_site(tmp_path / "site.toml").defaults.model_dump() == {
        "burst_gap_s": 5,
        "cancel_s": 10,
        "phrase_merge_s": 15,
        "timeout_button_s": 30,
        "timeout_voice_s": 60,
        "window_before_s": 30,
        "window_after_s": 3,
        "window_silent_s": 30,
        "window_post_s": 5,
        "face_px_min": 80,
        "face_yaw_max": 30,
        "smile_on": 0.60,
        "smile_off": 0.40,
        "valid_min_s": 2.0,
        "positive_run_s": 1.0,
        "lateness_s": 120,
        "retention_raw_days": 90,
        "retention_emotion_days": 30,
        "retention_hourly_months": 24,
    }


@pytest.mark.parametrize(
    "table",
    [
        'influx = "http://u:geheim@h"',
        '[influx]\nurl = "u:geheim@h"',
        '[influx]\nurl = ["geheim"]',
        '[broker]\nport = "geheim"',
        "[broker]\npassword_file = 7531",
        '[influx]\nurl = "http://h"\ntoken_file = 7531',
        '[cameras.c]\nsource = "rtsp://u:geheim@h"\nfps = "geheim"',
    ],
)
def test_a_wrong_value_that_may_be_a_secret_is_not_shown(table: str, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(BASE + table)
    with pytest.raises(SiteError) as refusal:
        load_site(tmp_path / "site.toml")
    assert "geheim" not in str(refusal.value)
    assert "7531" not in str(refusal.value)


def test_a_wrong_value_is_shown_shortened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(BASE + f'[points.p]\ntechnology = "{"x" * 5000}"', tmp_path, capsys)
    assert "(it is 'xxx" in message
    assert len(message) < 120


def test_a_name_that_no_topic_can_carry_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "cannot be printed" in refused('site = "s\\t1"\nzone = "UTC"', tmp_path, capsys)
