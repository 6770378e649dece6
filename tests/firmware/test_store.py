"""Identity, totals and configuration on flash."""

import json
from pathlib import Path
from typing import Any

import pytest
import store.identity
from store import totals
from store.config import ConfigError, load
from store.files import make_folder
from store.identity import next_boot


def test_each_start_gets_the_next_number(tmp_path: Path) -> None:
    assert [next_boot(str(tmp_path), 1) for _ in range(5)] == [1, 2, 3, 4, 5]


def test_an_erased_device_starts_where_the_technicians_tool_says(tmp_path: Path) -> None:
    assert [next_boot(str(tmp_path), 5_000) for _ in range(2)] == [5_000, 5_001]


def test_a_number_that_the_outbox_has_seen_is_not_used_again(tmp_path: Path) -> None:
    next_boot(str(tmp_path), 1)
    assert next_boot(str(tmp_path), 40) == 40


class TornError(Exception):
    """The power goes while the counter is written."""


class Torn:
    """A file that keeps only the first bytes of a write."""

    def __init__(self, path: str, keep: int) -> None:
        self._path, self._keep = path, keep

    def __enter__(self) -> "Torn":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def write(self, text: str) -> None:
        """Keep a part of it, then go off."""
        Path(self._path).write_text(text[: self._keep])
        raise TornError


def test_a_boot_number_torn_at_any_byte_is_never_used_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = [next_boot(str(tmp_path), 1)]
    for keep in range(12):
        with monkeypatch.context() as patch:
            patch.setattr(store.identity, "open", lambda path, _, keep=keep: Torn(path, keep), raising=False)
            with pytest.raises(TornError):
                next_boot(str(tmp_path), 1)
        used.append(next_boot(str(tmp_path), 1))
    assert used == sorted(set(used))


def test_a_flash_that_cannot_keep_the_number_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="boot"):
        next_boot(str(tmp_path / "missing"), 1)


@pytest.mark.parametrize("text", [None, "", "[", "7", '{"a": 1}'])
def test_unreadable_totals_start_at_zero(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "totals").write_text(text)
    assert totals.load(str(tmp_path), 3) == [0, 0, 0]


def test_totals_survive_and_follow_the_number_of_keys(tmp_path: Path) -> None:
    totals.save(str(tmp_path), [3, 4, 5])
    assert totals.load(str(tmp_path), 3) == [3, 4, 5]
    assert totals.load(str(tmp_path), 2) == [3, 4]
    assert totals.load(str(tmp_path), 5) == [3, 4, 5, 0, 0]


def test_makes_a_folder_with_its_parents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_folder("data/outbox")
    make_folder(str(tmp_path / "x" / "y"))
    assert (tmp_path / "data" / "outbox").is_dir()
    assert (tmp_path / "x" / "y").is_dir()


GOOD: dict[str, Any] = {
    "site": "shop-1",
    "device": "term-1",
    "kind": "terminal",
    "keys": 3,
    "broker": {"host": "10.0.0.2"},
}


def written(tmp_path: Path, config: Any) -> str:
    path = tmp_path / "config.json"
    path.write_text(config if isinstance(config, str) else json.dumps(config))
    return str(path)


def test_a_short_configuration_gets_every_default(tmp_path: Path) -> None:
    config = load(written(tmp_path, GOOD))
    assert config["pins"] == {"keys": [25, 26, 27], "led": 23}
    assert config["broker"]["port"] == 1883
    assert config["health_s"] == 60
    assert GOOD["broker"] == {"host": "10.0.0.2"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"site": "a/b"}, "site"),
        ({"device": "#"}, "device"),
        ({"device": ""}, "device"),
        ({"kind": "camera"}, "kind"),
        ({"keys": 6}, "keys must be 2 to 5"),
        ({"keys": True}, "keys"),
        ({"pins": {"keys": [1, 2, 2]}}, "pins"),
        ({"pins": {"keys": [1, 2]}}, "pins"),
        ({"pins": {"keys": 7}}, "pins.keys"),
        ({"pins": {"led": 25}}, "pins"),
        ({"broker": {}}, "broker.host"),
        ({"broker": {"host": "x", "port": 70000}}, "broker.port"),
        ({"broker": "x"}, "broker must be an object"),
        ({"broker": {"host": "x", "hots": "y"}}, "broker.hots must be left out: allowed are"),
        ({"broker": {"host": "x", "password": 7}}, "broker.password must be a text"),
        ({"broker": {"host": "x", "user": ["y"]}}, "broker.user must be a text"),
        ({"broker": {"host": "x", "keepalive_s": "20"}}, "broker.keepalive_s must be a whole number"),
        ({"broker": {"host": "x", "tls": True}}, "broker.tls must be such as"),
        ({"broker": {"host": "x", "tls": {"ac": "ca.der"}}}, "broker.tls must be such as"),
        ({"wifi": "MyNet"}, "wifi must be an object"),
        ({"wifi": {"sid": "MyNet"}}, "wifi.sid must be left out: allowed are"),
        ({"wifi": {"ssid": "MyNet", "password": 12345678}}, "wifi.password must be a text"),
        ({"kyes": 5}, "kyes must be left out: allowed are"),
        ({"health_s": 0}, "health_s"),
        ({"first_boot": 1.5}, "first_boot"),
    ],
)
def test_a_wrong_configuration_names_file_key_and_what_is_allowed(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=f"config.json: {told}"):
        load(written(tmp_path, {**GOOD, **change}))


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_a_file_that_is_no_configuration_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        load(written(tmp_path, text))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="missing"):
        load(str(tmp_path / "config.json"))


def test_passwords_are_in_no_message(tmp_path: Path) -> None:
    for broker in ({"host": 7, "password": "hunter2"}, {"host": "x", "password": ["hunter2"]}):
        secret = {**GOOD, "broker": broker, "wifi": {"password": ["hunter2"]}}
        with pytest.raises(ConfigError) as error:
            load(written(tmp_path, secret))
        assert "hunter2" not in str(error.value)
