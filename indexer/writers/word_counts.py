"""Counts of words and of word pairs in articles, which can be added and subtracted.

A generation keeps the counts of its library in the folder `counts/`, so that a build which changes few articles takes
off those that go, adds those that come, and reads no other text. N words in the order of their UTF-8, P and Q pairs:

    letters.npy            uint8           UTF-8 of the words, one after another
    ends.npy               int64 (N,)      where each of them ends
    texts.npy              int64 (N,)      how often it stands in the texts of sections
    names.npy              int64 (N,)      how often in titles, aliases and headings
    hashes.npy             uint64 (N,)     kb.text.hashing.word_hash
    stems.npy              uint64 (N,)     the hash of its term, 0 for a stop word
    text_pairs.npy         uint64 (P,)     kb.question.spelling.pair_hashes of two words in a row, sorted
    text_pair_counts.npy   int64 (P,)
    name_pairs.npy         uint64 (Q,)     the same in names; with `name_pair_counts.npy`
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.question.spelling import pair_hashes
from kb.schema.article import Article
from kb.text.analysis import term_of
from kb.text.hashing import word_hash
from kb.text.words import SPELT_WORD, fold

FOLDER = "counts"

MIN_LEFT_LETTERS = 3
"""Two words in a row count as a pair where the left one has so many letters,"""
MIN_TEXT_RIGHT_LETTERS, MIN_NAME_RIGHT_LETTERS = 3, 1
"""and the right one so many, in a text or in a name."""


class Word(NamedTuple):
    """How often a word stands in texts and in names, its hash, and that of its term, 0 for a stop word."""

    texts: int
    names: int
    hash: int
    stem: int


@dataclass(frozen=True, slots=True)
class PairCounts:
    """`keys`, uint64 (P,), sorted, each once, and `counts`, int64 (P,), at least 1."""

    keys: NDArray[np.uint64]
    counts: NDArray[np.int64]

    def plus(self, other: PairCounts, sign: int = 1) -> PairCounts:
        """The counts of both, or with -1 those that are left."""
        places = np.searchsorted(self.keys, other.keys)
        inside = np.minimum(places, max(len(self.keys) - 1, 0))
        known = (
            self.keys[inside] == other.keys
            if len(self.keys)
            else np.zeros(len(other.keys), dtype=np.bool_)
        )
        counts = self.counts.copy()
        counts[places[known]] += sign * other.counts[known]
        keys = np.insert(self.keys, places[~known], other.keys[~known])
        counts = np.insert(counts, places[~known], sign * other.counts[~known])
        return PairCounts(keys[counts > 0], counts[counts > 0])


@dataclass(frozen=True, slots=True)
class WordCounts:
    """The words of some articles, folded as `kb.question.spelling` does, and the pairs of texts and of names."""

    words: Mapping[str, Word]
    text_pairs: PairCounts
    name_pairs: PairCounts

    def plus(self, other: WordCounts, sign: int = 1) -> WordCounts:
        """The counts of both, or with -1 those that are left."""
        words = dict(self.words)
        for name, word in other.words.items():
            before = words.get(name)
            texts = (before.texts if before else 0) + sign * word.texts
            names = (before.names if before else 0) + sign * word.names
            if texts or names:
                words[name] = Word(texts, names, word.hash, word.stem)
            else:
                del words[name]
        return WordCounts(
            words,
            self.text_pairs.plus(other.text_pairs, sign),
            self.name_pairs.plus(other.name_pairs, sign),
        )

    def save(self, folder: Path) -> None:
        """Write the arrays: the same bytes for the same counts. The folder is made."""
        folder.mkdir()
        rows = sorted((name.encode(), word) for name, word in self.words.items())
        table = np.array([word for _, word in rows], dtype=np.uint64).reshape(-1, 4)
        arrays = {
            "letters": np.frombuffer(b"".join(name for name, _ in rows), dtype=np.uint8),
            "ends": np.cumsum([len(name) for name, _ in rows], dtype=np.int64),
            "texts": table[:, 0].astype(np.int64),
            "names": table[:, 1].astype(np.int64),
            "hashes": table[:, 2],
            "stems": table[:, 3],
            "text_pairs": self.text_pairs.keys,
            "text_pair_counts": self.text_pairs.counts,
            "name_pairs": self.name_pairs.keys,
            "name_pair_counts": self.name_pairs.counts,
        }
        for file, values in arrays.items():
            np.save(folder / f"{file}.npy", np.ascontiguousarray(values), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> WordCounts:
        """Read what `save` wrote."""
        texts, names, hashes, stems, ends = (
            np.load(folder / f"{file}.npy", allow_pickle=False).tolist()
            for file in ("texts", "names", "hashes", "stems", "ends")
        )
        letters = np.load(folder / "letters.npy", allow_pickle=False).tobytes()
        written = [letters[start:end].decode() for start, end in pairwise((0, *ends))]
        text_pairs, name_pairs = (
            PairCounts(
                np.load(folder / f"{kind}_pairs.npy", allow_pickle=False),
                np.load(folder / f"{kind}_pair_counts.npy", allow_pickle=False),
            )
            for kind in ("text", "name")
        )
        words = dict(zip(written, map(Word, texts, names, hashes, stems), strict=True))
        return cls(words, text_pairs, name_pairs)


def count_words(articles: Iterable[Article]) -> WordCounts:
    """The counts of some articles. Costs one reading of all their text."""
    texts, names = _Running(), _Running()
    for article in articles:
        for name in (article.display_title, *article.aliases):
            names.add(name)
        for section in article.sections:
            names.add(section.heading)
            texts.add(section.text)
    in_texts, in_names = texts.counts(), names.counts()
    facts = {name: _facts(name) for name in in_texts.keys() | in_names.keys()}
    words = {
        name: Word(in_texts.get(name, 0), in_names.get(name, 0), *facts[name]) for name in facts
    }
    return WordCounts(
        words,
        texts.pairs(facts, MIN_TEXT_RIGHT_LETTERS),
        names.pairs(facts, MIN_NAME_RIGHT_LETTERS),
    )


def _facts(name: str) -> tuple[int, int]:
    term = term_of(name)
    return word_hash(name), word_hash(term) if term else 0


class _Running:
    """All words of some texts in a row, as numbers; 0 stands between two texts."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {"": 0}
        self._row = array("i", [0])

    def add(self, text: str) -> None:
        numbers = self._numbers
        self._row.extend(
            [numbers.setdefault(word, len(numbers)) for word in SPELT_WORD.findall(text.lower())]
        )
        self._row.append(0)

    def counts(self) -> dict[str, int]:
        """How often each word stands there, by how it is looked up."""
        folded: dict[str, int] = {}
        counts = np.bincount(np.frombuffer(self._row, np.int32), minlength=len(self._numbers))
        for word, count in zip(self._numbers, counts.tolist(), strict=True):
            name = fold(word)
            if name:
                folded[name] = folded.get(name, 0) + count
        return folded

    def pairs(self, facts: Mapping[str, tuple[int, int]], right_letters: int) -> PairCounts:
        """How often two words follow each other that are no stop words and long enough."""
        names = [fold(word) for word in self._numbers]
        hashes = np.array([facts[name][0] if name else 0 for name in names], dtype=np.uint64)
        counted = np.array([bool(name and facts[name][1]) for name in names], dtype=np.bool_)
        letters = np.array([len(name) for name in names], dtype=np.int64)
        may_be_left = counted & (letters >= MIN_LEFT_LETTERS)
        may_be_right = counted & (letters >= right_letters)
        row = np.frombuffer(self._row, np.int32)
        first = np.flatnonzero(may_be_left[row[:-1]] & may_be_right[row[1:]])
        keys = np.sort(pair_hashes(hashes[row[first]], hashes[row[first + 1]]))
        new = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))[: len(keys)])
        return PairCounts(keys[new], np.diff(np.append(new, len(keys))).astype(np.int64))
