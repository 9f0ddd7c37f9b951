"""Given a function of a word, the same with what it returned for short words remembered."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")

MAX_REMEMBERED = 64
"""Longer words are not remembered: they hardly come again, and some thousands would fill the memory."""


def cache_short_words(count: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """A decorator: the last `count` words of at most `MAX_REMEMBERED` letters are looked up, not worked out again."""

    def decorate(function: Callable[[str], T]) -> Callable[[str], T]:
        looked_up = lru_cache(maxsize=count)(function)

        @wraps(function)
        def look_up(word: str) -> T:
            return looked_up(word) if len(word) <= MAX_REMEMBERED else function(word)

        return look_up

    return decorate
