"""One score of a candidate's signals, and the weights that this takes.

The score is a weighted sum of absolute signals (`kb.retrieval.signals`), so it does not depend on the other candidates.
Candidates are the best `CANDIDATE_DEPTH` passages by words and as many by meaning, whatever the page asked for. All
signals are looked up for each, so that no side is missing.

The weights are round numbers, fitted to no collection. Three things shift them:

- The library. Where a title names a subject ("Restless legs syndrome") it tells what the whole article is about. Where
  it is a sentence, as of a research paper, it is one more sentence.
- The language. In a language that the model does not know, vectors say little, and words decide. The number of tokens
  in a word shows whether the model knows it.
- The length of the question. A long question is mostly somebody's story, or names several things at once. No single
  sentence is near to all of it. The words tell more then, and the names in it most of all.
"""

from __future__ import annotations

import operator
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kb.retrieval.candidates import LibraryTraits
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
    wording: float = 0.0

    def column(self) -> NDArray[np.float64]:
        """The weights in the order of SIGNALS, (len(SIGNALS), 1)."""
        return np.array([[getattr(self, signal)] for signal in SIGNALS], dtype=np.float64)


DEFAULT_WEIGHTS = FusionWeights(
    keyword=0.14, dense=0.14, sentence=0.21, name=0.14, focus=0.08, wording=0.29
)

EXPLAINED_AS = {
    "keyword": "keyword_score",
    "dense": "passage_cosine",
    "sentence": "sentence_cosine",
    "name": "name_cosine",
    "focus": "focus_share",
    "wording": "wording_share",
}
"""The field of an Explanation that holds a signal unweighted; its contribution has the signal's own name."""

NAME_TERMS, SENTENCE_TERMS = 4.0, 8.0
"""Average number of terms in titles that are names, and in titles that are sentences."""


def names_share(title_terms: float) -> float:
    """How far titles with this average number of terms are names, 0 to 1; 0 without titles."""
    share = (SENTENCE_TERMS - title_terms) / (SENTENCE_TERMS - NAME_TERMS)
    return min(max(share, 0.0), 1.0) if title_terms else 0.0


KNOWN_TOKENS, UNKNOWN_TOKENS = 1.6, 2.6
"""Average number of tokens in a word of a language that the model knows, and of one that it does not.

A tokenizer has whole words of the languages that its model was trained on, and takes words of others apart.
"""


def language_share(tokens_per_word: float) -> float:
    """How far the model knows the language of a library with this average, 0 to 1; 1 without words."""
    share = (UNKNOWN_TOKENS - tokens_per_word) / (UNKNOWN_TOKENS - KNOWN_TOKENS)
    return min(max(share, 0.0), 1.0)


SHORT_QUESTION, LONG_QUESTION = 6, 14
"""Maximum number of distinct terms of a question to the point, and minimum number of a message."""

MESSAGE_FACTORS = FusionWeights(
    keyword=1.6, dense=1.2, sentence=0.5, name=1.0, focus=4.0, wording=1.0
)
"""Factors on the weights in a message."""


def adapted(weights: FusionWeights, traits: LibraryTraits, question_terms: int) -> FusionWeights:
    """The weights for a library and a question, not normalised. Linear in `weights`.

    `question_terms` is the number of the question's distinct terms.
    """
    long = (question_terms - SHORT_QUESTION) / (LONG_QUESTION - SHORT_QUESTION)
    long = min(max(long, 0.0), 1.0)
    named = names_share(traits.title_terms)
    known = language_share(traits.tokens_per_word)
    factors = [1.0 + (factor - 1.0) * long for factor in astuple(MESSAGE_FACTORS)]
    longer = FusionWeights(*map(operator.mul, astuple(weights), factors))
    return replace(
        longer,
        dense=longer.dense * known,
        sentence=longer.sentence * known,
        name=longer.name * named * known,
        focus=longer.focus * named,
    )


def normalised(weights: FusionWeights, total: float) -> FusionWeights:
    """The weights with their sum made `total`; no weights stay none."""
    scale = total / (sum(astuple(weights)) or 1.0)
    return FusionWeights(*(scale * weight for weight in astuple(weights)))


def restrict_to_mode(weights: FusionWeights, mode: Mode) -> FusionWeights:
    """The weights with those of the other side set to 0; their sum stays the same."""
    match mode:
        case "keyword":
            chosen = replace(weights, dense=0.0, sentence=0.0, name=0.0)
        case "dense":
            chosen = replace(weights, keyword=0.0, focus=0.0, wording=0.0)
        case _:
            return weights
    if not any(astuple(chosen)):  # tuned weights may have given nothing to this side
        only = {"keyword": float(mode == "keyword"), "dense": float(mode == "dense")}
        return replace(chosen, **only)
    return normalised(chosen, sum(astuple(weights)))


def signal_values(signals: NDArray[np.float32]) -> NDArray[np.float64]:
    """What each signal adds to the score for a weight of 1, of the shape of `signals`, (len(SIGNALS), n)."""
    values = signals.astype(np.float64)
    name = SIGNALS.index("name")
    values[name] = values[name].clip(0.0)
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
