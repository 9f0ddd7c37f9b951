"""What a question's keywords came to: its known terms, the names among them, and the scores of passages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Synonyms(Protocol):
    """What `score` needs of kb.question.vocabulary.Concept: a name in the question and its other names, as terms."""

    @property
    def terms(self) -> tuple[str, ...]: ...
    @property
    def variants(self) -> tuple[tuple[str, ...], ...]: ...


@dataclass(frozen=True, slots=True)
class MatchedTerm:
    """A term of the question that the index knows: its idf and its postings' range."""

    term: str
    idf: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Variant:
    """Another name for some terms of the question: its own known terms, and what their scores are multiplied by."""

    terms: tuple[MatchedTerm, ...]
    scale: float

    @property
    def text(self) -> str:
        """Its terms, with spaces between."""
        return " ".join(found.term for found in self.terms)


@dataclass(frozen=True, slots=True)
class MatchedConcept:
    """Known terms of the question that are a name together, and the other names of the same thing.

    `worth_most`, int16 (N,), says for each passage which of them, counted from 1, is worth more there than the name
    itself and than the others; 0 where none is, and where the score is not whole.
    """

    terms: tuple[MatchedTerm, ...]
    variants: tuple[Variant, ...]
    worth_most: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class KeywordScores:
    """`scores` is float32 (N,): BM25F divided by `bound`, 0 to 1; all 0 where nothing matches.

    Where not all were wanted (kb.retrieval.postings.Wanted), `whole`, bool (N,), says which scores are; the others may
    lack what other names add. `bound` is the sum of idf over all distinct terms of the question, known or not; an
    unknown term counts as much as one that stands in a single passage, so that a question half understood cannot score
    1.
    """

    scores: NDArray[np.float32]
    bound: float
    matched: tuple[MatchedTerm, ...]
    concepts: tuple[MatchedConcept, ...] = ()
    whole: NDArray[np.bool_] | None = None
