"""A hash of a word that is the same in every process."""

from __future__ import annotations

from hashlib import blake2b

from kb.text.word_cache import cache_short_words


@cache_short_words(200_000)
def word_hash(word: str) -> int:
    """A 64-bit hash, the same in every process."""
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")
