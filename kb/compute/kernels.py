"""Dot products of vectors and sums over postings: compiled, or by numpy if the extension was not compiled.

A table of rounded rows is `codes`, int8 (K, d), and `scales`, float32 (K,): row n is codes[n] * scales[n]. The
question, float32 (d,), is rounded in the same way, to 127 steps of its largest number. Results are exact for the
rounded vectors. Passages of postings are int32 and distinct. All arrays are C-contiguous.

`kb/compute/native.c` does the same several times as fast, and releases Python's lock while it runs.

Raises IndexError for a row that does not exist, and ValueError or IndexError for arrays that do not fit together.
The compiled form raises TypeError for arrays of another type.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import gather, runs

native: ModuleType | None
try:
    native = import_module("kb.compute._native")
except ImportError:
    native = None

UNPACKED_ROWS = 4096
"""Number of rows that numpy converts to float32 at a time."""


def dots(
    question: NDArray[np.float32], codes: NDArray[np.int8], scales: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The dot products of the question with all rows, (K,), in one pass."""
    if native is None:
        return _dots(question, codes, scales)
    found = np.empty(len(codes), dtype=np.float32)
    native.dots(question, codes, scales, found)
    return found


def dots_of(
    question: NDArray[np.float32],
    codes: NDArray[np.int8],
    scales: NDArray[np.float32],
    rows: NDArray[np.int64],
) -> NDArray[np.float32]:
    """The dot products of the question with the given rows, (n,)."""
    if native is None:
        return _dots(question, gather(codes, rows), gather(scales, rows))
    found = np.empty(len(rows), dtype=np.float32)
    native.dots_of(question, codes, scales, rows, found)
    return found


