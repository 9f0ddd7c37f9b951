"""The articles and sections that are nearest in meaning to an article or a passage.

An article's direction is the mean of its passages' vectors. The nearness of another article is the mean cosine of *its*
passages with that direction, so that neither gains by being long. A passage's neighbours are sections, each as near as
its nearest passage. Costs one pass over the vectors, and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.retrieval.vectors import VectorIndex

MIN_COSINE = 0.25
"""Minimum cosine of a neighbour; below it two texts have little in common, however small the library."""

COMPARED_EXACTLY = 1000
"""Number of passages, those nearest by their codes, that are compared in float32."""


class Neighbour(NamedTuple):
    """The ordinal of an article or a section, how near it is, and the row of its nearest passage."""

    ordinal: int
    nearness: float
    passage: int


def nearest_articles(
    vectors: VectorIndex, articles: NDArray[np.int64], article: int
) -> Iterator[Neighbour]:
    """The other articles, nearest first, each worked out as it is asked for; of equals the lower ordinal.

    `articles` gives the article of each passage, (N,). An article without passages has no neighbours.
    """
    own = np.flatnonzero(articles == article)
    if not len(own):
        return
    direction = vectors.passage_vectors(own).mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(direction))
    if not length:
        return
    cosines = vectors.all_cosines((direction / length).astype(np.float32))
    passages = np.bincount(articles)
    near = np.bincount(articles, weights=cosines) / np.maximum(passages, 1)
    near[article] = -1.0
    for other in np.argsort(-near, kind="stable").tolist():
        if near[other] < MIN_COSINE:
            return
        yield Neighbour(other, float(near[other]), _nearest(cosines, articles == other))


def nearest_sections(
    vectors: VectorIndex,
    sections: NDArray[np.int64],
    passage: int,
    count: int,
    allowed: NDArray[np.bool_] | None = None,
) -> list[Neighbour]:
    """At most `count` sections other than the passage's own, nearest first; of equals the lower passage.

    `sections` gives the section of each passage, (N,); `allowed`, bool (N,), which passages are looked at.
    """
    direction = vectors.passage_vectors(np.array([passage]))[0]
    others = sections != sections[passage]
    if allowed is not None:
        others &= allowed
    rows = vectors.nearest(direction, COMPARED_EXACTLY, others)
    cosines = vectors.passage_cosines(direction, rows)
    order = np.argsort(-cosines, kind="stable")
    _, first = np.unique(sections[rows][order], return_index=True)
    return [
        Neighbour(int(sections[rows[place]]), float(cosines[place]), int(rows[place]))
        for place in order[np.sort(first)[:count]].tolist()
        if cosines[place] >= MIN_COSINE
    ]


def _nearest(cosines: NDArray[np.float32], among: NDArray[np.bool_]) -> int:
    rows = np.flatnonzero(among)
    return int(rows[np.argmax(cosines[rows])])
