"""Scores and boosts of a question's candidates."""

from __future__ import annotations

from dataclasses import astuple

from kb.compute.arrays import union
from kb.ranking import section_kinds
from kb.ranking.boosts import Booster
from kb.ranking.fusion import (
    DEFAULT_WEIGHTS,
    FusionWeights,
    adapted,
    combine,
    depths,
    normalised,
    restrict_to_mode,
    signal_values,
)
from kb.ranking.ranking import Ranking
from kb.retrieval.candidates import CandidateSearch, LibraryTraits, Rows, Vector
from kb.schema.search_request import Mode


class Ranker:
    """Ranks candidates of a library by its weights. Safe to share between threads."""

    def __init__(self, traits: LibraryTraits, weights: FusionWeights = DEFAULT_WEIGHTS) -> None:
        self._traits = traits
        self._weights = weights

    def rank(self, search: CandidateSearch, vector: Vector, mode: Mode = "hybrid") -> Ranking:
        """Rank what the question's words found and what is nearest to its vector.

        All signals are computed in every mode, for the explanation and the evidence.
        """
        _, by_meaning = depths(mode)
        rows = union(search.rows, search.by_meaning(vector, by_meaning))
        return self.rank_rows(search, vector, rows, mode)

    def rank_rows(
        self, search: CandidateSearch, vector: Vector, rows: Rows, mode: Mode = "hybrid"
    ) -> Ranking:
        """Rank these passages, which ascend, each once."""
        candidates = search.candidates(vector, rows)
        shifted = adapted(self._weights, self._traits, search.term_count)
        weights = restrict_to_mode(normalised(shifted, sum(astuple(self._weights))), mode)
        values = signal_values(candidates.signals)
        scores = combine(values, weights)
        by_meaning = mode != "keyword"
        booster = Booster(
            articles=candidates.articles,
            sections=candidates.sections,
            subjects=candidates.subjects,
            kinds=section_kinds.bonuses(search, vector, candidates, by_meaning),
        )
        return Ranking(
            candidates=candidates,
            values=values,
            scores=scores,
            booster=booster,
            boosts=booster.boosts(scores),
            weights=weights,
            traits=self._traits,
            question_terms=search.term_count,
        )