def best_dots(
    question: NDArray[np.float32],
    codes: NDArray[np.int8],
    scales: NDArray[np.float32],
    starts: NDArray[np.int64],
    owners: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """For each owner, the highest dot product of its rows, (n,), and the index of that row. Ties go to the first.

    Owner n has the rows `starts[n]` to `starts[n + 1]`, at least one.
    """
    if native is not None:
        best, which = np.empty(len(owners), np.float32), np.empty(len(owners), np.int64)
        native.best_dots(question, codes, scales, starts, owners, best, which)
        return best, which
    rows, counts = runs(starts, owners)
    if not counts.all():
        raise ValueError("the arrays do not fit together")
    found = _dots(question, gather(codes, rows), gather(scales, rows))
    if not len(owners):
        return found, counts
    first = np.cumsum(counts) - counts
    best = np.maximum.reduceat(found, first)
    hits = np.flatnonzero(found == np.repeat(best, counts))
    # The first hit at or after the start of a run is in that run: each run has one.
    return best, hits[np.searchsorted(hits, first)] - first


def vector_dots_of(
    question: NDArray[np.float32], vectors: NDArray[np.float32], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The dot products of the question with rows of `vectors`, float32 (N, d), unrounded, (n,)."""
    if native is None:
        return np.asarray(gather(vectors, rows) @ question)
    found = np.empty(len(rows), dtype=np.float32)
    native.vector_dots_of(question, vectors, rows, found)
    return found


def add_at(
    sums: NDArray[np.float32], passages: NDArray[np.int32], values: NDArray[np.float32]
) -> None:
    """Add each value to the sum of its passage."""
    if native is None:
        sums[passages] += values
    else:
        native.add_at(sums, passages, values)


def kept_of(
    allowed: NDArray[np.bool_],
    passages: NDArray[np.int32],
    impacts: NDArray[np.float32],
    factor: float,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The passages that are `allowed`, bool (N,), and their impacts times `factor`, a float32 number."""
    if native is None:
        kept = np.flatnonzero(allowed[passages])
        return passages[kept], np.float32(factor) * impacts[kept]
    found = np.empty_like(passages)
    values = np.empty_like(impacts)
    count = native.kept_of(allowed, passages, impacts, found, values, factor)
    return found[:count], values[:count]


def lift_at(
    scores: NDArray[np.float32],
    gain: NDArray[np.float32],
    worth: NDArray[np.float32],
    own: NDArray[np.float32],
    most: NDArray[np.int16],
    passages: NDArray[np.int32],
    scale: float,
    number: int,
) -> None:
    """If `scale * worth - own` exceeds the gain so far, add the excess to score and gain, and record `number`.

    Only these passages are read, and their `worth` is 0 afterwards. The other arrays cover every passage.
    """
    if native is not None:
        native.lift_at(scores, gain, worth, own, most, passages, scale, number)
        return
    more = np.float32(scale) * worth[passages] - own[passages]
    better = more > gain[passages]
    lifted, more = passages[better], more[better]
    scores[lifted] += more - gain[lifted]
    gain[lifted] = more
    most[lifted] = number
    worth[passages] = 0


class AskedWords(NamedTuple):
    """A question as its distinct words, at most MAX_WORDS, and the pairs of them that follow each other in it.

    `words` are hashes above 0, uint32 (D,), each once, and `covers`, float32 (D,), what each is worth. Pair n is of the
    words numbered `before[n]` and `behind[n]`, int32 (B,), each pair once, and is worth `weights[n]`, float32 (B,).
    """

    words: NDArray[np.uint32]
    covers: NDArray[np.float32]
    before: NDArray[np.int32]
    behind: NDArray[np.int32]
    weights: NDArray[np.float32]


MAX_WORDS = 1024
"""Maximum number of distinct words, and of pairs, of a question."""

SENTENCE_END = 0
"""What stands between the sentences of a passage among the hashes of its words."""


def best_wordings(
    asked: AskedWords,
    words: NDArray[np.uint32],
    starts: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> NDArray[np.float32]:
    """For each of the given passages, float32 (n,), the best of its sentences' `pairs * covers ** 2`.

    A sentence has the sum of what those words and pairs are worth that stand in it, each once. Passage n has the words
    `words[starts[n]:starts[n + 1]]`, with SENTENCE_END between sentences.
    """
    if native is not None:
        best = np.empty(len(rows), dtype=np.float32)
        native.wordings(words, starts, rows, *asked, best)
        return best
    return _best_wordings(asked, words, starts, rows)


def _best_wordings(
    asked: AskedWords,
    words: NDArray[np.uint32],
    starts: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> NDArray[np.float32]:
    if max(len(asked.words), len(asked.weights)) > MAX_WORDS:
        raise ValueError("the arrays do not fit together")
    places, counts = runs(starts, rows)
    found = gather(words, places)
    owners = np.repeat(np.arange(len(rows)), counts)
    ends = np.concatenate(([False], (found[:-1] == SENTENCE_END) | (owners[1:] != owners[:-1])))
    sentences = np.cumsum(ends[: len(found)])
    order = np.argsort(asked.words)
    near = np.searchsorted(asked.words, found, sorter=order)
    numbers = np.append(order, 0)[near]
    known = np.append(asked.words, 0)[numbers] == found
    numbers[~known] = -1

    def sums(of: NDArray[np.int64], at: NDArray[np.int64], worth: NDArray[np.float32]) -> Any:
        """What each sentence has of these things, each once."""
        once = np.unique(at * max(len(worth), 1) + of)
        kept = worth[once % max(len(worth), 1)].astype(np.float64)
        return np.bincount(once // max(len(worth), 1), kept, int(sentences[-1]) + 1)

    best = np.zeros(len(rows))
    if not len(found) or not len(asked.words):
        return best.astype(np.float32)
    covers = sums(numbers[known], sentences[known], asked.covers)
    pairs = {pair: n for n, pair in enumerate(zip(*map(list, asked[2:4]), strict=True))}
    both = np.flatnonzero((sentences[1:] == sentences[:-1]) & known[1:] & known[:-1])
    numbered = np.array(
        [pairs.get(pair, -1) for pair in zip(numbers[both], numbers[both + 1], strict=True)],
        dtype=np.int64,
    )
    is_pair = numbered >= 0
    followed = sums(numbered[is_pair], sentences[both[is_pair]], asked.weights)
    np.maximum.at(best, owners, (followed * covers**2)[sentences])
    return best.astype(np.float32)


def _dots(
    question: NDArray[np.float32], codes: NDArray[np.int8], scales: NDArray[np.float32]
) -> NDArray[np.float32]:
    if codes.shape != (len(scales), len(question)):
        raise ValueError("the arrays do not fit together")
    scale = np.float32(float(np.abs(question).max(initial=0.0)) / 127 or 1.0)
    rounded = np.rint(question / scale)
    found = np.empty(len(codes), dtype=np.float32)
    for start in range(0, len(codes), UNPACKED_ROWS):  # float32 holds these sums exactly
        part = slice(start, start + UNPACKED_ROWS)
        found[part] = codes[part].astype(np.float32) @ rounded
    found *= scales
    found *= scale
    return found
