"""Given sections in order of score, the order in which they are shown: the first page is not all of one kind.

Among the first WINDOW, a section steps back behind the others where an article that is not the question's subject has
its share already, or where hardly a word of it differs from one that stands above. It is not left out. Whether an
article is the subject, its names tell. Which texts are alike, their SimHash does (`kb.text.simhash`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW = 10
SHARE = 3
"""So many sections of an article that is not the subject stand among the first."""

ALIKE = 3
"""Texts that differ in so many bits or fewer are the same to a reader."""


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
