"""The topics and sources that an answer can be narrowed to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from kb.schema.results import Facets, FacetValue
from kb.schema.web_address import host_name
from kb.storage.articles import ArticleStore

FACET_DEPTH = 50
"""Number of top sections whose articles are counted."""

MIN_SCORE_SHARE = 0.3
"""Minimum score of a counted section, as a share of the best. In a small library, lower ones are about anything."""


def facets(store: ArticleStore, articles: NDArray[np.int64], scores: NDArray[np.float64]) -> Facets:
    """The topics and sources of the articles near the question. Each article counts once.

    `articles` are the ordinals of the sections' articles in the order shown. `scores` are the sections' scores.
    """
    articles, scores = articles[:FACET_DEPTH], scores[:FACET_DEPTH]
    near = articles[scores >= MIN_SCORE_SHARE * scores.max(initial=0.0)]
    heads = [store.article_head(ordinal) for ordinal in dict.fromkeys(near.tolist())]
    return Facets(
        _values(tag for head in heads for tag in dict.fromkeys(head.tags)),
        _values(host_name(head.url) for head in heads),
    )


def _values(names: Iterable[str]) -> tuple[FacetValue, ...]:
    """The names, most frequent first, ties in order of first appearance. Empty names are left out."""
    counted = Counter(name for name in names if name)
    return tuple(FacetValue(name, count) for name, count in counted.most_common())
