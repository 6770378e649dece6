"""What reaches into a stretch from before it is known to the live end too: prompts and sign-ons (spec 3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway import stream
from gateway.config import parse_site
from gateway.journal import Journal
from gateway.recorder import Recorder
from tests.unit.test_live_equals_replay import SITE, START, HandClock, arrivals

FAR_MS = 1_000_000  # after this nothing that happened before has an effect
CLICK, LONG = ("fob", "click", {"pattern": "single"}), ("fob", "click", {"pattern": "long"})
PROMPT: tuple[str, str, dict[str, Any]] = ("fob", "prompt", {})
QUIET = ("mic", "phrase", {"id": "unknown", "score": 1})


class LiveShop:
    """A hub that takes one event at a time and tidies up whenever it may."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.clock = Journal(folder / "journal.db", durable=False), HandClock()
        self.journal.open()
        self.log: list[Any] = []
        self.restart()

    def restart(self) -> None:
        self.recorder = Recorder(self.journal, parse_site(SITE), self.clock)
        self.recorder.resume()

    def happen(self, t: int, what: tuple[str, str, dict[str, Any]]) -> None:
        """Something, at that many ms after the start, while the hub runs."""
        self.log.append((t - sum(step for step, _, _ in self.log), what, 0))
        self.clock.now = START + t
        self.journal.append(arrivals(self.log)[-1:])
        while self.recorder.step():
            pass

    def later(self) -> list[tuple[str, str | None]]:
        """(asked_by, staff) of every contact when all is over."""
        self.clock.now += FAR_MS
        self.recorder.step()
        return [
            (record.tags["asked_by"], record.tags.get("staff")) for record in self.journal.records("contact")
        ]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveShop]:
    monkeypatch.setattr(stream, "TIDY_LEAST", 0)
    shop = LiveShop(tmp_path)
    yield shop
    shop.journal.close()


@pytest.mark.parametrize(("after_ms", "asked_by"), [(60_000, "prompt"), (60_001, "keyfob")])
def test_a_restart_between_click_and_time_out_forgets_no_prompt(
    shop: LiveShop, after_ms: int, asked_by: str
) -> None:
    shop.happen(0, PROMPT)
    shop.happen(after_ms, CLICK)
    shop.restart()
    assert shop.later() == [(asked_by, None)]


@pytest.mark.parametrize(("prompt_ms", "second"), [(100, "keyfob"), (10_000, "prompt"), (10_001, "prompt")])
def test_what_is_let_go_of_leaves_each_prompt_to_its_own_click(
    shop: LiveShop, prompt_ms: int, second: str
) -> None:
    shop.happen(prompt_ms if prompt_ms < 10_000 else 0, PROMPT)
    if prompt_ms < 10_000:
        shop.happen(10_000, CLICK)
    else:
        shop.happen(10_000, CLICK)
        shop.happen(prompt_ms, PROMPT)
    shop.happen(10_000 + 20_000, CLICK)
    for n in range(1, 4):
        shop.happen(n * FAR_MS, QUIET)
    assert shop.later() == [("prompt", None), (second, None)]


def test_a_sign_on_holds_over_quiets_tidying_and_restarts(shop: LiveShop) -> None:
    shop.happen(0, LONG)
    shop.happen(20_000, CLICK)
    for n in range(1, 4):
        shop.happen(n * FAR_MS, QUIET)
    shop.happen(3 * FAR_MS + 20_000, CLICK)
    shop.later()
    shop.restart()
    shop.happen(6 * FAR_MS, CLICK)
    assert shop.later() == [("keyfob", "anna")] * 3


def test_a_late_sign_on_corrects_who_served(shop: LiveShop) -> None:
    shop.happen(20_000, CLICK)
    assert shop.later() == [("keyfob", None)]
    late = arrivals([(0, LONG, 0)])[0]
    shop.journal.append([replace(late, seq=99, received=START + 600_000, age=600_000)])
    while shop.recorder.step():
        pass
    assert shop.later() == [("keyfob", "anna")]
