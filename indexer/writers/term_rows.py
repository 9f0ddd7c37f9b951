"""Sorted arrays of which terms stand in which rows, written or merged from two.

Passages, names and suggestions are all found so: by a table of terms and, for each, its rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class TermRows:
    """T terms in P rows: `terms` is bytes (T,), UTF-8, sorted, no wider than the longest.

    Term t stands in the rows `rows[starts[t]]` to `rows[starts[t + 1]]`, which ascend; `starts` is int64 (T + 1,).
    """

    terms: NDArray[np.bytes_]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, rows_of: Mapping[bytes, list[int]]) -> TermRows:
        """The arrays of what is given in ascending rows."""
        terms = sorted(rows_of)
        counts = [len(rows_of[term]) for term in terms]
        rows = [row for term in terms for row in rows_of[term]]
        return cls(
            np.array(terms, dtype=np.bytes_), _bounds(np.array(counts)), np.array(rows, np.int64)
        )


class Joined(NamedTuple):
    """Two in one, and where what stands beside the rows goes.

    `stays` says which rows of the first are there, bool (P,); `places`, int64, before which of those each row of the
    second stands, as `np.insert` takes it.
    """

    both: TermRows
    stays: NDArray[np.bool_]
    places: NDArray[np.int64]


def join(one: TermRows, other: TermRows, kept: NDArray[np.int64], new: NDArray[np.int64]) -> Joined:
    """The terms of both, in the rows of both; what `TermRows.of` would give for all of it.

    `kept` gives each row of the first its new number, in the old order, -1 where it is left out; `new` each of the
    second its own, in the old order, none of them in `kept`. Terms of no row are left out. Costs a few passes over the
    first, and a binary search for each row of the second.
    """
    owners = kept[one.rows]
    stays = owners >= 0
    rows = owners[stays]
    starts = np.concatenate(([0], np.cumsum(stays)))[one.starts]
    held = one.terms[np.diff(starts) > 0]
    terms = np.union1d(held, other.terms) if len(held) and len(other.terms) else held
    if not len(held):
        terms = other.terms
    terms = _narrow(terms)
    counts = np.zeros(len(terms), dtype=np.int64)
    counts[np.searchsorted(terms, held)] += np.diff(starts)[np.diff(starts) > 0]
    before = _bounds(counts)
    added = new[other.rows]
    places = np.empty(len(added), dtype=np.int64)
    of_term = np.searchsorted(terms, other.terms)
    for term, (low, high) in enumerate(zip(other.starts[:-1], other.starts[1:], strict=True)):
        first, last = before[of_term[term]], before[of_term[term] + 1]
        places[low:high] = first + np.searchsorted(rows[first:last], added[low:high])
    counts[of_term] += np.diff(other.starts)
    return Joined(TermRows(terms, _bounds(counts), np.insert(rows, places, added)), stays, places)


def _bounds(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def _narrow(terms: NDArray[np.bytes_]) -> NDArray[np.bytes_]:
    """No wider than the longest: numpy's tables take the width of what they were made from."""
    longest = max(1, int(np.char.str_len(terms).max(initial=0)))
    return terms.astype(f"S{longest}") if longest != terms.dtype.itemsize else terms
