"""A cache for functions of a word that keeps results for short words only."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")

MAX_CACHED_LETTERS = 64
"""Maximum length of a cached word; longer ones hardly come again, and some thousands would fill the memory."""


def cache_short_words(count: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """A decorator that caches the results for the last `count` words of at most `MAX_CACHED_LETTERS` letters."""

    def decorate(function: Callable[[str], T]) -> Callable[[str], T]:
        looked_up = lru_cache(maxsize=count)(function)

        @wraps(function)
        def look_up(word: str) -> T:
            return looked_up(word) if len(word) <= MAX_CACHED_LETTERS else function(word)

        return look_up

    return decorate
