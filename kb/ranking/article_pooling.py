"""The boost of sections whose article as a whole is about what is asked.

A section is scored by its own passage, but it is read as a part of its article. Where the article's name says that all
of it is about the question, its best section vouches for the others. They then come before the best sections of
articles about something else. Each score moves towards the article's best, by a share that grows with the name's
nearness:

    score + POOLED_SHARE * nearness * (best of its article - score)

The best stays where it is. The order of articles stays, and so does the order of sections within each. Adding a
document's evidence to that of its passages is Callan's ("Passage-level evidence in document retrieval", SIGIR 1994);
his share is the same for all documents.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

POOLED_SHARE = 0.6
"""Share of the distance that a section moves where a name is the question itself. Below 1 sections keep their order."""


def boosts(
    scores: NDArray[np.float64], articles: NDArray[np.int64], nearness: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What is added to each score, 0 or more, of the shape of `scores`.

    `scores` are (n,), or (n, K) for K ways to score. `articles`, (n,), is the article of each candidate. `nearness`,
    (n,), 0 to 1, is how near that article's nearest name is to the question, the same for all of an article.
    """
    if not nearness.any():
        return np.zeros(scores.shape)
    order = np.argsort(articles, kind="stable")
    starts = np.flatnonzero(np.diff(articles[order], prepend=-1))
    best = np.empty_like(scores)
    best[order] = np.repeat(
        np.maximum.reduceat(scores[order], starts, axis=0),
        np.diff(starts, append=len(order)),
        axis=0,
    )
    share = POOLED_SHARE * nearness.reshape(-1, *[1] * (scores.ndim - 1))
    return np.asarray(share * (best - scores), dtype=np.float64)
