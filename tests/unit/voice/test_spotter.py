"""One utterance, one event; at the right time; the clearer phrase wins."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.voice.phrases import CardError, Phrase, catalogue, choose
from gateway.voice.spotter import HOLD_FRAMES, WAIT_FRAMES, Judge, Look, Spotted, Spotter, itself


def phrase(name: str, threshold: float = 0.5, lag_s: float = 0.2) -> Phrase:
    """A phrase whose head is never run."""
    return Phrase(name, name, "rating", "top", Path(), threshold, lag_s)


class Shop:
    """Somebody goes on speaking, unless `is_quiet`; in noise, if it `is_loud`."""

    def __init__(self, is_quiet: Callable[[], bool] = lambda: False, *, is_loud: bool = False) -> None:
        self.is_quiet, self._is_loud = is_quiet, is_loud

    def is_noisy(self) -> bool:
        return self._is_loud


def play(spotter: Spotter, *tracks: tuple[str, list[float]]) -> list[Spotted]:
    """Events of scores that arrive every 80 ms from 0.08 s on."""
    out = []
    for number in range(len(tracks[0][1])):
        out.append(spotter.push((number + 1) * 0.08, {name: scores[number] for name, scores in tracks}))
    return [event for event in [*out, spotter.flush()] if event]


def test_one_utterance_gives_one_event_with_its_highest_score() -> None:
    scores = [0.0] * 3 + [0.6, 0.9, 0.95, 0.7] + [0.0] * 10
    events = play(Spotter([phrase("a")]), ("a", scores))
    assert [(event.id, event.score) for event in events] == [("a", 0.95)]


def test_the_end_is_the_beginning_of_the_plateau_and_half_its_length_less_the_lag() -> None:
    events = play(Spotter([phrase("a", lag_s=0.2)]), ("a", [0.0] * 4 + [0.8] * 6 + [0.0] * 5))
    assert events[0].end_s == pytest.approx(5 * 0.08 + 0.2 - 0.2)


def test_of_a_short_plateau_the_end_is_its_middle_less_the_lag() -> None:
    events = play(Spotter([phrase("a", lag_s=0.2)]), ("a", [0.0] * 3 + [0.42, 0.8, 0.8, 0.42] + [0.0] * 5))
    assert events[0].end_s == pytest.approx(5.5 * 0.08 - 0.2)


def test_what_led_to_the_threshold_counts_for_the_width_of_a_plateau() -> None:
    assert play(Spotter([phrase("a")]), ("a", [0.0, 0.45, 0.45, 0.6, 0.6, 0.0, 0.0, 0.0]))
    assert not play(Spotter([phrase("a")]), ("a", [0.0, 0.0, 0.45, 0.6, 0.6, 0.0, 0.0, 0.0]))


def test_a_single_frame_is_no_phrase() -> None:
    assert not play(Spotter([phrase("a")]), ("a", [0.0, 0.99, 0.0, 0.0, 0.99, 0.0, 0.0]))


def test_a_dip_of_one_frame_does_not_make_two_events() -> None:
    assert len(play(Spotter([phrase("a")]), ("a", [0.9] * 4 + [0.2] + [0.9] * 4 + [0.0] * 4))) == 1


def test_a_score_that_stays_high_is_one_event_until_it_falls() -> None:
    assert len(play(Spotter([phrase("a")]), ("a", [0.9] * 60 + [0.0] * 3))) == 1


def test_the_same_phrase_said_again_is_a_second_event() -> None:
    once = [0.9] * 4 + [0.0] * 21
    assert len(play(Spotter([phrase("a")]), ("a", once * 2))) == 2


def test_of_two_phrases_in_one_utterance_the_clearer_one_wins() -> None:
    spotter = Spotter([phrase("a"), phrase("b")])
    events = play(spotter, ("a", [0.6] * 5 + [0, 0]), ("b", [0.9, 0.95, 0.9, 0.9, 0, 0, 0]))
    assert [event.id for event in events] == ["b"]


def test_an_unopposed_phrase_waits_for_four_frames_and_an_opposed_one_800_ms_at_most() -> None:
    spotter = Spotter([phrase("a"), phrase("b")])
    heard = [spotter.push(number * 0.08, {"a": 0.9, "b": 0.0}) for number in range(12)]
    assert [number for number, event in enumerate(heard) if event] == [3]
    low = replace(phrase("b"), rating="low")
    spotter = Spotter([phrase("a"), low])
    heard = [spotter.push(number * 0.08, {"a": 0.9, "b": 0.9}) for number in range(12)]
    assert (heard, spotter.undecided) == ([None] * 12, 1)


def test_an_answer_that_nobody_asked_for_is_counted_and_not_told() -> None:
    spotter = Spotter([phrase("a")], is_open=lambda end_s: end_s > 2)
    events = play(spotter, ("a", [0.9] * 6 + [0.0] * 30 + [0.9] * 6 + [0.0] * 3))
    assert [event.end_s > 2 for event in events] == [True]
    assert spotter.unasked == 1


class Doubter:
    """Lets pass when it is asked last, or never; or after it was asked `sure_after` times."""

    def __init__(self, later: bool, sure_after: int = 99) -> None:
        self.later = later
        self.sure_after = sure_after
        self.asked: list[Look] = []

    def judge(self, phrase: str, look: Look) -> str | None:
        self.asked.append(look)
        return phrase if len(self.asked) > self.sure_after or (look is Look.LAST and self.later) else None


def first(spotter: Spotter, scores: list[float]) -> int | None:
    """After which frame the first event comes."""
    events = [spotter.push((number + 1) * 0.08, {"a": score}) for number, score in enumerate(scores)]
    return next((number for number, event in enumerate(events) if event), None)


def test_a_phrase_in_doubt_is_asked_for_last_after_480_ms_and_keeps_its_end() -> None:
    scores, doubter = [0.0] * 4 + [0.9] * 6 + [0.0] * 9, Doubter(later=True)
    sure = first(Spotter([phrase("a")]), scores)
    doubted = Spotter([phrase("a")], judge=doubter.judge)
    assert sure is not None
    assert first(doubted, scores) == sure + WAIT_FRAMES == sure + 6
    assert (doubter.asked, doubted.out_of_place) == ([Look.FIRST] * 6 + [Look.LAST], 0)
    ends = [play(Spotter([phrase("a")], judge=judge), ("a", scores)) for judge in (itself, doubter.judge)]
    assert ends[0] == ends[1]


def test_a_phrase_in_doubt_is_told_in_the_first_frame_that_is_sure() -> None:
    scores, doubter = [0.0] * 4 + [0.9] * 6 + [0.0] * 9, Doubter(later=True, sure_after=1)
    sure = first(Spotter([phrase("a")]), scores)
    doubted = Spotter([phrase("a")], judge=doubter.judge)
    assert sure is not None
    assert first(doubted, scores) == sure + 1
    assert (doubter.asked, doubted.out_of_place) == ([Look.FIRST] * 2, 0)


def test_a_phrase_out_of_place_is_counted_and_not_told() -> None:
    spotter = Spotter([phrase("a")], judge=Doubter(later=False).judge)
    assert play(spotter, ("a", [0.9] * 6 + [0.0] * 12)) == []
    assert spotter.out_of_place == 1


def test_a_phrase_in_doubt_is_decided_at_the_end_of_the_sound_and_forgotten_in_a_gap() -> None:
    spotter = Spotter([phrase("a")], judge=Doubter(later=True).judge)
    assert len(play(spotter, ("a", [0.9] * 5))) == 1
    spotter = Spotter([phrase("a")], judge=Doubter(later=True).judge)
    assert first(spotter, [0.0] * 4 + [0.9] * 4) is None
    spotter.reset()
    assert first(spotter, [0.0] * 20) is None


def test_what_was_judged_to_be_another_phrase_is_told_as_that_one() -> None:
    spotter = Spotter([phrase("a"), phrase("b")], judge=lambda _name, _look: "b")
    assert [event.id for event in play(spotter, ("a", [0.9] * 6 + [0.0] * 4))] == ["b"]


def test_answers_that_are_judged_afterwards_do_not_tie_before() -> None:
    low, track = replace(phrase("b"), rating="low"), [0.9] * 6 + [0.0] * 4
    both = [phrase("a"), low]
    assert play(Spotter(both), ("a", track), ("b", track)) == []
    assert len(play(Spotter(both, judged={"a", "b"}), ("a", track), ("b", track))) == 1
    for one in ("a", "b"):
        assert play(Spotter(both, judged={one}), ("a", track), ("b", track)) == []


def test_what_was_nothing_does_not_hide_what_is_said_right_after_it() -> None:
    twice = [0.9] * 5 + [0.0] * 4 + [0.9] * 5 + [0.0] * 9
    asked: list[int] = []

    def second(name: str, _look: Look) -> str | None:
        asked.append(1)
        return name if len(asked) > WAIT_FRAMES + 1 else None

    assert len(play(Spotter([phrase("a")], judge=second), ("a", twice))) == 1
    assert len(play(Spotter([phrase("a")]), ("a", twice))) == 1


def again(was: str | None) -> Judge:
    """Takes everything for what its head does, and for `was` when it is asked again."""
    return lambda name, look: was if look in (Look.AGAIN, Look.OVER) else name


UNSURE: dict[Look, None] = {Look.FIRST: None}
HEARD = [0.0] * 4 + [0.9] * 6 + [0.0] * 9


@pytest.mark.parametrize(("quiet_from", "frames"), [(0, 1), (3, 3), (99, HOLD_FRAMES)])
def test_praise_is_told_when_it_is_quiet_after_it_or_when_it_lasts(quiet_from: int, frames: int) -> None:
    at_once, asked = first(Spotter([phrase("a")]), HEARD), []

    def is_quiet() -> bool:
        asked.append(1)
        return len(asked) >= quiet_from

    held = Spotter([phrase("a")], judged={"a"}, around=Shop(is_quiet))
    assert at_once is not None
    assert first(held, HEARD) == at_once + frames


def test_praise_that_was_held_keeps_its_end_and_score() -> None:
    once, held = (play(Spotter([phrase("a")], judged=names), ("a", HEARD)) for names in ((), {"a"}))
    assert once == held


def test_praise_that_goes_on_into_something_else_is_not_told() -> None:
    spotter = Spotter([phrase("a")], judge=again(None), judged={"a"})
    assert play(spotter, ("a", HEARD)) == []
    assert spotter.out_of_place == 1
    low = replace(phrase("b"), rating="low")
    turned = Spotter([phrase("a"), low], judge=again("b"), judged={"a", "b"})
    assert [event.id for event in play(turned, ("a", HEARD), ("b", [0.0] * len(HEARD)))] == ["b"]


def test_praise_that_turns_late_is_not_told_while_somebody_speaks() -> None:
    looks: list[Look] = []

    def judge(name: str, look: Look) -> str | None:
        looks.append(look)
        return None if look is Look.OVER else name

    spotter = Spotter([phrase("a")], judge=judge, judged={"a"}, around=Shop())
    assert play(spotter, ("a", HEARD)) == []
    assert looks == [Look.FIRST] + [Look.AGAIN] * (HOLD_FRAMES - 1) + [Look.OVER]


def test_what_waits_is_over_as_soon_as_it_is_quiet() -> None:
    looks: list[Look] = []

    def judge(name: str, look: Look) -> str | None:
        looks.append(look)
        return name

    spotter = Spotter([phrase("a")], judge=judge, judged={"a"}, around=Shop(lambda: len(looks) > 2))
    assert len(play(spotter, ("a", HEARD))) == 1
    assert looks == [Look.FIRST, Look.AGAIN, Look.AGAIN, Look.OVER]


def test_other_answers_are_told_at_once() -> None:
    low = replace(phrase("a"), rating="low")
    held = Spotter([low], judged={"a"}, around=Shop())
    assert first(held, HEARD) == first(Spotter([low]), HEARD)


@pytest.mark.parametrize("role", ["rating", "ask"])
def test_in_noise_every_phrase_that_is_judged_waits_and_has_to_pass_again(role: str) -> None:
    other = replace(phrase("a"), role=role, rating="low" if role == "rating" else "")
    noisy = Spotter([other], judged={"a"}, around=Shop(is_loud=True))
    at_once = first(Spotter([other]), HEARD)
    assert at_once is not None
    assert first(noisy, HEARD) == at_once + HOLD_FRAMES
    gone = Spotter([other], judge=again(None), judged={"a"}, around=Shop(lambda: True, is_loud=True))
    assert play(gone, ("a", HEARD)) == []
    assert gone.out_of_place == 1


def test_what_nothing_judges_is_told_at_once_in_noise_too() -> None:
    own = Spotter([phrase("a")], around=Shop(is_loud=True))
    assert first(own, HEARD) == first(Spotter([phrase("a")]), HEARD)


FIRST_PART = [0.0] * 4 + [0.9] * 4 + [0.0] * 14
"""Spotted in frame 7, so that it waits until frame 13; what follows is spotted in frame 12."""
SECOND_PART = [0.0] * 9 + [0.9] * 5 + [0.0] * 8


def test_an_answer_that_counts_meanwhile_wins_over_praise_that_waits() -> None:
    low = replace(phrase("b"), rating="low")
    spotter = Spotter([phrase("a"), low], judged={"a", "b"}, around=Shop())
    assert [event.id for event in play(spotter, ("a", FIRST_PART), ("b", SECOND_PART))] == ["b"]
    at_once = Spotter([phrase("a"), low], judged={"b"})
    assert [event.id for event in play(at_once, ("a", FIRST_PART), ("b", SECOND_PART))] == ["a"]


def test_praise_that_is_spotted_twice_while_it_waits_is_told_once() -> None:
    both = [max(pair) for pair in zip(FIRST_PART, SECOND_PART, strict=True)]
    spotter = Spotter([phrase("a")], judged={"a"}, around=Shop())
    assert first(spotter, both) == 13
    assert len(play(Spotter([phrase("a")], judged={"a"}, around=Shop()), ("a", both))) == 1


def test_praise_that_waits_counts_though_the_ask_ends_meanwhile() -> None:
    asked: list[float] = []

    def is_open(end_s: float) -> bool:
        asked.append(end_s)
        return len(asked) == 1

    spotter = Spotter([phrase("a")], is_open, judged={"a"}, around=Shop())
    assert len(play(spotter, ("a", HEARD))) == 1


def test_praise_that_was_in_doubt_is_looked_at_again_as_well() -> None:
    doubter = Doubter(later=True, sure_after=WAIT_FRAMES + 1)
    assert first(Spotter([phrase("a")], judge=doubter.judge, judged={"a"}), HEARD) is not None
    assert doubter.asked == [Look.FIRST] * WAIT_FRAMES + [Look.LAST, Look.OVER]


def test_praise_is_decided_at_the_end_of_the_sound_and_forgotten_in_a_gap() -> None:
    end = [0.9] * 5
    for judge, told in ((itself, 1), (again(None), 0), (lambda name, look: UNSURE.get(look, name), 1)):
        spotter = Spotter([phrase("a")], judge=judge, judged={"a"}, around=Shop())
        assert len(play(spotter, ("a", end))) == told
    spotter = Spotter([phrase("a")], judged={"a"})
    assert first(spotter, [0.0] * 4 + [0.9] * 4) is None
    spotter.reset()
    assert first(spotter, [0.0] * 20) is None


def test_an_ask_and_an_answer_in_one_utterance_do_not_compete() -> None:
    ask = replace(phrase("ask"), role="ask", rating="")
    track = [0.9] * 6 + [0.0] * 4
    assert {event.id for event in play(Spotter([phrase("a"), ask]), ("a", track), ("ask", track))} == {
        "a",
        "ask",
    }


def test_each_phrase_has_its_own_threshold() -> None:
    spotter = Spotter([phrase("a", threshold=0.8), phrase("b", threshold=0.3)])
    assert [e.id for e in play(spotter, ("a", [0.7] * 4 + [0] * 3), ("b", [0.4] * 4 + [0] * 3))] == ["b"]


def test_the_shipped_heads_have_cards_with_threshold_rating_and_figures() -> None:
    known = catalogue()
    expected = {
        "rate-visit": ("ask", ""),
        "super": ("rating", "top"),
        "normal": ("rating", "middle"),
        "could-be-better": ("rating", "low"),
    }
    assert {name: (known[name].role, known[name].rating) for name in expected} == expected
    assert all(p.head.is_file() and 0 < p.threshold < 1 for p in known.values())
    assert all((p.role == "rating") == bool(p.rating) for p in known.values())


def test_phrases_without_a_head_are_told_apart() -> None:
    chosen, without = choose(["super", "offer"], catalogue())
    assert ([p.id for p in chosen], without) == (["super"], ["offer"])


@pytest.mark.parametrize(
    "text", ["not toml [", 'texts = ["x"]', 'texts = []\nrole = "ask"\n[hear]\nthreshold = 1']
)
def test_a_broken_card_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "x.toml").write_text(text)
    with pytest.raises(CardError, match=r"x\.toml: unusable"):
        catalogue(tmp_path)
