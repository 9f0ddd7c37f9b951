"""Given candidates' scores and how near each one's article is by name, what is added because all of the article counts.

A section is judged by its own passage, but it is read as a part of its article. Where the article's name says that all
of it is about what is asked, its best section vouches for the others, and they come before the best sections of
articles that are about something else. So each is drawn towards its article's best, the further the nearer the name:

    score + POOLED * nearness * (best of its article - score)

The best stays where it is, and so does the order of articles, and that of the sections within each. To add a
document's evidence to that of its passages is Callan's ("Passage-level evidence in document retrieval", SIGIR 1994),
whose share is the same for all documents.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

POOLED = 0.6
"""How far a section is drawn where a name is the question itself; below 1, so that sections keep their order."""


def lifts(
    scores: NDArray[np.float64], articles: NDArray[np.int64], nearness: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What is added to each score, 0 or more, of the shape of `scores`.

    `scores` are (n,), or (n, K) for K ways to score. `articles`, (n,), says whose each is, and `nearness`, (n,), 0 to
    1, how near that article's nearest name is to the question, the same for all of an article.
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
    share = POOLED * nearness.reshape(-1, *[1] * (scores.ndim - 1))
    return np.asarray(share * (best - scores), dtype=np.float64)
