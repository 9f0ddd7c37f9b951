"""Candidates from one generation, whose postings and vectors are open in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import gather, union
from kb.question.operators import Condition
from kb.question.query import Query
from kb.retrieval.candidates import (
    Candidates,
    LibraryTraits,
    MarkedTerms,
    Rows,
    TermStatistics,
    Vector,
)
from kb.retrieval.conditions import Conditions
from kb.retrieval.keyword_scores import marked_terms
from kb.retrieval.passage_filter import Mask, PassageFilter
from kb.retrieval.postings import Postings, TopK
from kb.retrieval.signals import SIGNALS, SignalSource
from kb.retrieval.vectors import without_direction
from kb.retrieval.wording import asked_words
from kb.schema.filters import Filters
from kb.storage.passage_table import PassageTable


@dataclass(frozen=True, slots=True)
class EmbeddedIndex:
    """A `CandidateIndex` over open arrays. What is allowed is a mask, bool (N,), or None for all N passages."""

    postings: Postings
    signals: SignalSource
    passages: PassageTable
    conditions: Conditions
    passage_filter: PassageFilter

    @property
    def passage_count(self) -> int:
        """As `CandidateIndex` says; so are the other members."""
        return self.postings.passage_count

    @property
    def traits(self) -> LibraryTraits:
        return LibraryTraits(self.postings.title_terms, self.passages.tokens_per_word)

    def allow(self, conditions: Sequence[Condition], filters: Filters) -> Mask:
        return self.passage_filter.mask(conditions, filters)

    def allowed_count(self, allowed: Mask) -> int:
        return self.passage_count if allowed is None else int(allowed.sum())

    def allows_nothing(self, filters: Filters) -> bool:
        return self.passage_filter.leaves_nothing(filters)

    def search(self, query: Query, allowed: Mask, k: int) -> EmbeddedSearch:
        return EmbeddedSearch(self, query, allowed, k)

    def term(self, term: str) -> TermStatistics:
        found = self.postings.find(term)
        if found is None:
            return TermStatistics(0, self.postings.idf_of_rarest)
        return TermStatistics(found.end - found.start, found.idf)

    def expansions(self, condition: Condition) -> Sequence[str]:
        return self.conditions.expansions(condition)


class EmbeddedSearch:
    """A `CandidateSearch` that holds the keyword scores of all passages."""

    def __init__(self, index: EmbeddedIndex, query: Query, allowed: Mask, k: int) -> None:
        begun = index.conditions.begun_words(query.conditions)
        # A beginning that is a small word, such as "the", is a term all the same.
        terms = (*query.terms, *(word.terms[0] for word in begun))
        names = index.signals.names
        self._index = index
        self._allowed = allowed
        self._scored = index.postings.score(terms, (*query.concepts, *begun), TopK(k, allowed))
        self._asked = asked_words(query.stems, self._scored)
        self._held = names.held(self._scored)
        self._subjects = names.subjects(self._scored, self._held) if k else []
        self._named = names.about(query.name if k else ())
        self._small = names.about_first(query.small_names if k else ())
        self.rows = self._scored.top_k(k, allowed)
        if len(self._small):
            self._named = self._small
            self.rows = union(self.rows, self._passages_of(self._small)[:k])
        self.term_count = len(set(terms))
        self.names_article = bool(len(self._named))

    def _passages_of(self, articles: NDArray[np.int64]) -> Rows:
        """The allowed passages of these articles, ascending."""
        own = np.isin(self._index.passages.articles, articles)
        return np.flatnonzero(own if self._allowed is None else own & self._allowed)

    def by_meaning(self, vector: Vector, k: int) -> Rows:
        return self._index.signals.vectors.nearest(vector, k, self._allowed)

    def candidates(self, vector: Vector, rows: Rows) -> Candidates:
        index = self._index
        index.postings.score_variants_for(self._scored, rows)
        table = gather(index.passages.columns, rows)
        articles = table["article"].astype(np.int64)
        found = index.signals.table(self._scored, self._held, self._asked, vector, rows, articles)
        # Such a name has no term in common with the question, and is all of it.
        found.signals[SIGNALS.index("focus"), np.isin(articles, self._small)] = 1.0
        return Candidates(
            rows=rows,
            sections=table["section"].astype(np.int64),
            articles=articles,
            opens=index.passages.opens[rows],
            likeness=table["likeness"].astype(np.uint64),
            signals=found.signals,
            nearest_name=found.nearest_name,
            nearest_sentence=found.nearest_sentence,
            subjects=_members(articles, self._subjects),
            named=np.isin(articles, self._named),
        )

    def kind_cosines(
        self, vector: Vector, candidates: Candidates, which: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        vectors = self._index.signals.vectors
        articles, sections = candidates.articles[which], candidates.sections[which]
        cosines = np.zeros(len(which), dtype=np.float32)
        for article in np.unique(articles).tolist():
            own = np.flatnonzero(articles == article)
            name = vectors.name(article, int(candidates.nearest_name[which[own[0]]]))
            cosines[own] = vectors.kind_cosines(without_direction(vector, name), sections[own])
        return cosines

    def contributions(self, rows: Rows) -> list[dict[str, float]]:
        return self._index.postings.contributions(self._scored, rows)

    def holds_all(self, rows: Rows) -> bool:
        return self._index.postings.holds_all(self._scored, self.term_count, rows)

    def marked_terms(self) -> MarkedTerms:
        return MarkedTerms(*marked_terms(self._scored))


def _members(
    articles: NDArray[np.int64], subjects: Sequence[NDArray[np.int64]]
) -> NDArray[np.bool_]:
    """For each subject, given as its articles, which candidates are of one of these, (S, n)."""
    if not subjects:
        return np.zeros((0, len(articles)), dtype=np.bool_)
    return np.stack([np.isin(articles, subject) for subject in subjects])
