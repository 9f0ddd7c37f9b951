"""kb.text.word_cache"""

from __future__ import annotations

from kb.text.word_cache import MAX_CACHED_LETTERS, cache_short_words


def test_short_words_are_worked_out_once_and_long_ones_every_time() -> None:
    asked: list[str] = []

    @cache_short_words(2)
    def double(word: str) -> str:
        asked.append(word)
        return word * 2

    short, long = "a" * MAX_CACHED_LETTERS, "a" * (MAX_CACHED_LETTERS + 1)
    for _ in range(3):
        assert double(short) == short * 2
        assert double(long) == long * 2
    assert asked == [short, long, long, long]


def test_the_words_last_asked_for_are_remembered() -> None:
    asked: list[str] = []

    @cache_short_words(2)
    def noted(word: str) -> str:
        asked.append(word)
        return word

    for word in ("a", "b", "c", "b", "a"):
        assert noted(word) == word
    assert asked == ["a", "b", "c", "a"]
