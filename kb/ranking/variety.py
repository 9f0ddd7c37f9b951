"""The order in which sections are shown, so that the first page is not all of one kind.

Among the first WINDOW, two kinds of section step back behind the others. One is a section whose article is not the
subject of the question and has its share already. The other hardly differs in words from one above it. Neither is left
out. The names of an article say whether it is the subject; SimHash says which texts are alike (`kb.text.simhash`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW = 10
"""Number of sections that are kept diverse."""

ARTICLE_SHARE = 3
"""Maximum number of sections among these of an article that is not the subject."""

ALIKE_BITS = 3
"""Maximum number of differing SimHash bits of texts that are the same to a reader."""


def diversify(
    order: NDArray[np.int64],
    articles: NDArray[np.int64],
    is_subject: NDArray[np.bool_],
    likeness: NDArray[np.uint64],
) -> NDArray[np.int64]:
    """`order` with some of the first moved back.

    `order` are candidates for sections, best first; the other arrays are indexed by them.
    """
    shown: list[int] = []
    back: list[int] = []
    texts: list[int] = []
    count: dict[int, int] = {}
    for rank, candidate in enumerate(order.tolist()):
        article, text = int(articles[candidate]), int(likeness[candidate])
        full = count.get(article, 0) >= ARTICLE_SHARE and not is_subject[candidate]
        if full or any((text ^ other).bit_count() <= ALIKE_BITS for other in texts):
            back.append(candidate)
        else:
            shown.append(candidate)
            texts.append(text)
            count[article] = count.get(article, 0) + 1
        if len(shown) == WINDOW:
            return np.concatenate((np.array(shown + back, dtype=np.int64), order[rank + 1 :]))
    return np.array(shown + back, dtype=np.int64)
