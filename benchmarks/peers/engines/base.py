"""What an engine is to the harness."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.material import Material

Vector = NDArray[np.float32]
Kind = Literal["hybrid", "keyword", "dense"]

RRF_K = 60
"""The constant of Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet" (SIGIR 2009)."""


class Engine(ABC):
    """One program at its best reasonable settings. Once open, it may be asked by several threads at once."""

    title: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    """The distributions whose versions the tables give."""
    kind: ClassVar[Kind]
    settings: ClassVar[str]
    own_environment: ClassVar[bool] = False
    """Whether it runs in this project's environment rather than the peers'."""
    encodes: ClassVar[bool] = False
    """Whether it makes a question's vector by itself where none is given."""

    variables: ClassVar[dict[str, str]] = {}
    """What its processes have in their environment."""

    @property
    def needs_vector(self) -> bool:
        """Whether it must be given the question's vector."""
        return self.kind != "keyword" and not self.encodes

    def prepare(self, folder: Path, material: Material) -> None:  # noqa: B027
        """What is done before the time of `build` counts."""

    @abstractmethod
    def build(self, folder: Path, material: Material) -> None:
        """Fill it with all passages, in an empty folder, in this process."""

    @abstractmethod
    def open(self, folder: Path) -> None:
        """Make it ready for questions from what `build` left."""

    @abstractmethod
    def ask(self, question: str, vector: Vector | None, count: int) -> Sequence[int]:
        """The rows of at most `count` passages, best first; with their texts fetched where it keeps them."""

    def close(self) -> None:  # noqa: B027  (most have nothing to do)
        """Let go of what is open."""


def reciprocal_ranks(lists: Sequence[Sequence[int]], count: int) -> list[int]:
    """Rows of several lists by the sum of 1 / (RRF_K + rank), the best `count`."""
    totals: dict[int, float] = {}
    for rows in lists:
        for rank, row in enumerate(rows, start=1):
            totals[row] = totals.get(row, 0.0) + 1 / (RRF_K + rank)
    return sorted(totals, key=totals.__getitem__, reverse=True)[:count]
