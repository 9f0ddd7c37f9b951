"""Given articles, the arrays that `kb.spelling` reads: their words, how often each stands where, and how it sounds."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.english import english_words
from kb.analysis import terms
from kb.article import Article
from kb.deletes import MAX_LETTERS, deletion_table
from kb.misspelling import sound
from kb.spelling import MIN_LETTERS, fold, hashes_of, slips_allowed, sound_slips_allowed

NAME_WEIGHT = 10
"""How many times in a text once in a title, an alias or a heading counts as."""

ATTESTED = 3
"""A word that stands less often, in no name and no dictionary may be misspelt itself, and corrects no other."""

COMMON_WORDS = 20_000
"""So many of English's words may be meant instead of the library's."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


class _Running:
    """All words of a library in a row, as numbers; 0 stands between two texts."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {"": 0}
        self.words = array("i", [0])

    def add(self, text: str) -> None:
        numbers = self.numbers
        self.words.extend(
            [numbers.setdefault(word, len(numbers)) for word in _WORD.findall(text.lower())]
        )
        self.words.append(0)

    def counts(self) -> NDArray[np.int64]:
        """How often each word stands in it, by its number."""
        return np.bincount(np.frombuffer(self.words, np.int32), minlength=len(self.numbers))

    def pairs(self, at_least: int) -> Iterator[tuple[int, int]]:
        """Words that follow each other so many times or more."""
        row = np.frombuffer(self.words, np.int32).astype(np.int64)
        size = len(self.numbers)
        pairs, counts = np.unique(row[:-1] * size + row[1:], return_counts=True)
        for pair in pairs[counts >= at_least].tolist():
            yield divmod(pair, size)


def write_spelling(folder: Path, articles: Iterable[Article]) -> None:
    """Write the arrays of kb.spelling. The folder is made."""
    folder.mkdir(parents=True)
    texts, names = _Running(), _Running()
    for article in articles:
        for name in (article.display_title, *article.aliases):
            names.add(name)
        for section in article.sections:
            names.add(section.heading)
            texts.add(section.text)

    in_texts, in_names = _folded_counts(texts), _folded_counts(names)
    common = [fold(word) for word in english_words()]
    english = set(common)
    library = in_texts.keys() | in_names.keys()
    meant = {
        word: in_texts.get(word, 0) + NAME_WEIGHT * in_names.get(word, 0)
        for word in library
        if MIN_LETTERS <= len(word) <= MAX_LETTERS
        and (word in in_names or word in english or in_texts[word] >= ATTESTED)
    }
    rivals = {
        word: 0
        for word in common[:COMMON_WORDS]
        if word not in library and MIN_LETTERS <= len(word) <= MAX_LETTERS
    }
    words = sorted(meant.keys() | rivals.keys(), key=str.encode)
    slips = np.array([slips_allowed(word) if word in meant else 1 for word in words], np.int64)
    hashes, places = deletion_table(words, slips)
    sounds = [sound(word)[:MAX_LETTERS] for word in words]
    sound_hashes, sound_places = deletion_table(
        sounds, np.array([sound_slips_allowed(heard) for heard in sounds], np.int64)
    )
    stems = {stem for word in library for stem in terms(word)}
    arrays = {
        "known": np.unique(hashes_of(library | english)),
        "stems": np.unique(hashes_of(stems)),
        "words": np.array([word.encode() for word in words], dtype=np.bytes_),
        "weights": np.array(
            [np.log(meant[word]) if word in meant else -1.0 for word in words], np.float32
        ),
        "hashes": hashes,
        "places": places,
        "sounds": np.array([heard.encode() for heard in sounds], dtype=np.bytes_),
        "sound_hashes": sound_hashes,
        "sound_places": sound_places,
        "names": np.unique(hashes_of(in_names)),
        "pairs": np.unique(hashes_of({*_pairs(texts, ATTESTED, 3), *_pairs(names, 1, 1)})),
    }
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values, allow_pickle=False)


def _folded_counts(running: _Running) -> dict[str, int]:
    """How often each word stands there, as it is looked up."""
    folded: dict[str, int] = {}
    for word, count in zip(running.numbers, running.counts().tolist(), strict=True):
        key = fold(word)
        if key:
            folded[key] = folded.get(key, 0) + count
    return folded


def _pairs(running: _Running, at_least: int, right_letters: int) -> Iterator[str]:
    """Two words that follow each other, no stop words; the left of three letters or more, the right of so many."""
    words = [folded if terms(folded) else "" for folded in map(fold, running.numbers)]
    for left, right in running.pairs(at_least):
        if len(words[left]) >= 3 and len(words[right]) >= right_letters:
            yield f"{words[left]} {words[right]}"
