"""Given sections in order of score, the order in which they are shown: the first page is not all of one kind.

Among the first WINDOW, a section steps back behind the others where an article that is not the question's subject has
its share already, or where hardly a word of it differs from one that stands above. It is not left out. Whether an
article is the subject, its names tell. Which texts are alike, their SimHash does: of two texts that share most of their
runs of four words, few of the 64 bits differ (Charikar, STOC 2002; Manku, Jain and Das Sarma, WWW 2007).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW = 10
SHARE = 3
"""So many sections of an article that is not the subject stand among the first."""

ALIKE = 3
"""Texts that differ in so many bits or fewer are the same to a reader."""

RUN = 4
"""Words in a run."""


def spread(
    order: NDArray[np.int64],
    articles: NDArray[np.int64],
    is_subject: NDArray[np.bool_],
    likeness: NDArray[np.uint64],
) -> NDArray[np.int64]:
    """`order` with at most a few places changed; the other arrays are indexed by its values."""
    shown: list[int] = []
    back: list[int] = []
    texts: list[int] = []
    count: dict[int, int] = {}
    for passed, place in enumerate(order.tolist()):
        article, text = int(articles[place]), int(likeness[place])
        full = count.get(article, 0) >= SHARE and not is_subject[place]
        if full or any((text ^ other).bit_count() <= ALIKE for other in texts):
            back.append(place)
        else:
            shown.append(place)
            texts.append(text)
            count[article] = count.get(article, 0) + 1
        if len(shown) == WINDOW:
            return np.concatenate((np.array(shown + back, dtype=np.int64), order[passed + 1 :]))
    return np.array(shown + back, dtype=np.int64)


def simhash(words: list[int]) -> int:
    """The 64 bits of a text, from 64-bit hashes of its words in order. Fewer than RUN words are one run."""
    hashes = np.array(words or [0], dtype=np.uint64)
    runs = max(len(hashes) - RUN + 1, 1)
    mixed = np.zeros(runs, dtype=np.uint64)
    for offset in range(min(RUN, len(hashes))):
        mixed = _mix(mixed ^ hashes[offset : offset + runs])
    bits = np.unpackbits(mixed.view(np.uint8).reshape(runs, 8), axis=1).sum(axis=0, dtype=np.int64)
    return int.from_bytes(np.packbits(2 * bits > runs).tobytes(), "little")


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit of the result hangs on every bit of the value (the finaliser of SplitMix64, Steele and others 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
