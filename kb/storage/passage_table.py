"""The table of a generation's passages, sorted by id."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PassageTable:
    """The columns of all passages. Read-only and safe to share between threads."""

    def __init__(self, columns: NDArray[Any]) -> None:
        """`columns` is `passages.npy`, as described in indexer.passages.texts."""
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns)

    @cached_property
    def articles(self) -> NDArray[np.int32]:
        """The ordinal of each passage's article, (N,)."""
        ordinals: NDArray[np.int32] = self.columns["article"].astype(np.int32)
        return ordinals

    @cached_property
    def tokens_per_word(self) -> float:
        """Number of the model's tokens in a word, on average over all passages; 0 without words."""
        words = int(self.columns["words"].sum(dtype=np.int64))
        return int(self.columns["tokens"].sum(dtype=np.int64)) / words if words else 0.0

    @cached_property
    def opens(self) -> NDArray[np.bool_]:
        """Whether each passage is in the first non-empty section of its article, (N,)."""
        sections = self.columns["section"]
        first = np.full(int(self.articles.max(initial=-1)) + 1, np.iinfo(sections.dtype).max)
        np.minimum.at(first, self.articles, sections)
        return np.asarray(sections == first[self.articles])

    def of_article(self, article: int) -> NDArray[np.int64]:
        """The passage rows of the article with this ordinal, ascending."""
        return np.flatnonzero(self.articles == article)
