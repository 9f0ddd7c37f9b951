"""Given a question as it was read, its vector and its candidates: what its words find and its meaning, side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kb.compute.spare_core import Alongside
from kb.compute.stopwatch import Stopwatch
from kb.question.query import Query
from kb.ranking.ranking import Ranker, Ranking, Words
from kb.retrieval.conditions import Conditions
from kb.retrieval.encoder import Encoder
from kb.retrieval.keyword_scores import KeywordScores
from kb.retrieval.narrowing import Mask
from kb.schema.search_request import Mode


class QueryRanker:
    """Ranks the passages of one generation. Safe to share between threads."""

    def __init__(
        self, encoder: Encoder, conditions: Conditions, ranker: Ranker, alongside: Alongside
    ) -> None:
        self._encoder = encoder
        self._conditions = conditions
        self._ranker = ranker
        self._alongside = alongside

    def rank(
        self, query: Query, mask: Mask, mode: Mode, watch: Stopwatch
    ) -> tuple[NDArray[np.float32], Ranking]:
        """The question's vector, (dimensions,), and its candidates among what `mask` allows.

        `watch` is told when the vector is there.
        """
        words = self._alongside.start(lambda: self._words(query, mask, mode))
        vector = self._encode(query.text)
        watch.lap("encode")
        return vector, self._ranker.rank(words(), vector, mask, mode)

    def rank_rows(
        self,
        query: Query,
        vector: NDArray[np.float32],
        keyword: KeywordScores,
        rows: NDArray[np.int64],
    ) -> Ranking:
        """The passages with these ordinals alone; `vector` and `keyword` are the question's."""
        mask = np.zeros(len(keyword.scores), dtype=np.bool_)
        mask[rows] = True
        return self._ranker.rank(self._words(query, mask, keyword=keyword), vector, mask)

    def _words(
        self,
        query: Query,
        mask: Mask,
        mode: Mode = "hybrid",
        keyword: KeywordScores | None = None,
    ) -> Words:
        begun = self._conditions.begun_words(query.conditions)
        # A beginning that is a small word, such as "the", is a term all the same.
        terms = (*query.terms, *(word.terms[0] for word in begun))
        return self._ranker.words(terms, (*query.concepts, *begun), mask, mode, keyword, query.name)

    def _encode(self, text: str) -> NDArray[np.float32]:
        """The question's vector; that of a question of nothing but excluded words is near to nothing."""
        if not text:
            return np.zeros(self._encoder.settings.dimensions, dtype=np.float32)
        return self._encoder.encode_question(text)
