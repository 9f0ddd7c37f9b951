"""Given nothing, the common words of English, so that none of them is taken for a misspelling of another.

The list is symspellpy's: Google Books' words as far as SCOWL, a collection for spelling checkers, has them too.
"""

from __future__ import annotations

from importlib.resources import files

_LIST = "frequency_dictionary_en_82_765.txt"


def english_words() -> list[str]:
    """Some 83,000 words in lower case, the most frequent first."""
    lines = files("symspellpy").joinpath(_LIST).read_text(encoding="utf-8-sig").splitlines()
    return [line.split()[0] for line in lines if line]
