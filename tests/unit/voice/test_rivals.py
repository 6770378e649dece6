"""Rivals: one unopposed winner counts, a tie is nothing, nobody waits long. Properties over any scores."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway.voice.phrases import Phrase
from gateway.voice.rivals import (
    EARLY_FRAMES,
    LONGEST_FRAMES,
    WIDE_FRAMES,
    WINDOW_FRAMES,
    Heard,
    Nobody,
    Winner,
    decide,
)
from gateway.voice.spotter import Spotter

RATINGS = {"super": "top", "great": "top", "normal": "middle", "better": "low"}
PHRASES = {name: Phrase(name, name, "rating", rating, Path(), 0.5, 0.0) for name, rating in RATINGS.items()}
OTHERS = {name: Phrase(name, name, "offer", "", Path(), 0.5, 0.0) for name in ("offer", "price")}
Track = list[float]

scores = st.floats(0, 1)
tracks = st.dictionaries(st.sampled_from(sorted(RATINGS)), st.lists(scores, min_size=10, max_size=10))


def frames(tracks: dict[str, Track], count: int | None = None) -> list[Heard]:
    """The first `count` frames of tracks of equal length."""
    length = max((len(track) for track in tracks.values()), default=0)
    rows = [{name: track[n] for name, track in tracks.items() if n < len(track)} for n in range(length)]
    return [Heard((n + 1) * 0.08, row) for n, row in enumerate(rows)][:count]


def said(tracks: dict[str, Track], phrases: dict[str, Phrase] = PHRASES) -> tuple[int, Winner | Nobody]:
    """After how many frames it is decided, and how."""
    return next(
        (n, verdict)
        for n in range(1, LONGEST_FRAMES + 1)
        for verdict in [decide(frames(tracks, n), phrases)]
        if verdict is not None
    )


def winner(tracks: dict[str, Track], phrases: dict[str, Phrase] = PHRASES) -> str | None:
    verdict = said(tracks, phrases)[1]
    return verdict.phrase.id if isinstance(verdict, Winner) else None


HIGH, LOW, NONE = [0.95] * 6 + [0.0] * 4, [0.6] * 6 + [0.0] * 4, [0.0] * 10


def test_an_unopposed_answer_is_decided_at_its_third_frame_if_its_score_rose_before_else_at_the_fourth() -> (
    None
):
    rising = [Heard(0.0, {"super": 0.45})]
    verdicts = [decide(frames({"super": HIGH}, n), PHRASES, rising) for n in range(1, EARLY_FRAMES + 1)]
    assert [isinstance(one, Winner) for one in verdicts] == [False, False, True]
    assert said({"super": HIGH})[0] == WIDE_FRAMES
    assert said({"super": HIGH, "normal": NONE, "better": [0.49] * 10})[0] == WIDE_FRAMES
    assert said({"super": HIGH, "better": [0.5] * 10})[0] > WIDE_FRAMES


def test_a_short_peak_is_no_answer_but_may_be_an_ask() -> None:
    peak = {"super": [0.9, 0.9, 0.9, 0.3, *NONE[4:]]}
    assert winner(peak) is None
    assert winner({"super": [0.9, 0.9, 0.9, 0.41, *NONE[4:]]}) == "super"
    assert winner(peak, {"super": replace(PHRASES["super"], role="ask", rating="")}) == "super"


def test_two_answers_that_contradict_each_other_are_a_tie_and_count_as_nothing() -> None:
    assert said({"super": HIGH, "better": HIGH})[1] == Nobody(tied=True)
    assert said({"super": HIGH, "better": [0.0, 0.0, *HIGH[:6], 0.0, 0.0]})[1] == Nobody(tied=True)


def test_a_clear_answer_counts_beside_a_weak_rival_after_400_ms() -> None:
    assert said({"super": HIGH, "better": LOW})[0] == WINDOW_FRAMES
    assert winner({"super": HIGH, "better": LOW}) == "super"
    assert winner({"super": LOW, "better": HIGH}) == "better"


def test_two_phrases_for_the_same_rating_never_tie() -> None:
    assert said({"super": HIGH, "great": HIGH})[0] == WIDE_FRAMES
    assert winner({"super": LOW, "great": HIGH}) == "great"


def test_other_phrases_do_not_contradict_each_other_the_clearest_wins() -> None:
    assert winner({"offer": HIGH, "price": LOW}, OTHERS) == "offer"
    assert winner({"offer": HIGH, "price": HIGH[::-1]}, OTHERS) in OTHERS


def test_one_frame_is_no_phrase_and_a_rivals_one_frame_takes_nothing_from_a_clear_one() -> None:
    assert said({"super": [0.99, *NONE[1:]]})[1] == Nobody(tied=False)
    assert winner({"super": HIGH, "better": [0.99, *NONE[1:]]}) == "super"


@given(tracks)
def test_nothing_waits_longer_than_800_ms_and_nothing_under_its_threshold_wins(
    tracks: dict[str, Track],
) -> None:
    count, verdict = said(tracks | {"super": [*tracks.get("super", NONE)]})
    assert count <= LONGEST_FRAMES
    if isinstance(verdict, Winner):
        over = [score for score in tracks[verdict.phrase.id][:count] if score >= 0.5]
        assert len(over) >= 2
        assert verdict.score == max(over)


@given(tracks, st.randoms())
def test_the_order_of_the_heads_decides_nothing(tracks: dict[str, Track], random: object) -> None:
    names = sorted(PHRASES)
    random.shuffle(names)  # type: ignore[attr-defined]
    shuffled = {name: PHRASES[name] for name in names}
    assert said({"super": NONE} | tracks, shuffled) == said({"super": NONE} | tracks)


@given(tracks)
def test_the_mirror_image_of_an_answer_always_ties_with_it(tracks: dict[str, Track]) -> None:
    """Whatever top scores, low scores too: then neither is ever counted."""
    top = {name: track for name, track in tracks.items() if name == "super"}
    assert winner(top | {"better": top.get("super", NONE)} | {"normal": NONE}) is None


@given(
    st.integers(0, 5),
    st.lists(st.floats(0.5, 1), max_size=8),
    st.lists(scores, min_size=16, max_size=16),
)
def test_a_louder_contradiction_never_helps_an_answer_that_is_said_without_a_pause(
    start: int, plateau: Track, better: Track
) -> None:
    alone = {"super": ([0.0] * start + plateau + [0.0] * 16)[:16]}
    assert heard(alone | {"better": better}).count("super") <= heard(alone).count("super")


def heard(tracks: dict[str, Track]) -> list[str]:
    """The answers that a stream of scores gives."""
    spotter = Spotter(list(PHRASES.values()))
    found = [spotter.push(frame.now_s, frame.scores) for frame in frames(tracks)]
    return [event.id for event in [*found, spotter.flush(), spotter.more()] if event]


@given(st.lists(scores, min_size=10, max_size=10), st.floats(0.3, 0.9))
def test_each_head_is_judged_by_its_own_threshold(track: Track, threshold: float) -> None:
    strict = {"super": replace(PHRASES["super"], threshold=threshold)}
    _, verdict = said({"super": track}, strict)
    assert not isinstance(verdict, Winner) or verdict.score >= threshold


@given(tracks, st.floats(0, 1000))
def test_the_time_moves_with_the_sound(tracks: dict[str, Track], shift_s: float) -> None:
    verdict = decide(frames({"super": NONE} | tracks), PHRASES)
    later = [Heard(one.now_s + shift_s, one.scores) for one in frames({"super": NONE} | tracks)]
    moved = decide(later, PHRASES)
    if isinstance(verdict, Winner) and isinstance(moved, Winner):
        assert abs(moved.middle_s - verdict.middle_s - shift_s) < 1e-6
    else:
        assert verdict == moved
