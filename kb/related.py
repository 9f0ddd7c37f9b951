"""Given an article, the articles nearest to it in meaning, from the vectors that the index holds already.

An article's direction is the mean of its passages' vectors; another article is as near as the mean cosine of *its*
passages with that direction, so that neither of them gains by being long. One pass over the vectors, and nothing kept.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kb.vectors import VectorIndex

NEAR = 0.25
"""Articles that are less near than this have little in common, however small the library."""


def nearest_articles(
    vectors: VectorIndex, articles: NDArray[np.int64], article: int, count: int
) -> list[tuple[int, float]]:
    """The ordinals and nearness of at most `count` other articles, nearest first; of equals the lower ordinal.

    `articles` gives the article of each passage, (N,). An article without passages has no neighbours.
    """
    own = np.flatnonzero(articles == article)
    if not len(own):
        return []
    direction = vectors.passage_vectors(own).mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(direction))
    if not length:
        return []
    cosines = vectors.all_cosines((direction / length).astype(np.float32))
    passages = np.bincount(articles)
    near = np.bincount(articles, weights=cosines) / np.maximum(passages, 1)
    near[article] = -1.0
    order = np.argsort(-near, kind="stable")[:count]
    return [(int(other), float(near[other])) for other in order if near[other] >= NEAR]
