"""Given a question's vector, its cosines with passages, names and headings.

Memory-mapped, float32, unit length, in the folder `vectors/`; N passages, S sections, A articles, M names
(each article's title and then its aliases):

    passages.npy     (N, d)    title, heading and text together
    headings.npy     (S, d)    title and heading
    names.npy        (M, d)
    name_starts.npy  int64 (A + 1,)   article a has the names name_starts[a] to name_starts[a + 1]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class VectorIndex:
    """Exact search by one pass over memory. Read-only and safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        def load(name: str) -> NDArray[np.float32]:
            array: NDArray[np.float32] = np.load(
                folder / f"{name}.npy", mmap_mode="r", allow_pickle=False
            )
            return array.view(np.ndarray)

        self._passages = load("passages")
        self._headings = load("headings")
        self._names = load("names")
        self._name_starts = load("name_starts").astype(np.int64)

    def passage_cosines(self, question: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosine of the question with every passage, (N,). Costs one pass over the vectors."""
        return self._passages @ question

    def heading_cosines(
        self, question: NDArray[np.float32], sections: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """The cosine with "title heading" of each of the given sections."""
        return self._headings[sections] @ question

    def best_names(
        self, question: NDArray[np.float32], articles: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """For each given article, the best cosine with its names, and which name it was (0 is the title).

        An article always has at least the row of its title.
        """
        if not len(articles):
            return np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
        starts = self._name_starts[articles]
        counts = self._name_starts[articles + 1] - starts
        first = np.concatenate(([0], np.cumsum(counts)[:-1]))
        rows = np.arange(int(counts.sum())) - np.repeat(first - starts, counts)
        cosines = self._names[rows] @ question
        best = np.maximum.reduceat(cosines, first)
        # The first row that reaches the best: ties go to the title, then to the earlier alias.
        hits = np.flatnonzero(cosines == np.repeat(best, counts))
        owner = np.repeat(np.arange(len(articles)), counts)[hits]
        _, earliest = np.unique(owner, return_index=True)
        return best, hits[earliest] - first
