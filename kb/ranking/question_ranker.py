"""A question's words looked up and its meaning encoded at the same time, and its candidates ranked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic

import numpy as np

from kb.compute.spare_core import SpareCore
from kb.compute.stopwatch import Stopwatch
from kb.question.query import Query
from kb.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights, depths
from kb.ranking.ranker import Ranker
from kb.ranking.ranking import Ranking
from kb.retrieval.candidates import Allowed, CandidateIndex, CandidateSearch, Rows, Vector
from kb.retrieval.encoder import Encoder
from kb.schema.search_request import Mode


@dataclass(frozen=True, slots=True)
class RankedQuestion:
    """A question's vector, (dimensions,), its search of the index, and its ranked candidates."""

    vector: Vector
    search: CandidateSearch
    ranking: Ranking


class QueryRanker(Generic[Allowed]):
    """Ranks the passages of one index. Safe to share between threads."""

    def __init__(
        self,
        encoder: Encoder,
        index: CandidateIndex[Allowed],
        weights: FusionWeights = DEFAULT_WEIGHTS,
        spare_core: SpareCore | None = None,
    ) -> None:
        self._encoder = encoder
        self._index = index
        self._ranker = Ranker(index.traits, weights)
        self._spare_core = spare_core or SpareCore()

    def rank(self, query: Query, allowed: Allowed, mode: Mode, watch: Stopwatch) -> RankedQuestion:
        """Rank the allowed passages. `watch` takes a lap when the vector is there."""
        by_words, _ = depths(mode)
        search = self._spare_core.submit(lambda: self._index.search(query, allowed, by_words))
        vector = self._encode(query.text)
        watch.lap("encode")
        found = search()
        return RankedQuestion(vector, found, self._ranker.rank(found, vector, mode))

    def rank_rows(self, asked: RankedQuestion, rows: Rows) -> Ranking:
        """Rank these passages alone for a question that was ranked before. `rows` ascend, each once."""
        return self._ranker.rank_rows(asked.search, asked.vector, rows)

    def _encode(self, text: str) -> Vector:
        """The question's vector; that of a question of nothing but excluded words is near to nothing."""
        if not text:
            return np.zeros(self._encoder.settings.dimensions, dtype=np.float32)
        return self._encoder.encode_question(text)
