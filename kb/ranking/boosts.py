"""Boosts of candidates' scores: for named subjects and for the kind of answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.ranking import section_kinds, subjects


class Boosts(NamedTuple):
    """What each score gains for its subject and its kind: arrays of one shape, 0 or more."""

    by_subject: NDArray[np.float64]
    by_kind: NDArray[np.float64]

    def added_to(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores with all boosts."""
        return scores + self.by_subject + self.by_kind


@dataclass(frozen=True, slots=True)
class Booster:
    """What decides the boosts of one question's n candidates.

    `articles` and `sections`, (n,), are those of each candidate. `subjects`, bool (S, n), marks the candidates of each
    subject that the question names (kb.ranking.subjects). `kinds` is the bonus of each candidate's section for its kind
    (kb.ranking.section_kinds).
    """

    articles: NDArray[np.int64]
    sections: NDArray[np.int64]
    subjects: NDArray[np.bool_]
    kinds: NDArray[np.float64]

    def boosts(self, scores: NDArray[np.float64]) -> Boosts:
        """The boosts of scores (n,), or (n, K) for K ways to score; each builds on the ones before."""
        by_subject = subjects.boosts(scores, self.subjects)
        by_kind = section_kinds.boosts(
            scores + by_subject, self.articles, self.sections, self.kinds
        )
        return Boosts(by_subject, by_kind)

    def boost(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The scores with their boosts."""
        return self.boosts(scores).added_to(scores)

    def subset(self, candidates: Sequence[int]) -> Booster:
        """The booster of the candidates with these indices alone, in this order."""
        return Booster(
            self.articles[candidates],
            self.sections[candidates],
            self.subjects[:, candidates],
            self.kinds[candidates],
        )
