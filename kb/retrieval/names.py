"""The names (titles and aliases) of articles that a question shares words with, and the subjects that it names.

The cosine with a name knows meanings, but any name of the same kind comes near: "trisomy 13" for a question about
trisomy 7. So a name is also scored by its terms, weighted by idf. Two thirds of the score are the share of the question
that the name covers, one third is the share of the name that the question covers. The latter counts in full only where
the covered terms weigh as much as one that stands in a single passage. Otherwise every other question would cover a
name of one ordinary word.

A question names a subject where it holds all terms of a name. Of a name within a name ("cancer" within "liver cancer")
the longer one is meant.

Memory-mapped arrays in the folder `names/`; A articles, M names (each article's title and then its aliases), T terms:

    terms.npy    bytes (T,)         UTF-8, sorted; of a name without a term, its keys (kb.question.small_names)
    starts.npy   int64 (T + 1,)     term t stands in the names rows[starts[t] to starts[t + 1]]
    rows.npy     int32 (P,)
    masses.npy   float32 (M,)       the sum of the idf of a name's distinct terms
    articles.npy int64 (A + 1,)     article a has the names articles[a] to articles[a + 1]
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import mapped, runs
from kb.retrieval.keyword_scores import KeywordScores
from kb.retrieval.postings import find_row

QUESTION_SHARE = 2 / 3

SUBJECT_WORTH = 0.5
"""Minimum idf of a subject's name, as a share of the idf of a term that stands in a single passage."""

IDF_ROUNDING = 1e-3
"""Maximum error of a sum of idf in float32."""


class NameIndex:
    """The names of one generation. Read-only and safe to share between threads."""

    def __init__(self, folder: Path, idf_of_rarest: float) -> None:
        """`idf_of_rarest` is the idf of a term that stands in a single passage."""

        self._terms = mapped(folder, "terms")
        self._starts = mapped(folder, "starts")
        self._rows = mapped(folder, "rows")
        self._masses = mapped(folder, "masses")
        self._articles = mapped(folder, "articles")
        self._idf_of_rarest = idf_of_rarest

    def held(self, question: KeywordScores) -> NDArray[np.float32]:
        """For each name, the sum of the idf of its terms that are in the question, (M,)."""
        held = np.zeros(len(self._masses), dtype=np.float32)
        for found in question.matched:
            held[self._names_with(found.term)] += np.float32(found.idf)
        return held

    def shares(
        self,
        question: KeywordScores,
        held: NDArray[np.float32],
        articles: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """For each given article the score of its best name, 0 to 1. `held` is what the method of that name gives."""
        if not len(articles) or not question.matched:
            return np.zeros(len(articles), dtype=np.float32)
        names, counts = runs(self._articles, articles)
        mass = held[names]
        share_of_name = mass / np.maximum(self._masses[names], np.finfo(np.float32).tiny)
        of_name = share_of_name * np.minimum(1.0, mass / self._idf_of_rarest)
        score = QUESTION_SHARE * mass / question.bound + (1 - QUESTION_SHARE) * of_name
        return np.asarray(np.maximum.reduceat(score, np.cumsum(counts) - counts), dtype=np.float32)

    def subjects(
        self, question: KeywordScores, held: NDArray[np.float32]
    ) -> list[NDArray[np.int64]]:
        """The subjects that the question names, each as the ordinals of the articles about it, ascending.

        An article is about a subject where a name of it holds the subject's terms. Subjects that share an article are
        one: "measles" and "vaccination" where there is a "measles vaccination". `held` is as in `shares`.
        """
        subjects: list[NDArray[np.int64]] = []
        for terms in self._named(question, held):
            about = self.about(terms)
            apart = []
            for subject in subjects:
                if np.intersect1d(subject, about, assume_unique=True).size:
                    about = np.union1d(subject, about)
                else:
                    apart.append(subject)
            subjects = [*apart, about]
        return subjects

    def about(self, terms: Collection[str]) -> NDArray[np.int64]:
        """The articles, ascending, with a name that holds all of these distinct terms; none for no terms."""
        names: NDArray[np.int32] | None = None
        for term in terms:
            own = self._names_with(term)
            names = own if names is None else np.intersect1d(names, own, assume_unique=True)
        return np.unique(self._owners(self._rows[:0] if names is None else names))

    def about_first(self, keys: Sequence[str]) -> NDArray[np.int64]:
        """The articles, ascending, with the first of these keys (kb.question.small_names) that is known."""
        for key in keys:
            about = self.about((key,))
            if len(about):
                return about
        return self.about(())

    def _named(self, question: KeywordScores, held: NDArray[np.float32]) -> list[frozenset[str]]:
        """The terms of each name that the question holds whole and that tells a subject, none within another's."""
        worth = SUBJECT_WORTH * self._idf_of_rarest
        whole = (held >= worth) & (held >= self._masses - np.float32(IDF_ROUNDING))
        terms_of: dict[int, set[str]] = {}
        for found in question.matched if whole.any() else ():
            own = self._names_with(found.term)
            for name in own[whole[own]].tolist():
                terms_of.setdefault(name, set()).add(found.term)
        distinct = sorted({frozenset(terms) for terms in terms_of.values()}, key=sorted)
        return [terms for terms in distinct if not any(terms < other for other in distinct)]

    def _owners(self, names: NDArray[np.integer]) -> NDArray[np.int64]:
        """The article of each of these names."""
        return np.asarray(np.searchsorted(self._articles, names, side="right") - 1)

    def _names_with(self, term: str) -> NDArray[np.int32]:
        row = find_row(self._terms, term)
        if row is None:
            return self._rows[:0]
        return self._rows[self._starts[row] : self._starts[row + 1]]
