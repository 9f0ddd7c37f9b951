"""Given a question's terms, how far each article's best name (title or alias) is what the question is about.

The cosine with a name knows what words mean, but lets any name of the same kind come near: "trisomy 13" for a question
about trisomy 7. The words in common know nothing else. So a name is also scored by its terms, counted by idf: two
thirds by the share of the question that it covers, one third by the share of the name that the question covers. The
latter counts in full only where the covered terms are worth as much as one that stands in a single passage, or
a name of one ordinary word would be covered by every other question.

Memory-mapped arrays in the folder `names/`; A articles, M names (each article's title and then its aliases), T terms:

    terms.npy    bytes (T,)         UTF-8, sorted
    starts.npy   int64 (T + 1,)     term t stands in the names rows[starts[t] to starts[t + 1]]
    rows.npy     int32 (P,)
    masses.npy   float32 (M,)       the sum of the idf of a name's distinct terms
    articles.npy int64 (A + 1,)     article a has the names articles[a] to articles[a + 1]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.arrays import mapped
from kb.postings import KeywordScores, find_row

QUESTION_SHARE = 2 / 3


class NameIndex:
    """Read-only and safe to share between threads."""

    def __init__(self, folder: Path, idf_of_rarest: float) -> None:
        """`idf_of_rarest` is that of a term that stands in a single passage."""

        self._terms = mapped(folder, "terms")
        self._starts = mapped(folder, "starts")
        self._rows = mapped(folder, "rows")
        self._masses = mapped(folder, "masses")
        self._articles = mapped(folder, "articles")
        self._idf_of_rarest = idf_of_rarest

    def shares(self, question: KeywordScores, articles: NDArray[np.int64]) -> NDArray[np.float32]:
        """For each given article, ascending and distinct, the score of its best name, 0 to 1."""
        best = np.zeros(len(self._articles) - 1, dtype=np.float32)
        held = np.zeros(len(self._masses), dtype=np.float32)
        for found in question.matched:
            held[self._names_with(found.term)] += np.float32(found.idf)
        names = np.flatnonzero(held)
        if len(names):
            mass = held[names]
            of_name = mass / self._masses[names] * np.minimum(1.0, mass / self._idf_of_rarest)
            score = QUESTION_SHARE * mass / question.bound + (1 - QUESTION_SHARE) * of_name
            owner = np.searchsorted(self._articles, names, side="right") - 1  # ascending
            first = np.flatnonzero(np.diff(owner, prepend=-1))
            best[owner[first]] = np.maximum.reduceat(score, first)
        return best[articles]

    def _names_with(self, term: str) -> NDArray[np.int32]:
        row = find_row(self._terms, term)
        if row is None:
            return self._rows[:0]
        return self._rows[self._starts[row] : self._starts[row + 1]]
