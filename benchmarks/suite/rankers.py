"""Plain rankings of the same candidates: by words, by vectors, by their sum and by their reciprocal rank fusion."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from kb.ranking.ranking import Ranking

RRF_K = 60
"""The constant of Cormack, Clarke and Büttcher's "Reciprocal rank fusion" (SIGIR 2009)."""

SHARES_OF_WORDS = tuple(number / 10 for number in range(1, 10))
"""Weights of the words in the sums of words and vectors. The best one of them is found with the judgments in view."""

Scores = NDArray[np.float64]


def by_words(ranking: Ranking) -> Scores:
    """BM25F."""
    return ranking.candidates.signal("keyword").astype(np.float64)


def by_vectors(ranking: Ranking) -> Scores:
    """The cosine of question and passage."""
    return ranking.candidates.signal("dense").astype(np.float64)


def by_ranks(ranking: Ranking) -> Scores:
    """The sum of 1 / (k + rank) by words and by vectors."""
    total = np.zeros(len(ranking.rows))
    for scores in (by_words(ranking), by_vectors(ranking)):
        ranks = np.empty(len(scores))
        ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
        total += np.where(scores > 0, 1 / (RRF_K + ranks), 0.0)
    return total


def sum_with(share: float) -> Callable[[Ranking], Scores]:
    """The sum of both, the words weighing `share`."""
    return lambda ranking: share * by_words(ranking) + (1 - share) * by_vectors(ranking)


def plain_rankers() -> Iterator[tuple[str, Callable[[Ranking], Scores]]]:
    """All of them by name; the sums are called "sum"."""
    yield "BM25F", by_words
    yield "vectors", by_vectors
    yield "rank fusion", by_ranks
    yield from (("best sum", sum_with(share)) for share in SHARES_OF_WORDS)
