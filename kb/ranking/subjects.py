"""Given the subjects that a question names, and scores, what is added to these so that none is crowded out.

"Can an abscessed tooth cause a heart attack?" asks about two articles. The one whose words are rarer, or whose name is
nearer to the whole question, would fill the first page; so the others are lifted halfway to the best of all. What is
best by score stays first, and within a subject nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST = 3
"""Who names more is telling a story."""

LIFT = 0.5
"""How far the best of another subject is lifted towards the best of all."""


def lifts(
    scores: NDArray[np.float64], articles: NDArray[np.int64], subjects: Sequence[NDArray[np.int64]]
) -> NDArray[np.float64]:
    """What is added to each score, 0 or more, of the shape of `scores`; `articles`, (n,), says whose each is.

    `scores` are (n,), or (n, K) for K ways to score. Each subject is the ordinals of some articles, none of which is
    in two of them.
    """
    added = np.zeros(scores.shape)
    if len(subjects) < 2:
        return added
    own = [found for subject in subjects if (found := np.isin(articles, subject)).any()]
    if not 2 <= len(own) <= MOST:
        return added
    best = np.stack([scores[found].max(axis=0) for found in own])
    for found, missing in zip(own, best.max(axis=0) - best, strict=True):
        added[found] = LIFT * missing
    return added
