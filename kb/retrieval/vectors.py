"""Cosines of a question's vector with passages, sentences and names, over memory-mapped vectors.

Memory-mapped, of unit length, in the folder `vectors/`; N passages, K sentences, A articles, M names (each article's
title and then its aliases), S sections:

    passages.npy         float32 (N, d)    title, heading and text together
    codes.npy            int8 (N, d)       the same, rounded: row n is codes[n] * code_scales[n]
    names.npy            int8 (M, d)
    name_starts.npy      int64 (A + 1,)    article a has the names name_starts[a] to name_starts[a + 1]
    sentences.npy        int8 (K, d)       title, heading and sentence
    sentence_starts.npy  int64 (N + 1,)    passage n has the sentences sentence_starts[n] to sentence_starts[n + 1]
    kinds.npy            int8 (S, d)       half of heading, half of heading and opening; not of unit length
    code_scales.npy, name_scales.npy, sentence_scales.npy, kind_scales.npy    float32, one for each rounded row

A rounded row is compared with the question rounded in the same way. Both together move a cosine by less than
COSINE_ROUNDING, with a standard deviation of 0.0005. All passages are compared by their codes, a quarter of the bytes;
the few that are ranked are then compared in float32. Of more passages than EXACT_UP_TO in kb.retrieval.coarse, only
those that pass a comparison by two bits of each dimension are compared.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import gather, mapped, runs
from kb.compute.kernels import best_dots, dots, dots_of, vector_dots_of
from kb.compute.rows_on_disk import RowsOnDisk, rows_of, take
from kb.compute.spare_core import SpareCore
from kb.compute.top_k import top_k
from kb.retrieval.coarse import EXACT_UP_TO, CoarseIndex

COSINE_ROUNDING = 0.003
"""Maximum error of a cosine by rounding, in a hundred dimensions or more."""


OVERSAMPLING = 8
"""Factor by which more passages pass the comparison by two bits than are wanted."""

GATHERED_BELOW = 4
"""Where fewer than one passage in this many is allowed, gathering their codes is quicker than a pass over all."""


HALVED_FROM = 2000
"""Minimum number of rows that are worth two threads."""


class _RoundedRows:
    """Unit vectors as int8 with a scale each; `name` is the plural of what they are the vectors of."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._rows = rows_of(folder, name)
        self._scales = mapped(folder, f"{name.removesuffix('s')}_scales")

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, row: int) -> NDArray[np.float32]:
        """One vector, (d,)."""
        rows = np.array([row])
        values: NDArray[np.float32] = self._scales[row] * take(self._rows, rows)[0].astype(
            np.float32
        )
        return values

    def all_cosines(
        self, question: NDArray[np.float32], spare_core: SpareCore
    ) -> NDArray[np.float32]:
        """The cosines of the question with all rows, in one pass; half of them by another core where one is free."""
        codes = self._rows
        if isinstance(codes, RowsOnDisk):
            codes = mapped(self._folder, self._name)  # for this pass alone
        if len(codes) < HALVED_FROM:
            return dots(question, codes, self._scales)
        half = len(codes) // 2
        behind = spare_core.submit(lambda: dots(question, codes[half:], self._scales[half:]))
        return np.concatenate((dots(question, codes[:half], self._scales[:half]), behind()))

    def cosines(
        self, question: NDArray[np.float32], rows: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """The cosines of the question with the given rows."""
        if isinstance(self._rows, RowsOnDisk):
            return dots(question, self._rows.take(rows), gather(self._scales, rows))
        return dots_of(question, self._rows, self._scales, rows)

    def best(
        self,
        question: NDArray[np.float32],
        starts: NDArray[np.int64],
        owners: NDArray[np.int64],
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """For each owner, the best cosine of its rows and the index of that row, as `kernels.best_dots` says."""
        if not isinstance(self._rows, RowsOnDisk):
            return best_dots(question, self._rows, self._scales, starts, owners)
        rows, counts = runs(starts, owners)
        own = np.concatenate(([0], np.cumsum(counts)))
        taken, scales = self._rows.take(rows), gather(self._scales, rows)
        return best_dots(question, taken, scales, own, np.arange(len(owners)))


class VectorIndex:
    """Search by one pass over memory. Read-only and safe to share between threads."""

    def __init__(
        self,
        folder: Path,
        spare_core: SpareCore | None = None,
        exact_up_to: int = EXACT_UP_TO,
    ) -> None:
        """`spare_core` takes half of a pass over all rows, where it is free.

        Codes of two bits, where there are some, choose among more than `exact_up_to` passages.
        """
        self._exact_up_to = exact_up_to
        self._spare_core = spare_core or SpareCore()
        self._passages = rows_of(folder, "passages")
        self._codes = _RoundedRows(folder, "codes")
        self._coarse = CoarseIndex.open(folder)
        self._names = _RoundedRows(folder, "names")
        self._name_starts = mapped(folder, "name_starts")
        self._sentences = _RoundedRows(folder, "sentences")
        self._kinds = _RoundedRows(folder, "kinds")
        self.sentence_starts = mapped(folder, "sentence_starts")

    def all_cosines(self, question: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosine of the question with every passage, (N,), by their codes. Costs one pass over these."""
        return self._codes.all_cosines(question, self._spare_core)

    def nearest(
        self,
        question: NDArray[np.float32],
        count: int,
        allowed: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """The ordinals, ascending, of the `count` passages whose codes have the highest cosines. Ties go to the lower.

        Only passages that are `allowed`, bool (N,), count. Above EXACT_UP_TO about one in a thousand is missed.
        """
        if not count:
            return np.zeros(0, dtype=np.int64)
        rows = self._likely(question, count, allowed)
        if rows is None:
            return top_k(self.all_cosines(question), count)
        if GATHERED_BELOW * len(rows) > len(self._codes):
            cosines = self.all_cosines(question)[rows]
        else:
            cosines = self._codes.cosines(question, rows)
        return np.asarray(rows[top_k(cosines, count)])

    def _likely(
        self,
        question: NDArray[np.float32],
        count: int,
        allowed: NDArray[np.bool_] | None,
    ) -> NDArray[np.int64] | None:
        """Passages, ascending, that include the nearest; None where all must be compared."""
        rows = None if allowed is None else np.flatnonzero(allowed)
        if self._coarse is None or (rows is not None and len(rows) <= self._exact_up_to):
            return rows
        wanted = OVERSAMPLING * count
        if allowed is None or rows is None:
            return self._coarse.likely(question, wanted)
        found = self._coarse.likely(question, 2 * wanted * len(allowed) // len(rows))
        found = found[allowed[found]]
        return found if len(found) >= wanted else rows  # allowed passages may be rare among them

    def passage_cosines(
        self, question: NDArray[np.float32], passages: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """The cosine of the question with the given passages, (n,), as exact as float32 is."""
        if isinstance(self._passages, RowsOnDisk):
            return np.asarray(self._passages.take(passages) @ question)
        return vector_dots_of(question, self._passages, passages)

    def passage_vectors(self, passages: NDArray[np.int64]) -> NDArray[np.float32]:
        """The unit vectors of the given passages, (n, d)."""
        return take(self._passages, passages)

    def best_names(
        self, question: NDArray[np.float32], articles: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """For each given article, the best cosine with its names, and which name it was (0 is the title).

        An article always has at least the row of its title.
        """
        return self._names.best(question, self._name_starts, articles)

    def name(self, article: int, number: int) -> NDArray[np.float32]:
        """The vector of an article's name, (d,), the title being number 0."""
        return self._names.row(int(self._name_starts[article]) + number)

    def kind_cosines(
        self, asked: NDArray[np.float32], sections: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Cosines of what is asked for with the kind of each section, (n,): see `kb.ranking.section_kinds`."""
        return self._kinds.cosines(asked, sections)

    def best_sentences(
        self, question: NDArray[np.float32], passages: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """For each given passage, the best cosine with its sentences, and which sentence it was.

        A passage always has at least one. Costs one pass over the sentences of these passages alone.
        """
        return self._sentences.best(question, self.sentence_starts, passages)


def without_direction(
    question: NDArray[np.float32], name: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The question's vector, (d,), less its part along a name's, of unit length; zeros where nothing is left.

    This is what a question asks about the subject that the name names.
    """
    rest = question - (question @ name) / max(float(name @ name), 1e-9) * name
    return np.asarray(rest / max(float(np.linalg.norm(rest)), 1e-9), dtype=np.float32)
