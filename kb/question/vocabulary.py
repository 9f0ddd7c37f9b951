"""The names in a question that the library knows under other names as well.

Names are compared as ordered stems with the small words kept (`kb.text.analysis.stems`), so that "throwing up" is found
and "throw" is not. Nobody looked over the names that articles bring, so theirs of a single word are compared as
written (`as_written`): an acronym "GO" or "ARM" is not in "going" or "my arm", nor "periods" in "periodic".
Memory-mapped arrays in the folder `vocabulary/`, K names that can be found, N names to put for
them, V pairs of the two:

    keys.npy      uint64 (K,)      `key` of the name's stems, or of the one word as written, ascending
    starts.npy    uint32 (K + 1,)  name k has the variants starts[k] to starts[k + 1]
    variants.npy  uint32 (V,)      rows of the names to put for it
    ends.npy      uint32 (N + 1,)  where each name begins and ends in `terms`
    terms.npy     uint8 (B,)       UTF-8: the terms (`kb.text.analysis.terms`) of the names, parted by spaces

Two different names have the same 64-bit key with a chance of some 1e-11 in a library of 20,000, so no name is kept to
compare with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from kb.compute.arrays import mapped
from kb.question.tokenised import TokenisedText
from kb.text.analysis import terms
from kb.text.hashing import word_hash
from kb.text.words import fold

FOLDER = "vocabulary"

MAX_WORDS = 8
"""Maximum number of words of a name that is looked for."""

_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, so that multiplying loses nothing

# What may stand between two words of one name: not a comma, and not the end of a sentence.
_JOINS = re.compile(r"[\s\-‐‑–/_]+|\.")


@dataclass(frozen=True, slots=True)
class Concept:
    """A name in a question: `text[start:end]`, code points, and the terms of it and of its other names.

    `terms` are those that `kb.text.analysis.terms` makes of the span itself; of an acronym that is a small word in
    small letters ("WHO"), that acronym, which no passage has as a term. `variants` are never empty nor the same as
    `terms`, each once, in the order of the vocabulary.
    """

    start: int
    end: int
    terms: tuple[str, ...]
    variants: tuple[tuple[str, ...], ...]


class Vocabulary:
    """The names of one generation. Read-only and safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        """Map the arrays in `folder`. Raises OSError or ValueError for damaged ones."""

        self._keys = mapped(folder, "keys")
        self._starts = mapped(folder, "starts")
        self._variants = mapped(folder, "variants")
        self._ends = mapped(folder, "ends")
        self._terms = mapped(folder, "terms")

    def __len__(self) -> int:
        """Number of names that can be found."""
        return len(self._keys)

    def concepts(self, question: TokenisedText) -> tuple[Concept, ...]:
        """The names in a question, in its order: the longest first claim their words, and none overlap.

        Costs some 0.1 ms for an ordinary question, whatever the size of the vocabulary.
        """
        text, found = question.text, question.words
        shouted = text.isupper() and len(found) > 1
        if not found or not len(self._keys):
            return ()
        concepts = []
        taken: set[int] = set()
        for first, count, row in self._matches(question):
            span = range(first, first + count)
            if not taken.isdisjoint(span):
                continue
            start, end = found[first].start, found[span[-1]].end
            own = tuple(terms(text[start:end]))
            if not own and not shouted and is_acronym(text[start:end]):
                own = (text[start:end],)
            variants = tuple(variant for variant in self._variants_of(row) if variant != own)
            if own and variants:
                taken.update(span)
                concepts.append(Concept(start, end, own, variants))
        return tuple(sorted(concepts, key=lambda concept: concept.start))

    def _matches(self, question: TokenisedText) -> list[tuple[int, int, int]]:
        """All names, overlapping ones too, as (first word, words, row), the longest first, then as they stand."""
        text, found = question.text, question.words
        hashes = [word_hash(stem) for stem in question.stems]
        phrase_ends = {
            place
            for place, (left, right) in enumerate(pairwise(found), start=1)
            if not _JOINS.fullmatch(text, left.end, right.start)
        } | {len(found)}
        wanted, places = [], []
        for first in range(len(found)):
            value = 0
            for after in range(first + 1, first + MAX_WORDS + 1):
                value = _extend(value, hashes[after - 1])
                wanted.append(value)
                places.append((first, after - first))
                if after in phrase_ends:
                    break
        for place, word in enumerate(found):
            for form in as_written(text[word.start : word.end]):
                wanted.append(key([form]))
                places.append((place, 1))
        keys = np.array(wanted, dtype=np.uint64)
        rows = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        hits = np.flatnonzero(self._keys[rows] == keys).tolist()
        matches = [(*places[hit], int(rows[hit])) for hit in hits]
        return sorted(matches, key=lambda match: (-match[1], match[0]))

    def _variants_of(self, row: int) -> list[tuple[str, ...]]:
        names = self._variants[self._starts[row] : self._starts[row + 1]]
        return [
            tuple(
                self._terms[self._ends[name] : self._ends[name + 1]].tobytes().decode().split(" ")
            )
            for name in names.tolist()
        ]


def acronyms(concepts: Sequence[Concept]) -> tuple[str, ...]:
    """The terms of those that are small words in small letters, which a question has besides its others."""
    return tuple(term for each in concepts for term in each.terms if is_acronym(term))


def is_acronym(word: str) -> bool:
    """Whether a word has two capitals, and no space."""
    return sum(map(str.isupper, word)) > 1 and " " not in word


def as_written(word: str) -> tuple[str, ...]:
    """The forms of a word that can be the key of a name that is compared as written, the strictest first.

    A word with two capitals may be an acronym, which is that word alone; any word is itself in small letters,
    singular or plural. No form is a stem.
    """
    lower = fold(word)
    if lower.endswith("s") and not lower.endswith(("ss", "us", "is")):
        lower = lower[:-1]
    small = f"={lower}"
    return (f"={word}", small) if is_acronym(word) else (small,)


def key(stems: Sequence[str]) -> int:
    """The 64-bit key of a name's stems: a polynomial of their hashes, the same on every machine."""
    value = 0
    for stem in stems:
        value = _extend(value, word_hash(stem))
    return value


def _extend(value: int, hashed: int) -> int:
    """The key of a name that has one more word."""
    return (value * _MULTIPLIER + hashed) & 0xFFFFFFFFFFFFFFFF
