"""Given candidates' scores, these with what is added for subjects, for the kind of answer, and for articles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.ranking import article_pooling, section_kinds, subjects


class Lifts(NamedTuple):
    """What each score gains, arrays of one shape: for its subject, its kind, and its article."""

    by_subject: NDArray[np.float64]
    by_kind: NDArray[np.float64]
    by_article: NDArray[np.float64]

    def added_to(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores with all of them."""
        return scores + self.by_subject + self.by_kind + self.by_article


@dataclass(frozen=True, slots=True)
class Lifting:
    """What decides the lifts of one question's candidates, arrays of one length, a place each.

    `articles` and `sections` are whose each is; `subjects` the articles of each subject that the question names
    (kb.ranking.subjects); `wanted` how far each one's section is of the kind that is asked for
    (kb.ranking.section_kinds); `nearness` how near its article is by name (kb.ranking.article_pooling).
    """

    articles: NDArray[np.int64]
    sections: NDArray[np.int64]
    subjects: Sequence[NDArray[np.int64]]
    wanted: NDArray[np.float64]
    nearness: NDArray[np.float64]

    def lifts(self, scores: NDArray[np.float64]) -> Lifts:
        """What each of the scores gains, each lift on top of those before; `scores` are (n,), or (n, K) for K ways."""
        by_subject = subjects.lifts(scores, self.articles, self.subjects)
        by_kind = section_kinds.lifts(
            scores + by_subject, self.articles, self.sections, self.wanted
        )
        by_article = article_pooling.lifts(
            scores + by_subject + by_kind, self.articles, self.nearness
        )
        return Lifts(by_subject, by_kind, by_article)

    def lifted(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores with their lifts."""
        return self.lifts(scores).added_to(scores)

    def taken(self, places: Sequence[int]) -> Lifting:
        """That of these candidates alone, in this order."""
        return Lifting(
            self.articles[places],
            self.sections[places],
            self.subjects,
            self.wanted[places],
            self.nearness[places],
        )
