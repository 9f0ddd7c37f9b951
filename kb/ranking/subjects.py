"""The boost that keeps one subject of a question from crowding out the others.

"Can an abscessed tooth cause a heart attack?" asks about two articles. The one with the rarer words, or with the name
nearer to the whole question, would fill the first page. So the others are raised halfway to the best of all. The best
by score stays first, and the order within a subject stays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_SUBJECTS = 3
"""Maximum number of subjects; a question that names more is a story."""

SUBJECT_BOOST = 0.5
"""Share of the distance to the best of all by which the best of another subject is raised."""


def boosts(scores: NDArray[np.float64], subjects: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What is added to each score, 0 or more, of the shape of `scores`.

    `scores` are (n,), or (n, K) for K ways to score. `subjects`, bool (S, n), marks the candidates of each subject; no
    candidate is of two.
    """
    added = np.zeros(scores.shape)
    own = [members for members in subjects if members.any()]
    if not 2 <= len(own) <= MAX_SUBJECTS:
        return added
    best = np.stack([scores[members].max(axis=0) for members in own])
    for members, missing in zip(own, best.max(axis=0) - best, strict=True):
        added[members] = SUBJECT_BOOST * missing
    return added
