"""The passages that meet a question's operators.

Words and beginnings of words are looked up in the compiled postings. A phrase needs positions, which Whoosh has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kb.question.operators import Condition
from kb.retrieval.postings import Postings
from kb.text.analysis import terms
from kb.text.bm25f import FIELDS
from kb.text.words import fold


class Phrases(Protocol):
    """The part of kb.retrieval.phrases.KeywordIndex that conditions need."""

    def holding(
        self, phrase: Sequence[str], field: str, among: NDArray[np.bool_]
    ) -> NDArray[np.bool_]: ...


@dataclass(frozen=True, slots=True)
class BegunWord:
    """The beginning of a word: the term that it is itself, and the terms that it stands for (`Synonyms`)."""

    terms: tuple[str, ...]
    variants: tuple[tuple[str, ...], ...]


class Conditions:
    """Looks conditions up in one generation. Safe to share between threads, if what `phrases` gives is."""

    def __init__(self, postings: Postings, phrases: Callable[[], Phrases]) -> None:
        """`phrases` is called when the first phrase of several words is asked for."""
        self._postings = postings
        self._phrases = phrases

    def matching(self, conditions: Sequence[Condition]) -> NDArray[np.bool_]:
        """Which passages meet all conditions, bool (N,). A condition of nothing but stop words always holds."""
        mask = np.ones(self._postings.passage_count, dtype=np.bool_)
        # Phrases last: they are looked for among what the others have left alone.
        for condition in sorted(conditions, key=lambda each: len(_terms(each)) > 1):
            held = self._holding(condition, mask)
            if held is not None:
                mask &= ~held if condition.negated else held
        return mask

    def expansions(self, condition: Condition) -> list[str]:
        """The terms that a condition of the kind "prefix" stands for, at most kb.retrieval.postings.MAX_EXPANSIONS."""
        return self._expanded(condition)[0]

    def begun_words(self, conditions: Sequence[Condition]) -> tuple[BegunWord, ...]:
        """The beginnings of words that a passage must hold, with their terms, which rank as other names do."""
        return tuple(
            BegunWord((_own_term(each),), tuple((term,) for term in self.expansions(each)))
            for each in conditions
            if each.kind == "prefix" and not each.negated
        )

    def _holding(self, condition: Condition, among: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
        """The passages that hold a condition, correct for those of `among`; None for nothing but stop words."""
        if condition.kind == "prefix":
            return self._expanded(condition)[1]
        phrase = _terms(condition)
        if not phrase:
            return None
        if len(phrase) == 1:
            return self._postings.holding(phrase[0], _fields(condition))
        held = np.zeros(len(among), dtype=np.bool_)
        for field in _fields(condition):
            possible = among & ~held
            for term in dict.fromkeys(phrase):
                possible &= self._postings.holding(term, (field,))
            if possible.any():
                held |= self._phrases().holding(phrase, field, possible)
        return held

    def _expanded(self, condition: Condition) -> tuple[list[str], NDArray[np.bool_]]:
        """The terms and passages of a beginning. One that is longer than a stem is looked up by its own stem."""
        found = self._postings.beginning_with(fold(condition.text), _fields(condition))
        stems = terms(condition.text)
        if found[0] or not stems:
            return found
        return self._postings.beginning_with(stems[0], _fields(condition))


def _terms(condition: Condition) -> list[str]:
    return terms(condition.text) if condition.kind == "phrase" else []


def _own_term(condition: Condition) -> str:
    """The term of the beginning itself, even where it is a stop word."""
    return next(iter(terms(condition.text)), fold(condition.text))


def _fields(condition: Condition) -> tuple[str, ...]:
    return (condition.field,) if condition.field else FIELDS
