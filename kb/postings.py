"""Given a question's terms, the BM25F score of every passage.

Memory-mapped arrays in the folder `postings/`, T terms, P postings, N passages:

    terms.npy        bytes (T,)        UTF-8, sorted
    starts.npy       int64 (T + 1,)    term t has the postings starts[t] to starts[t + 1]
    passages.npy     int32 (P,)        ascending within a term
    frequencies.npy  uint16 (P, 4)     raw, by field, in the order of kb.bm25f.FIELDS
    lengths.npy      uint32 (N, 4)     terms of each field
    idf.npy          float32 (T,)
    impacts.npy      float32 (P,)      derived: the saturated, weighted frequency

A question reads `terms`, `starts`, `passages`, `idf` and `impacts` alone; the raw arrays are there so that the
weights can be changed without reading an article.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.bm25f import FIELDS


@dataclass(frozen=True, slots=True)
class MatchedTerm:
    """A term of the question that the index knows: its idf and its postings' range."""

    term: str
    idf: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class KeywordScores:
    """`scores` is float32 (N,): BM25F divided by `bound`, 0 to 1; all 0 where nothing matches.

    `bound` is the sum of idf over all distinct terms of the question, known or not; an unknown term counts
    as much as one that stands in a single passage, so that a question half understood cannot score 1.
    """

    scores: NDArray[np.float32]
    bound: float
    matched: tuple[MatchedTerm, ...]


def find_row(terms: NDArray[np.bytes_], term: str) -> int | None:
    """The row of a term in a sorted table of UTF-8 terms, or None. Binary search."""
    key = term.encode()
    if len(key) > terms.dtype.itemsize:  # numpy would widen the whole table to compare
        return None
    row = int(np.searchsorted(terms, np.bytes_(key)))
    return row if row < len(terms) and terms[row] == key else None


class Postings:
    """The compiled keyword index of one generation. Read-only and safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        def load(name: str) -> NDArray[Any]:
            array: NDArray[Any] = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            # A plain view: numpy's memmap class costs microseconds at every slice.
            return array.view(np.ndarray)

        self._terms = load("terms")
        self._starts = load("starts")
        self._passages = load("passages")
        self._idf = load("idf")
        self._impacts = load("impacts")
        lengths = load("lengths")
        self.passage_count = len(lengths)
        self.title_terms = float(lengths[:, FIELDS.index("title")].mean()) if len(lengths) else 0.0
        """The terms of a title, on the average of passages."""
        self.idf_of_rarest = float(np.log1p((self.passage_count - 0.5) / 1.5))
        """That of a term which stands in a single passage."""

    def find(self, term: str) -> MatchedTerm | None:
        """The term's postings, or None where no passage holds it. Binary search."""
        row = find_row(self._terms, term)
        if row is None:
            return None
        return MatchedTerm(
            term, float(self._idf[row]), int(self._starts[row]), int(self._starts[row + 1])
        )

    def score(self, terms: list[str]) -> KeywordScores:
        """Score all passages against the distinct terms of a question."""
        scores = np.zeros(self.passage_count, dtype=np.float32)
        matched = []
        bound = 0.0
        for term in dict.fromkeys(terms):
            found = self.find(term)
            if found is None:
                bound += self.idf_of_rarest
                continue
            bound += found.idf
            matched.append(found)
            rows = self._passages[found.start : found.end]
            scores[rows] += np.float32(found.idf) * self._impacts[found.start : found.end]
        if bound > 0:
            scores /= np.float32(bound)
        return KeywordScores(scores, bound, tuple(matched))

    def contributions(self, scored: KeywordScores, passage: int) -> dict[str, float]:
        """Each matched term's share of the passage's score; terms that it lacks are left out."""
        shares = {}
        for found in scored.matched:
            rows = self._passages[found.start : found.end]
            place = int(np.searchsorted(rows, passage))
            if place < len(rows) and rows[place] == passage:
                impact = float(self._impacts[found.start + place])
                shares[found.term] = found.idf * impact / scored.bound
        return shares
