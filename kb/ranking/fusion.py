"""One score of a candidate's signals, and the weights that this takes.

The score is a weighted sum of absolute signals (`kb.retrieval.signals`), so it does not depend on the other candidates.
Candidates are the best `CANDIDATE_DEPTH` passages by words and as many by meaning, whatever the page asked for. All
signals are looked up for each, so that no side is missing.

The worth of a title depends on the library. Where a title names a subject ("Restless legs syndrome") it tells what the
whole article is about. Where it is a sentence, as of a research paper, it is one more sentence. Titles of few terms
count in full, those of twice as many not at all; their weight goes to words and passages (`weights_for`).

A long question is mostly somebody's story. Neither its vector nor the sum of its words tells the story from the
question. The names in it do, and no single sentence is near to all of it (`normalised`).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kb.retrieval.signals import SIGNALS
from kb.schema.search_request import Mode

CANDIDATE_DEPTH = 500
"""Number of candidates by words, and of those by meaning, in a hybrid search."""


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """The weight of each of SIGNALS, 0 to 1; their sum is at most 1."""

    keyword: float
    dense: float
    sentence: float
    name: float
    focus: float

    def column(self) -> NDArray[np.float64]:
        """The weights in the order of SIGNALS, (len(SIGNALS), 1)."""
        return np.array([[getattr(self, signal)] for signal in SIGNALS], dtype=np.float64)


DEFAULT_WEIGHTS = FusionWeights(keyword=0.17, dense=0.16, sentence=0.27, name=0.25, focus=0.15)

EXPLAINED_AS = {
    "keyword": "keyword_score",
    "dense": "passage_cosine",
    "sentence": "sentence_cosine",
    "name": "name_cosine",
    "focus": "focus_share",
}
"""The field of an Explanation that holds a signal unweighted; its contribution has the signal's own name."""

UNRELATED_NAME = 0.4
"""Maximum cosine at which a name says nothing: any two subjects of one library are as near."""

NAME_TERMS, SENTENCE_TERMS = 4.0, 8.0
"""Average number of terms in titles that are names, and in titles that are sentences."""

FREED_SHARES = (0.575, 0.35, 0.075)
"""Shares of the weight that names do not get: for keyword, dense and sentence."""


def names_share(title_terms: float) -> float:
    """How far titles with this average number of terms are names, 0 to 1; 0 without titles."""
    share = (SENTENCE_TERMS - title_terms) / (SENTENCE_TERMS - NAME_TERMS)
    return min(max(share, 0.0), 1.0) if title_terms else 0.0


def weights_for(title_terms: float, weights: FusionWeights = DEFAULT_WEIGHTS) -> FusionWeights:
    """The weights for a library, by the average number of terms in its titles. Linear in `weights`."""
    share = names_share(title_terms)
    freed = (1.0 - share) * (weights.name + weights.focus)
    keyword, dense, sentence = (freed * part for part in FREED_SHARES)
    return replace(
        weights,
        keyword=weights.keyword + keyword,
        dense=weights.dense + dense,
        sentence=weights.sentence + sentence,
        name=weights.name * share,
        focus=weights.focus * share,
    )


SHORT_QUESTION, LONG_QUESTION = 8, 16
"""Maximum number of distinct terms of a question to the point, and minimum number of a message."""

LONG_FOCUS, LONG_SENTENCE = 4.0, 0.5
"""Factors on the weights of focus and nearest sentence in a message."""


def adapt_to_length(weights: FusionWeights, terms: int) -> FusionWeights:
    """The weights for a question with this number of distinct terms, not normalised. Linear in `weights`."""
    share = min(max((terms - SHORT_QUESTION) / (LONG_QUESTION - SHORT_QUESTION), 0.0), 1.0)
    return replace(
        weights,
        focus=weights.focus * (1.0 + (LONG_FOCUS - 1.0) * share),
        sentence=weights.sentence * (1.0 + (LONG_SENTENCE - 1.0) * share),
    )


def normalised(weights: FusionWeights, terms: int) -> FusionWeights:
    """The weights for a question with this number of distinct terms; their sum stays the same."""
    longer = adapt_to_length(weights, terms)
    total = sum(astuple(longer))
    scale = sum(astuple(weights)) / total if total else 1.0
    return FusionWeights(*(scale * weight for weight in astuple(longer)))


def restrict_to_mode(weights: FusionWeights, mode: Mode) -> FusionWeights:
    """The weights with those of the other side set to 0; their sum stays the same."""
    match mode:
        case "keyword":
            chosen = replace(weights, dense=0.0, sentence=0.0, name=0.0)
        case "dense":
            chosen = replace(weights, keyword=0.0, focus=0.0)
        case _:
            return weights
    total = sum(astuple(chosen))
    if not total:  # tuned weights may have given nothing to this side
        only = {"keyword": float(mode == "keyword"), "dense": float(mode == "dense")}
        return replace(chosen, **only)
    scale = sum(astuple(weights)) / total
    return FusionWeights(*(scale * weight for weight in astuple(chosen)))


def nearness(name_cosine: NDArray[np.float32]) -> NDArray[np.float64]:
    """The value of a name's cosine, 0 to 1: 0 up to UNRELATED_NAME, and linear from there on."""
    above = name_cosine.astype(np.float64) - UNRELATED_NAME
    return np.asarray(np.clip(above / (1.0 - UNRELATED_NAME), 0.0, 1.0), dtype=np.float64)


def signal_values(signals: NDArray[np.float32]) -> NDArray[np.float64]:
    """What each signal adds to the score for a weight of 1, of the shape of `signals`, (len(SIGNALS), n)."""
    values = signals.astype(np.float64)
    name = SIGNALS.index("name")
    values[name] = nearness(signals[name])
    return values


def combine(values: NDArray[np.float64], weights: FusionWeights) -> NDArray[np.float64]:
    """The scores, (n,), at most 1, of `values` as `signal_values` gives them.

    Products are added signal by signal. A matrix product may round equal candidates differently and break ties.
    """
    return np.asarray((weights.column() * values).sum(axis=0), dtype=np.float64)


def depths(mode: Mode, depth: int = CANDIDATE_DEPTH) -> tuple[int, int]:
    """Number of candidates by words and by meaning.

    A one-sided mode has twice as many on its side, so that there are as many pages.
    """
    if mode == "hybrid":
        return depth, depth
    return (2 * depth, 0) if mode == "keyword" else (0, 2 * depth)
