"""Given a word, a number for it that every process gives."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

MAX_REMEMBERED = 64
"""Longer words are not remembered: they hardly come again, and some thousands would fill the memory."""


def word_hash(word: str) -> int:
    """A 64-bit hash, the same in every process."""
    return _remembered(word) if len(word) <= MAX_REMEMBERED else _hash(word)


def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")


_remembered = lru_cache(maxsize=200_000)(_hash)
