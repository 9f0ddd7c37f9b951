"""Given keyword scores and cosines, one score, and the candidates that it is worked out for.

A convex combination of five absolute signals: BM25F divided by the question's bound, and the cosines of the question
with the passage, with its nearest sentence, with the article's nearest name (title or alias), and with title and
heading. None of them depends on who else is a candidate. Candidates are the best `CANDIDATE_DEPTH` passages of the
keyword side and as many of the dense side, whatever the page asked for; for each, all signals are looked up, so that
no side is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CANDIDATE_DEPTH = 500


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How much each signal counts; they add up to 1."""

    keyword: float
    dense: float
    sentence: float
    name: float
    heading: float


DEFAULT_WEIGHTS = FusionWeights(keyword=0.12, dense=0.23, sentence=0.31, name=0.27, heading=0.07)


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals of some passages, arrays of one length, unweighted."""

    keyword: NDArray[np.float32]
    dense: NDArray[np.float32]
    sentence: NDArray[np.float32]
    name: NDArray[np.float32]
    heading: NDArray[np.float32]

    def combine(self, weights: FusionWeights) -> NDArray[np.float64]:
        """The weighted sum, at most 1; in float64, so that it is what the explained contributions add up to."""
        total = (
            weights.keyword * self.keyword.astype(np.float64)
            + weights.dense * self.dense.astype(np.float64)
            + weights.sentence * self.sentence.astype(np.float64)
            + weights.name * self.name.astype(np.float64)
            + weights.heading * self.heading.astype(np.float64)
        )
        return np.asarray(total, dtype=np.float64)


def top(scores: NDArray[np.float32], depth: int) -> NDArray[np.int64]:
    """The ordinals of the `depth` best scores, in ascending order; of equal ones the lower ordinals."""
    if depth >= len(scores):
        return np.arange(len(scores))
    threshold = np.partition(scores, len(scores) - depth)[len(scores) - depth]
    above = np.flatnonzero(scores > threshold)
    level = np.flatnonzero(scores == threshold)[: depth - len(above)]
    return np.sort(np.concatenate((above, level)))


def candidates(
    keyword: NDArray[np.float32], dense: NDArray[np.float32], depth: int = CANDIDATE_DEPTH
) -> NDArray[np.int64]:
    """The passages worth a closer look, in ascending order: the best by words and the best by meaning."""
    by_words = top(keyword, depth)
    return np.union1d(by_words[keyword[by_words] > 0], top(dense, depth))
