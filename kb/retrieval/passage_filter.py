"""The passages that a question's operators and a caller's filters allow.

A mask is bool (N,), one for each passage, and None where all are allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kb.question.operators import Condition
from kb.retrieval.conditions import Conditions
from kb.schema.filters import Choice, Filters
from kb.storage.articles import ArticleStore
from kb.storage.catalogue import Catalogue
from kb.storage.passage_table import PassageTable

Mask = NDArray[np.bool_] | None


class PassageFilter:
    """Filters the passages of one generation. Safe to share between threads."""

    def __init__(
        self,
        passages: PassageTable,
        conditions: Conditions,
        store: ArticleStore,
        catalogue: Callable[[], Catalogue],
        shown: Mask,
    ) -> None:
        """`shown` are the passages that may be shown at all; `catalogue` is called for filters that need it."""
        self._passages = passages
        self._conditions = conditions
        self._store = store
        self._catalogue = catalogue
        self._shown = shown

    def mask(self, conditions: Sequence[Condition], filters: Filters) -> Mask:
        """The passages that may be shown, meet the conditions and are of articles that pass the filters."""
        held = self._conditions.matching(conditions) if conditions else None
        return _both(_both(held, self._shown), self._within(filters))

    def leaves_nothing(self, filters: Filters) -> bool:
        """Whether no passage passes the filters, whatever the question is."""
        mask = _both(self._within(filters), self._shown)
        return mask is not None and not mask.any()

    def _within(self, filters: Filters) -> Mask:
        mask = None
        if filters.need_catalogue:
            mask = self._catalogue().allowed(filters)[self._passages.articles]
        if (choice := filters.choice("article")) is not None:
            mask = _both(mask, self._of_articles(choice))
        return mask

    def _of_articles(self, choice: Choice) -> NDArray[np.bool_]:
        if choice.included:
            return self._owned(choice.included - choice.excluded)
        return ~self._owned(choice.excluded)

    def _owned(self, ids: Iterable[str]) -> NDArray[np.bool_]:
        """Which passages are of the articles with these ids."""
        found = [own for own in map(self._store.ordinal, ids) if own is not None]
        if len(found) == 1:
            return np.equal(self._passages.articles, found[0])  # many times as fast
        return np.isin(self._passages.articles, np.array(found, dtype=np.int32))


def _both(one: Mask, other: Mask) -> Mask:
    """The passages that both masks allow."""
    if one is None or other is None:
        return other if one is None else one
    return one & other
