"""Given candidates' scores, these with what is added for the subjects of the question and for what it asks of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kb import kinds, subjects


@dataclass(frozen=True, slots=True)
class Lifting:
    """What decides the lifts of one question's candidates, arrays of one length, a place each.

    `articles` and `sections` are whose each is; `subjects` the articles of each subject that the question names
    (kb.subjects); `wanted` how far each one's section is of the kind that is asked for (kb.kinds).
    """

    articles: NDArray[np.int64]
    sections: NDArray[np.int64]
    subjects: Sequence[NDArray[np.int64]]
    wanted: NDArray[np.float64]

    def lifts(self, scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What each score gains for its subject, and what for its kind; `scores` are (n,), or (n, K) for K ways."""
        by_subject = subjects.lifts(scores, self.articles, self.subjects)
        by_kind = kinds.lifts(scores + by_subject, self.articles, self.sections, self.wanted)
        return by_subject, by_kind

    def lifted(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores with both."""
        by_subject, by_kind = self.lifts(scores)
        return scores + by_subject + by_kind

    def taken(self, places: Sequence[int]) -> Lifting:
        """That of these candidates alone, in this order."""
        return Lifting(
            self.articles[places], self.sections[places], self.subjects, self.wanted[places]
        )
