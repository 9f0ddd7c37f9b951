"""Common English words, none of which is taken for a misspelling of another.

The list is symspellpy's: Google Books' words as far as SCOWL, a collection for spelling checkers, has them too.
Another list is another `kb.storage.manifest.PIPELINE_VERSION`: a build takes over what an older one made of it.
"""

from __future__ import annotations

from importlib.resources import files

_LIST = "frequency_dictionary_en_82_765.txt"


def english_words() -> list[str]:
    """Some 83,000 words in lower case, the most frequent first."""
    text = files("symspellpy").joinpath(_LIST).read_text(encoding="utf-8-sig")
    return text.split()[::2]  # each line is a word and how often it was met
