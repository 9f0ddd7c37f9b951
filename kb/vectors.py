"""Given a question's vector, its cosines with passages, their sentences and names.

Memory-mapped, of unit length, in the folder `vectors/`; N passages, K sentences, A articles, M names (each article's
title and then its aliases):

    passages.npy         float32 (N, d)    title, heading and text together
    names.npy            float32 (M, d)
    name_starts.npy      int64 (A + 1,)    article a has the names name_starts[a] to name_starts[a + 1]
    sentences.npy        int8 (K, d)       title, heading and sentence; row k is sentences[k] * sentence_scales[k]
    sentence_scales.npy  float32 (K,)
    sentence_starts.npy  int64 (N + 1,)    passage n has the sentences sentence_starts[n] to sentence_starts[n + 1]

Rounding a sentence to int8 moves its cosine by less than 0.002.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.arrays import mapped


class VectorIndex:
    """Exact search by one pass over memory. Read-only and safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._passages = mapped(folder, "passages")
        self._names = mapped(folder, "names")
        self._name_starts = mapped(folder, "name_starts")
        self._sentences = mapped(folder, "sentences")
        self._sentence_scales = mapped(folder, "sentence_scales")
        self.sentence_starts = mapped(folder, "sentence_starts")

    def passage_cosines(self, question: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosine of the question with every passage, (N,). Costs one pass over the vectors."""
        return self._passages @ question

    def passage_vectors(self, passages: NDArray[np.int64]) -> NDArray[np.float32]:
        """The unit vectors of the given passages, (n, d)."""
        return np.asarray(self._passages[passages])

    def best_names(
        self, question: NDArray[np.float32], articles: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """For each given article, the best cosine with its names, and which name it was (0 is the title).

        An article always has at least the row of its title.
        """
        rows, counts = _rows_of(self._name_starts, articles)
        return _best_of_each(self._names[rows] @ question, counts)

    def best_sentences(
        self, question: NDArray[np.float32], passages: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """For each given passage, the best cosine with its sentences, and which sentence it was.

        A passage always has at least one. Costs one pass over the sentences of these passages alone.
        """
        rows, counts = _rows_of(self.sentence_starts, passages)
        cosines = self._sentences[rows].astype(np.float32) @ question
        return _best_of_each(cosines * self._sentence_scales[rows], counts)


def _rows_of(
    starts: NDArray[np.int64], owners: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All rows of the given owners, one owner's after another's, and how many each has."""
    first = starts[owners]
    counts = starts[owners + 1] - first
    before = np.cumsum(counts) - counts
    return np.arange(int(counts.sum())) + np.repeat(first - before, counts), counts


def _best_of_each(
    cosines: NDArray[np.float32], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The highest of each run of `counts` cosines, and its place in the run; of equal ones the first."""
    if not len(counts):
        return np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
    first = np.cumsum(counts) - counts
    best = np.maximum.reduceat(cosines, first)
    hits = np.flatnonzero(cosines == np.repeat(best, counts))
    owner = np.repeat(np.arange(len(counts)), counts)[hits]
    _, earliest = np.unique(owner, return_index=True)
    return best, hits[earliest] - first
