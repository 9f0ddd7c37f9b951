"""A vector for the kind of each section, from those of its heading and its opening.

Half of each: a heading alone may be "At a Glance", and an opening alone has more of the subject than of what is said
about it. In `vectors/`, as kb.retrieval.vectors has them:

    kinds.npy         int8 (S, d)
    kind_scales.npy   float32 (S,)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.vector_rows import RoundedRows


class KindRows(RoundedRows):
    """Takes two vectors for each row, one after the other, and keeps half of their sum."""

    def __setitem__(self, row: int, vector: NDArray[np.float32]) -> None:
        super().__setitem__(row, self[row] + np.float32(0.5) * vector)
