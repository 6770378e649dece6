"""What Whisper wrote down against an answer: praise word by word and for itself, other answers nearly so."""

from __future__ import annotations

import pytest

from gateway.voice.transcript import agrees, is_alike, is_said, words

ENGLISH = {
    "top": ["everything was super"],
    "middle": ["it was normal", "it was okay"],
    "low": ["it could have been better", "everything was not super"],
}
RUSSIAN = {"top": ["всё было супер", "всё было отлично"], "low": ["было не супер"]}
POLITE = {
    words(text) for text in ("thank you", "thanks", "yes", "goodbye", "for me", "спасибо", "до свидания")
}


@pytest.mark.parametrize(
    "heard",
    [
        "Everything was super.",
        "everything was super",
        "Thank you, everything was super!",
        "Yes, thank you. Everything was super for me. Goodbye.",
        "How was it? Everything was super.",
        "Everything was super, thank you... ",
        "Everything was super, good...",
        "Everything was super. The coffee was great.",
        "",
        " ... ",
    ],
)
def test_praise_for_itself_is_confirmed(heard: str) -> None:
    assert agrees(heard, "top", ENGLISH, POLITE)


@pytest.mark.parametrize(
    "heard",
    [
        "Everything was super, said no customer ever.",
        "Everything was super?",
        "Everything was super, wasn't it?",
        "Everything was super. Not.",
        "Everything was super? No.",
        "Everything was super. But the coffee was cold.",
        "Everything was super, no...",
        "Everything was super dirty.",
        "Everything was superb.",
        "Everything was soup.",
        "Everything was not super.",
        "I had hoped everything was super.",
        "He shouted: everything was super.",
        "Everything was",
        "Yes, thank you.",
    ],
)
def test_praise_that_is_asked_quoted_denied_or_something_else_is_vetoed(heard: str) -> None:
    assert not agrees(heard, "top", ENGLISH, POLITE)


def test_russian_praise_is_confirmed_with_or_without_its_dots() -> None:
    assert agrees("Все было супер, спасибо. До свидания!", "top", RUSSIAN, POLITE)
    assert agrees("Всё было отлично", "top", RUSSIAN, POLITE)
    assert not agrees("Некоторые говорят, всё было супер.", "top", RUSSIAN, POLITE)
    assert not agrees("Все было супер. Нет.", "top", RUSSIAN, POLITE)


@pytest.mark.parametrize(
    ("heard", "rating", "expected"),
    [
        ("It was OK.", "middle", True),
        ("It was known.", "middle", True),
        ("Well I guess it was okay but slow.", "middle", True),
        ("Everything was super.", "middle", False),
        ("The weather was bad.", "middle", False),
        ("Could have been better", "low", True),
        ("Everything was not super.", "low", True),
        ("Everything was super.", "low", False),
    ],
)
def test_other_answers_may_be_misheard_a_bit_but_not_be_another_answer(
    heard: str, rating: str, expected: bool
) -> None:
    assert agrees(heard, rating, ENGLISH, POLITE) is expected


def test_words_are_compared_whole() -> None:
    assert words("Всё — OK, isn't it?") == ("все", "okay", "isn't", "it")
    assert not is_said("everything was superb", ["everything was super"])
    assert not is_alike("", ["it was normal"])
    assert not is_said("", ["it was normal"])
