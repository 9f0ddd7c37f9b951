"""The candidates of one question with their scores, and the order of passages, sections or articles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.ranking import confidence
from kb.ranking.boosts import Booster, Boosts
from kb.ranking.fusion import (
    EXPLAINED_AS,
    FusionWeights,
    adapted,
    combine,
    language_share,
)
from kb.retrieval.candidates import Candidates, LibraryTraits
from kb.retrieval.signals import SIGNALS
from kb.schema.results import Explanation
from kb.schema.search_request import Unit

SUBJECT_COSINE, SUBJECT_SHARE = 0.58, 0.2
"""Minimum cosine of a name, or share of it that is the question's own words, of an article that is the subject."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The candidates of one question with their scores. Candidates are addressed by their index, 0 to n - 1.

    `values`, (len(SIGNALS), n), is what each signal adds for a weight of 1. `scores`, (n,), are their weighted sums.
    `boosts` are what `booster` adds to these.
    `traits` are the library's, and `question_terms` the number of the question's distinct terms.
    """

    candidates: Candidates
    values: NDArray[np.float64]
    scores: NDArray[np.float64]
    booster: Booster
    boosts: Boosts
    weights: FusionWeights
    traits: LibraryTraits
    question_terms: int

    @property
    def rows(self) -> NDArray[np.int64]:
        """The row of each candidate's passage."""
        return self.candidates.rows

    @property
    def sections(self) -> NDArray[np.int64]:
        """The ordinal of each candidate's section."""
        return self.candidates.sections

    @property
    def articles(self) -> NDArray[np.int64]:
        """The ordinal of each candidate's article."""
        return self.candidates.articles

    def owners(self, unit: Unit) -> NDArray[np.int64]:
        """The ordinal of the unit that each candidate belongs to."""
        return {"passage": self.rows, "section": self.sections, "article": self.articles}[unit]

    def grouped(self, unit: Unit) -> NDArray[np.int64]:
        """The best candidate of each unit, in the order to show, boosts included."""
        return self.best_of_each(unit, self.boosted_scores)

    @property
    def boosted_scores(self) -> NDArray[np.float64]:
        """The scores with their boosts, which decide the order of results."""
        return self.boosts.added_to(self.scores)

    def best_of_each(self, unit: Unit, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """The best candidate of each unit, best first. Ties go to the lower passage id."""
        order = np.argsort(-scores, kind="stable")
        _, first = np.unique(self.owners(unit)[order], return_index=True)
        return order[np.sort(first)]

    def rescored(self, weights: FusionWeights) -> NDArray[np.float64]:
        """The scores under other weights, adapted to library and question like those in use, but not normalised."""
        return combine(self.values, adapted(weights, self.traits, self.question_terms))

    def is_subject(self) -> NDArray[np.bool_]:
        """Whether the names of each candidate's article say that it is about what is asked."""
        near = self.candidates.signal("name") >= SUBJECT_COSINE
        return np.asarray(near | (self.candidates.signal("focus") >= SUBJECT_SHARE))

    def lead(self) -> float:
        """How much higher the first section scores than the second, 0 or more; 0 without a second."""
        scores = self.boosted_scores
        if not len(scores):
            return 0.0
        best = int(scores.argmax())
        others = scores[self.sections != self.sections[best]]
        return float(scores[best] - others.max()) if len(others) else 0.0

    def evidence(self) -> float:
        """How strongly the candidates suggest that the library has an answer (kb.ranking.confidence); 0 without any."""
        if not len(self.candidates):
            return 0.0
        dense = self.candidates.signal("dense")
        nearest = np.argsort(-dense, kind="stable")[: confidence.NEAREST_PASSAGES]
        known = language_share(self.traits.tokens_per_word)
        # Where vectors say nothing, the words of any passage count.
        read = nearest if known == 1.0 else slice(None)
        return confidence.evidence(
            nearby=float(dense[nearest].mean()),
            sentence=float(self.candidates.signal("sentence").max()),
            words=confidence.covered(
                float(self.candidates.signal("keyword")[read].max()), self.question_terms
            ),
            known=known,
        )

    def explain(
        self, candidate: int, names: tuple[str, ...], terms: dict[str, float]
    ) -> Explanation:
        """What each signal contributes to the score of a candidate.

        `names` are its article's title and aliases. `terms` is what each term adds to its keyword signal.
        """
        told: dict[str, Any] = {}
        raws = self.candidates.signals[:, candidate].tolist()
        values = self.values[:, candidate].tolist()
        for signal, raw, value in zip(SIGNALS, raws, values, strict=True):
            told[signal] = getattr(self.weights, signal) * value
            told[EXPLAINED_AS[signal]] = raw
        return Explanation(
            **told,
            name_matched=names[int(self.candidates.nearest_name[candidate])],
            terms={term: self.weights.keyword * share for term, share in terms.items()},
            subject=float(self.boosts.by_subject[candidate]),
            kind=float(self.boosts.by_kind[candidate]),
        )
