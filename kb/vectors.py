"""Given a question's vector, its cosines with passages, their sentences and names.

Memory-mapped, of unit length, in the folder `vectors/`; N passages, K sentences, A articles, M names (each article's
title and then its aliases):

    passages.npy         float32 (N, d)    title, heading and text together
    codes.npy            int8 (N, d)       the same, rounded: row n is codes[n] * code_scales[n]
    names.npy            int8 (M, d)
    name_starts.npy      int64 (A + 1,)    article a has the names name_starts[a] to name_starts[a + 1]
    sentences.npy        int8 (K, d)       title, heading and sentence
    sentence_starts.npy  int64 (N + 1,)    passage n has the sentences sentence_starts[n] to sentence_starts[n + 1]
    code_scales.npy, name_scales.npy, sentence_scales.npy    float32, one for each rounded row

What is compared with a rounded row is the question rounded in the same way; both together move a cosine by less than
ROUNDING, with a standard deviation of 0.0005. All passages are looked over by their codes, a quarter of the bytes, with
numkong's kernels for int8; the few that are ranked are then compared in float32. Of more passages than kb.coarse's
EXACT_UP_TO, only those that two bits of each dimension let through are looked over.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numkong
import numpy as np
from numpy.typing import NDArray

from kb.alongside import Alongside
from kb.arrays import mapped, runs
from kb.coarse import EXACT_UP_TO, CoarseIndex
from kb.rows_on_disk import RowsOnDisk, rows_of, take
from kb.top import top

ROUNDING = 0.003
"""By so much rounding moves a cosine at most, in some hundred dimensions or more."""


LIKELY = 8
"""So many times as many passages as are wanted are let through by their two bits."""

FEW = 4
"""Where only one in so many passages is asked about, it is quicker to gather their codes than to go over all."""


HALVED_FROM = 2000
"""So many rows are worth two threads."""


class _RoundedRows:
    """Unit vectors as int8 with a scale each; `name` is the plural of what they are the vectors of."""

    def __init__(self, folder: Path, name: str, alongside: Alongside | None) -> None:
        self._folder, self._name = folder, name
        self._rows = rows_of(folder, name)
        self._scales = mapped(folder, f"{name.removesuffix('s')}_scales")
        self._alongside = alongside

    def __len__(self) -> int:
        return len(self._rows)

    def all_cosines(self, question: NDArray[np.float32]) -> NDArray[np.float32]:
        """Those of the question with all rows, in one pass."""
        codes = self._rows
        if isinstance(codes, RowsOnDisk):
            codes = mapped(self._folder, self._name)  # for this pass alone
        return self._by_halves(
            len(codes), lambda part: _cosines(question, codes[part], self._scales[part])
        )

    def cosines(
        self, question: NDArray[np.float32], rows: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Those of the question with the given rows."""

        def of(part: slice) -> NDArray[np.float32]:
            wanted = rows[part]
            return _cosines(question, take(self._rows, wanted), take(self._scales, wanted))

        return self._by_halves(len(rows), of)

    def _by_halves(
        self, count: int, of: Callable[[slice], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """What `of` gives for `count` rows: of many, each half by a core of its own, where one is free."""
        if self._alongside is None or count < HALVED_FROM:
            return of(slice(0, count))
        half = count // 2
        behind = self._alongside.start(lambda: of(slice(half, count)))
        return np.concatenate((of(slice(0, half)), behind()))


def _cosines(
    question: NDArray[np.float32], codes: NDArray[np.int8], scales: NDArray[np.float32]
) -> NDArray[np.float32]:
    if not len(codes):
        return np.zeros(0, dtype=np.float32)
    scale = float(np.abs(question).max()) / 127 or 1.0
    rounded = np.rint(question / scale).astype(np.int8)
    packed = numkong.dots_pack(rounded[np.newaxis])
    cosines = np.asarray(numkong.dots_packed(codes, packed))[:, 0].astype(np.float32)
    cosines *= scales
    cosines *= np.float32(scale)
    return cosines


class VectorIndex:
    """Search by one pass over memory. Read-only and safe to share between threads."""

    def __init__(self, folder: Path, alongside: Alongside | None = None) -> None:
        """`alongside` takes half of what is much, where it is given."""
        self._passages = rows_of(folder, "passages")
        self._codes = _RoundedRows(folder, "codes", alongside)
        self._coarse = CoarseIndex.open(folder)
        self._names = _RoundedRows(folder, "names", alongside)
        self._name_starts = mapped(folder, "name_starts")
        self._sentences = _RoundedRows(folder, "sentences", alongside)
        self.sentence_starts = mapped(folder, "sentence_starts")

    def all_cosines(self, question: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosine of the question with every passage, (N,), by their codes. Costs one pass over these."""
        return self._codes.all_cosines(question)

    def nearest(
        self,
        question: NDArray[np.float32],
        count: int,
        allowed: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """The ordinals, ascending, of the `count` passages whose codes have the highest cosines; of equals the lower.

        Of those alone that are `allowed`, bool (N,). Of more than EXACT_UP_TO, about one in a thousand is missed.
        """
        if not count:
            return np.zeros(0, dtype=np.int64)
        rows = self._likely(question, count, allowed)
        if rows is None:
            return top(self.all_cosines(question), count)
        if FEW * len(rows) > len(self._codes):
            cosines = self.all_cosines(question)[rows]
        else:
            cosines = self._codes.cosines(question, rows)
        return np.asarray(rows[top(cosines, count)])

    def _likely(
        self,
        question: NDArray[np.float32],
        count: int,
        allowed: NDArray[np.bool_] | None,
    ) -> NDArray[np.int64] | None:
        """The passages, ascending, that the nearest are among, where not all are to be looked over."""
        rows = None if allowed is None else np.flatnonzero(allowed)
        if self._coarse is None or (rows is not None and len(rows) <= EXACT_UP_TO):
            return rows
        wanted = LIKELY * count
        if allowed is None or rows is None:
            return self._coarse.likely(question, wanted)
        found = self._coarse.likely(question, 2 * wanted * len(allowed) // len(rows))
        found = found[allowed[found]]
        return found if len(found) >= wanted else rows  # what is asked about may be rare among them

    def passage_cosines(
        self, question: NDArray[np.float32], passages: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """The cosine of the question with the given passages, (n,), as exact as float32 is."""
        return np.asarray(take(self._passages, passages) @ question)

    def passage_vectors(self, passages: NDArray[np.int64]) -> NDArray[np.float32]:
        """The unit vectors of the given passages, (n, d)."""
        return take(self._passages, passages)

    def best_names(
        self, question: NDArray[np.float32], articles: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """For each given article, the best cosine with its names, and which name it was (0 is the title).

        An article always has at least the row of its title.
        """
        rows, counts = runs(self._name_starts, articles)
        return _best_of_each(self._names.cosines(question, rows), counts)

    def best_sentences(
        self, question: NDArray[np.float32], passages: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """For each given passage, the best cosine with its sentences, and which sentence it was.

        A passage always has at least one. Costs one pass over the sentences of these passages alone.
        """
        rows, counts = runs(self.sentence_starts, passages)
        return _best_of_each(self._sentences.cosines(question, rows), counts)


def _best_of_each(
    cosines: NDArray[np.float32], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The highest of each run of `counts` cosines, and its place in the run; of equal ones the first."""
    if not len(counts):
        return np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
    first = np.cumsum(counts) - counts
    best = np.maximum.reduceat(cosines, first)
    hits = np.flatnonzero(cosines == np.repeat(best, counts))
    # The first hit that is in a run or behind its begin is in it: each run has one.
    return best, hits[np.searchsorted(hits, first)] - first
