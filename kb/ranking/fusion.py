"""Given keyword scores and cosines, one score, and the candidates that it is worked out for.

A weighted sum of five absolute signals: BM25F divided by the question's bound; the cosines of the question with the
passage and with its nearest sentence; and, of the article's names (title and aliases), the nearest's cosine and the
share of question and name that are the same words (kb.retrieval.names). None of them depends on who else is a
candidate. Candidates are the best `CANDIDATE_DEPTH` passages of the keyword side and as many of the dense side,
whatever the page asked for; for each, all signals are looked up, so that no side is missing.

What a title is worth depends on the library. Where it names a subject ("Restless legs syndrome") it tells what all of
the article is about; where it is a sentence, as of a research paper, it is one more sentence. Names of few terms count
in full, those of twice as many not at all: then words and passages get their weight (`weights_for`). And the longer a
question is, the more of it is somebody's story, which neither a vector nor the words' total tells from what is asked;
the names in it do, and no single sentence is near to all of it (`for_question`).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kb.compute.top_k import top
from kb.schema.search_request import Mode

CANDIDATE_DEPTH = 500


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How much each signal counts, 0 to 1; they add up to 1 at most."""

    keyword: float
    dense: float
    sentence: float
    name: float
    focus: float


DEFAULT_WEIGHTS = FusionWeights(keyword=0.17, dense=0.16, sentence=0.27, name=0.25, focus=0.15)

UNRELATED_NAME = 0.4
"""The cosine up to which a name says nothing: any two subjects of one library are as near."""

NAME_TERMS, SENTENCE_TERMS = 4.0, 8.0
"""Titles of so many terms on average are names, and of so many sentences."""


FREED = (0.575, 0.35, 0.075)
"""How the weight that names do not get is shared out: to words, passage and sentence."""


def names_share(title_terms: float) -> float:
    """How far titles of so many terms on average are names, 0 to 1; 0 without titles."""
    share = (SENTENCE_TERMS - title_terms) / (SENTENCE_TERMS - NAME_TERMS)
    return min(max(share, 0.0), 1.0) if title_terms else 0.0


def weights_for(title_terms: float, weights: FusionWeights = DEFAULT_WEIGHTS) -> FusionWeights:
    """The weights for a library whose titles have so many terms on average, 0 without titles. Linear in `weights`."""
    share = names_share(title_terms)
    freed = (1.0 - share) * (weights.name + weights.focus)
    words, passage, sentence = (freed * part for part in FREED)
    return FusionWeights(
        keyword=weights.keyword + words,
        dense=weights.dense + passage,
        sentence=weights.sentence + sentence,
        name=weights.name * share,
        focus=weights.focus * share,
    )


SHORT_QUESTION, LONG_QUESTION = 8, 16
"""Distinct terms up to which a question is to the point, and from which on it is a message."""

LONG_FOCUS, LONG_SENTENCE = 4.0, 0.5
"""How many times as much the focus and the nearest sentence count in a message."""


def lengthened(weights: FusionWeights, terms: int) -> FusionWeights:
    """The weights for a question of so many distinct terms, up to a factor. Linear in `weights`."""
    share = min(max((terms - SHORT_QUESTION) / (LONG_QUESTION - SHORT_QUESTION), 0.0), 1.0)
    return replace(
        weights,
        focus=weights.focus * (1.0 + (LONG_FOCUS - 1.0) * share),
        sentence=weights.sentence * (1.0 + (LONG_SENTENCE - 1.0) * share),
    )


def for_question(weights: FusionWeights, terms: int) -> FusionWeights:
    """The weights for a question of so many distinct terms; their sum stays what it is."""
    longer = lengthened(weights, terms)
    total = sum(astuple(longer))
    scale = sum(astuple(weights)) / total if total else 1.0
    return FusionWeights(*(scale * weight for weight in astuple(longer)))


def in_mode(weights: FusionWeights, mode: Mode) -> FusionWeights:
    """The weights with those of the other side 0; their sum stays what it is."""
    match mode:
        case "keyword":
            chosen = replace(weights, dense=0.0, sentence=0.0, name=0.0)
        case "dense":
            chosen = replace(weights, keyword=0.0, focus=0.0)
        case _:
            return weights
    total = sum(astuple(chosen))
    if not total:  # tuned weights may have given nothing to this side
        return FusionWeights(float(mode == "keyword"), float(mode == "dense"), 0.0, 0.0, 0.0)
    scale = sum(astuple(weights)) / total
    return FusionWeights(*(scale * weight for weight in astuple(chosen)))


def nearness(name_cosine: NDArray[np.float32]) -> NDArray[np.float64]:
    """What a name's cosine is worth, 0 to 1: nothing up to UNRELATED_NAME, and from there on in proportion."""
    above = name_cosine.astype(np.float64) - UNRELATED_NAME
    return np.asarray(np.clip(above / (1.0 - UNRELATED_NAME), 0.0, 1.0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals of some passages, arrays of one length, unweighted: the bare cosine also for `name`."""

    keyword: NDArray[np.float32]
    dense: NDArray[np.float32]
    sentence: NDArray[np.float32]
    name: NDArray[np.float32]
    focus: NDArray[np.float32]

    def combine(self, weights: FusionWeights) -> NDArray[np.float64]:
        """The weighted sum, at most 1; in float64, so that it is what the explained contributions add up to."""
        total = (
            weights.keyword * self.keyword.astype(np.float64)
            + weights.dense * self.dense.astype(np.float64)
            + weights.sentence * self.sentence.astype(np.float64)
            + weights.name * nearness(self.name)
            + weights.focus * self.focus.astype(np.float64)
        )
        return np.asarray(total, dtype=np.float64)


def depths(mode: Mode, depth: int = CANDIDATE_DEPTH) -> tuple[int, int]:
    """How many passages are candidates for their words, and how many for their meaning.

    In each of the one-sided modes twice as many of the one side, so that there are as many pages.
    """
    if mode == "hybrid":
        return depth, depth
    return (2 * depth, 0) if mode == "keyword" else (0, 2 * depth)


def best_by_words(
    keyword: NDArray[np.float32], depth: int, allowed: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """The ordinals, ascending, of the `depth` passages with the best keyword scores, (N,); none that has 0.

    Of those alone that are `allowed`, bool (N,).
    """
    scores = keyword if allowed is None else keyword * allowed
    found = np.flatnonzero(scores > 0)
    return found if len(found) <= depth else top(scores, depth)
