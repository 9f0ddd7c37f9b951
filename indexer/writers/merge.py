"""The new row numbers of two arrays that become one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Merge:
    """How the rows of two arrays become one. `kept` and `new` give for each row its new place, -1 for none."""

    kept: NDArray[np.int64]
    new: NDArray[np.int64]

    @property
    def order(self) -> NDArray[np.int64]:
        """For each new row, the old one: the rows of the second array are counted on after those of the first."""
        order = np.empty(int((self.kept >= 0).sum()) + len(self.new), dtype=np.int64)
        there = np.flatnonzero(self.kept >= 0)
        order[self.kept[there]] = there
        order[self.new] = len(self.kept) + np.arange(len(self.new))
        return order
