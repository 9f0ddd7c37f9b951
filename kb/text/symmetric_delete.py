"""Hashes of words with letters left out: two words a few slips apart have one in common.

Symmetric deletion (Mor and Fraenkel, "A hash code method for detecting and correcting spelling errors", CACM 25,
1982): if two words are at most n insertions, deletions, replacements or swaps of neighbours apart, then leaving
out at most n letters of each can make them equal. So the hashes of a dictionary are written down, sorted, at build
time, and a mistyped word finds its neighbours by binary search. A shared hash only proposes: who looks words up
compares them afterwards.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import distinct

MAX_LETTERS = 24
"""Longer words are neither written down nor looked up: the hashes of a word grow with the square of its length."""

_BASE = 0x9E3779B97F4A7C15
_FACTORS = np.array([pow(_BASE, 1 + place, 1 << 64) for place in range(MAX_LETTERS)], np.uint64)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_AT_ONCE = 2048
_HALF = np.uint64(32)


def deletion_hashes(word: str, deletions: int) -> NDArray[np.uint32]:
    """The distinct hashes of `word`, of 1 to MAX_LETTERS letters, with 0 to `deletions` letters left out. Sorted."""
    codes = np.array([[ord(letter) for letter in word]], dtype=np.uint64)
    return distinct(_hashes(codes, deletions)[0])


def deletion_table(
    words: list[str], deletions: NDArray[np.int64]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The hashes of all words, sorted, and for each the place of its word in `words`: uint32 (H,) both.

    `deletions` gives how many letters of each word may be left out. Words are 1 to MAX_LETTERS letters long.
    """
    groups: dict[tuple[int, int], list[int]] = {}
    for place, (word, most) in enumerate(zip(words, deletions.tolist(), strict=True)):
        groups.setdefault((len(word), most), []).append(place)
    pairs = [np.zeros(0, dtype=np.uint64)]
    for (length, most), members in groups.items():
        for first in range(0, len(members), _AT_ONCE):
            places = members[first : first + _AT_ONCE]
            letters = np.array([words[place] for place in places], dtype=f"U{length}")
            codes = letters.view(np.uint32).reshape(-1, length).astype(np.uint64)
            hashed = _hashes(codes, most).astype(np.uint64) << _HALF
            # Hash and place in one number, so that one sort orders both and drops what is doubled.
            pairs.append((hashed | np.array(places, dtype=np.uint64)[:, None]).ravel())
    table = distinct(np.concatenate(pairs))
    return (table >> _HALF).astype(np.uint32), table.astype(np.uint32)


def patched_table(
    hashes: NDArray[np.uint32],
    places: NDArray[np.uint32],
    moved: NDArray[np.int64],
    words: list[str],
    deletions: NDArray[np.int64],
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The table of `words`, made from that of others, of which most are the same: as `deletion_table` gives it.

    `hashes` and `places` are that table, and `moved` gives each of its words the place in `words`, -1 for none. They
    stand in the same order there, with the same number of letters to be left out.
    """
    new = np.ones(len(words), dtype=np.bool_)
    new[moved[moved >= 0]] = False
    rows = np.flatnonzero(new)
    there = moved[places]
    kept = _joined(hashes[there >= 0], there[there >= 0])
    added_hashes, added = deletion_table([words[row] for row in rows.tolist()], deletions[rows])
    table = _joined(added_hashes, rows[added])
    # Both are in order, and the second is short.
    table = np.insert(kept, np.searchsorted(kept, table), table)
    return (table >> _HALF).astype(np.uint32), table.astype(np.uint32)


def _joined(hashes: NDArray[np.uint32], places: NDArray[np.int64]) -> NDArray[np.uint64]:
    return (hashes.astype(np.uint64) << _HALF) | places.astype(np.uint64)


def look_up(hashes: NDArray[np.uint32], wanted: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The rows of a table's sorted `hashes` that are among `wanted`, in the order of `wanted`."""
    first = np.searchsorted(hashes, wanted, side="left")
    counts = np.searchsorted(hashes, wanted, side="right") - first
    before = np.cumsum(counts) - counts
    rows: NDArray[np.int64] = np.arange(int(counts.sum())) + np.repeat(first - before, counts)
    return rows


def _hashes(codes: NDArray[np.uint64], deletions: int) -> NDArray[np.uint32]:
    """(n, h) hashes of n words of one length, given as (n, letters) code points."""
    letters = codes.shape[1]
    parts = []
    for left_out in range(min(deletions, letters - 1) + 1):
        kept = _kept(letters, left_out)
        sums = (codes[:, kept] * _FACTORS[: letters - left_out]).sum(axis=2, dtype=np.uint64)
        parts.append(((sums ^ (sums >> _HALF)) * _MIX >> _HALF).astype(np.uint32))
    return np.concatenate(parts, axis=1)


@cache
def _kept(letters: int, left_out: int) -> NDArray[np.int64]:
    """The letters that stay when `left_out` of them are left out, one row for each way to do it."""
    return np.array(list(combinations(range(letters), letters - left_out)), dtype=np.int64)
