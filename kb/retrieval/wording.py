"""How far one sentence of a passage has the wording of a question.

Words count wherever they stand in a passage, and a vector knows what is meant and not how it is said. Where a question
is put in the words of the text that answers it, one sentence has most of them, many side by side. For a sentence s

    wording(s) = pairs(s) * cover(s) ** 2

`cover` is the share of the question's idf that the words of s have. `pairs` is the share of the question's pairs of
neighbouring words, stop words included, that are neighbours in s in the same order; a pair weighs as much as the idf of
its words. A passage has the best of its sentences, the names of its article among them: a question that is a title is
one that all of the article answers. The product is near 0 unless most of the question is there, so lay questions are
left to the other signals. Ordered pairs beside single words are Metzler and Croft's ("A Markov random
field model for term dependencies", SIGIR 2005).

Memory-mapped arrays in the folder `wording/`, N passages:

    words.npy   uint32 (W,)       the hash of each word's stem, with SENTENCE_END between sentences and names
    starts.npy  int64 (N + 1,)    passage n has the words starts[n] to starts[n + 1]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import mapped
from kb.compute.kernels import MAX_WORDS, AskedWords, best_wordings
from kb.retrieval.keyword_scores import KeywordScores
from kb.text.hashing import word_hash

FOLDER = "wording"


def stem_hash(stem: str) -> int:
    """A hash of 32 bits, above 0. Two words share one by chance, once in 4 billion."""
    return word_hash(stem) & 0xFFFFFFFF or 1


def asked_words(stems: Sequence[str], keyword: KeywordScores) -> AskedWords | None:
    """The words of a question, stop words included, in order, weighed by idf; None where no two of them are known.

    `keyword` is what the keyword index found for the question.
    """
    idf = {matched.term: matched.idf for matched in keyword.matched}
    stems = stems[:MAX_WORDS]
    pairs = dict.fromkeys(pairwise(stems))
    worth = [idf.get(one, 0.0) + idf.get(other, 0.0) for one, other in pairs]
    if not any(worth):
        return None
    numbers = {stem: number for number, stem in enumerate(dict.fromkeys(stems))}
    weights = np.array(worth)
    return AskedWords(
        np.array([stem_hash(stem) for stem in numbers], dtype=np.uint32),
        np.array([idf.get(stem, 0.0) / keyword.bound for stem in numbers], dtype=np.float32),
        np.array([numbers[one] for one, _ in pairs], dtype=np.int32),
        np.array([numbers[other] for _, other in pairs], dtype=np.int32),
        (weights / weights.sum()).astype(np.float32),
    )


class WordingIndex:
    """The words of one generation's passages in order. Read-only and safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._words = mapped(folder, "words")
        self._starts = mapped(folder, "starts")

    def scores(self, asked: AskedWords | None, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """How far each of these passages has a question's wording, 0 to 1, (n,)."""
        if asked is None:
            return np.zeros(len(rows), dtype=np.float32)
        return best_wordings(asked, self._words, self._starts, rows)
