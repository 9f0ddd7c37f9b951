"""The interface between ranking and an index: candidates, their signals, and their explanation.

No signature here has an array of the library's size. So candidates may come from one open generation
(`kb.retrieval.embedded`) or from indexes on other machines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from kb.question.operators import Condition
from kb.question.query import Query
from kb.retrieval.signals import SIGNALS
from kb.schema.filters import Filters

Rows = NDArray[np.int64]
"""Passages by their numbers, which ascend with their ids. Only the index that gave a number can read it."""

Vector = NDArray[np.float32]

Allowed = TypeVar("Allowed")
"""Which passages may be candidates: an opaque value, made and read by one index."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates of one question: columns of one length n, by ascending row.

    `sections` and `articles` are the numbers of what each passage belongs to. `opens` marks passages in the first
    section of their article; `likeness` is the SimHash of the text. `signals` is float32 (len(SIGNALS), n), unweighted.
    `nearest_name` counts the article's names, 0 being the title; `nearest_sentence` the passage's sentences.
    `subjects`, bool (S, n), marks for each subject that the question names the candidates of articles about it.
    `named` marks those whose article has a name that is the whole question.
    """

    rows: Rows
    sections: NDArray[np.int64]
    articles: NDArray[np.int64]
    opens: NDArray[np.bool_]
    likeness: NDArray[np.uint64]
    signals: NDArray[np.float32]
    nearest_name: NDArray[np.int64]
    nearest_sentence: NDArray[np.int64]
    subjects: NDArray[np.bool_]
    named: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)

    def signal(self, name: str) -> NDArray[np.float32]:
        """One of SIGNALS, (n,)."""
        column: NDArray[np.float32] = self.signals[SIGNALS.index(name)]
        return column

    def subset(self, which: NDArray[np.integer] | Sequence[int]) -> Candidates:
        """The candidates with these indices, in this order."""
        return Candidates(
            self.rows[which],
            self.sections[which],
            self.articles[which],
            self.opens[which],
            self.likeness[which],
            self.signals[:, which],
            self.nearest_name[which],
            self.nearest_sentence[which],
            self.subjects[:, which],
            self.named[which],
        )


@dataclass(frozen=True, slots=True)
class MarkedTerms:
    """The terms to highlight in a result, each with its weight, those of other names included.

    Each set in `together` is what another name adds to the question; its terms count only where all of them stand.
    """

    weights: Mapping[str, float]
    together: frozenset[frozenset[str]]


class LibraryTraits(NamedTuple):
    """What a library's own texts say about what signals are worth in it.

    `title_terms` is the number of terms in a title, averaged over passages. `tokens_per_word` is the number of tokens
    that the model's tokenizer makes of a word, averaged likewise; 0 without words.
    """

    title_terms: float
    tokens_per_word: float


class TermStatistics(NamedTuple):
    """Number of passages that hold a term, and its idf."""

    passages: int
    idf: float


class CandidateSearch(Protocol):
    """One question put to an index, with what its words found. Used by one thread at a time."""

    @property
    def rows(self) -> Rows:
        """The candidates by words, ascending."""

    @property
    def term_count(self) -> int:
        """Number of distinct terms of the question, known or not."""

    @property
    def names_article(self) -> bool:
        """Whether the question is the name of an article and no more."""

    def by_meaning(self, vector: Vector, k: int) -> Rows:
        """The `k` allowed passages that are nearest to the question's vector, ascending."""

    def candidates(self, vector: Vector, rows: Rows) -> Candidates:
        """These passages, allowed or not, with their signals. `rows` ascend, each once."""

    def kind_cosines(
        self, vector: Vector, candidates: Candidates, which: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """How near the kind of each section is to what the question asks of its article, (len(which),).

        `which` are indices of candidates. `kb.ranking.section_kinds` says what a kind is.
        """

    def contributions(self, rows: Rows) -> list[dict[str, float]]:
        """For each of these candidates, what each matched term adds to its keyword signal."""

    def holds_all(self, rows: Rows) -> bool:
        """Whether one of these passages holds every term of the question; False for a question without terms."""

    def marked_terms(self) -> MarkedTerms:
        """The terms to highlight in the results."""


class CandidateIndex(Protocol[Allowed]):
    """An index that candidates come from. Safe to share between threads."""

    @property
    def passage_count(self) -> int:
        """Number of passages in the index."""

    @property
    def traits(self) -> LibraryTraits:
        """What the library's own texts say about its signals."""

    def allow(self, conditions: Sequence[Condition], filters: Filters) -> Allowed:
        """The passages that may be shown, meet the conditions and pass the filters."""

    def allowed_count(self, allowed: Allowed) -> int:
        """Number of passages that are allowed."""

    def allows_nothing(self, filters: Filters) -> bool:
        """Whether no passage passes the filters, whatever the question is."""

    def search(self, query: Query, allowed: Allowed, k: int) -> CandidateSearch:
        """Look the words of a question up. At most `k` allowed passages are candidates by words.

        With a `k` of 0 words find no candidates and name no subjects.
        """

    def term(self, term: str) -> TermStatistics:
        """How common a term is; an unknown one counts as one that stands in a single passage."""

    def expansions(self, condition: Condition) -> Sequence[str]:
        """The terms that a condition of the kind "prefix" stands for."""
