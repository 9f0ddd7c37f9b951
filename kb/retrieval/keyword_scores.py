"""The keywords of a question: its known terms, the names among them, and the scores of passages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kb.compute.top_k import top_k

VARIANT_WEIGHT = 0.5
"""Weight of another name against the question's own: below 1, since only the reader knows what was meant."""


class Synonyms(Protocol):
    """A name in the question and its other names, as terms: what scoring needs of kb.question.vocabulary.Concept."""

    @property
    def terms(self) -> tuple[str, ...]: ...
    @property
    def variants(self) -> tuple[tuple[str, ...], ...]: ...


@dataclass(frozen=True, slots=True)
class MatchedTerm:
    """A term of the question that the index knows: its idf, and the range of its postings."""

    term: str
    idf: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Variant:
    """Another name for some terms of the question: its known terms, and the factor on their scores."""

    terms: tuple[MatchedTerm, ...]
    scale: float

    @property
    def text(self) -> str:
        """Its terms, with spaces between."""
        return " ".join(matched.term for matched in self.terms)


@dataclass(frozen=True, slots=True)
class MatchedConcept:
    """Known terms of the question that are a name together, and the other names of the same thing.

    `best_variant`, int16 (N,), is the number, from 1, of the variant that scores more in a passage than the name and
    the other variants do. It is 0 where none does, and where the score is incomplete.
    """

    terms: tuple[MatchedTerm, ...]
    variants: tuple[Variant, ...]
    best_variant: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class KeywordScores:
    """The BM25F scores of all passages, float32 (N,), divided by `bound`: 0 to 1, all 0 where nothing matches.

    `bound` is the sum of idf over the distinct terms of the question. An unknown term counts as one that stands in a
    single passage, so a question half understood cannot score 1. `complete`, bool (N,), marks the scores that include
    other names; None is all (kb.retrieval.postings.TopK).
    """

    scores: NDArray[np.float32]
    bound: float
    matched: tuple[MatchedTerm, ...]
    concepts: tuple[MatchedConcept, ...] = ()
    complete: NDArray[np.bool_] | None = None

    def top_k(self, k: int, mask: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """The ordinals, ascending, of the `k` best passages that `mask`, bool (N,), allows; none that scores 0."""
        scores = self.scores if mask is None else self.scores * mask
        found = np.flatnonzero(scores > 0)
        return found if len(found) <= k else top_k(scores, k)


def marked_terms(
    keyword: KeywordScores,
) -> tuple[dict[str, float], frozenset[frozenset[str]]]:
    """The terms to highlight with their weights, and what each other name adds to the question's own terms."""
    own = {matched.term: matched.idf for matched in keyword.matched}
    variants = [variant for concept in keyword.concepts for variant in concept.variants]
    others = {
        matched.term: VARIANT_WEIGHT * matched.idf
        for variant in variants
        for matched in variant.terms
    }
    together = (
        frozenset(matched.term for matched in variant.terms).difference(own) for variant in variants
    )
    return others | own, frozenset(together) - {frozenset()}
