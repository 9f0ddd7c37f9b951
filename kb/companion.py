"""Given a question about a symptom and the article that answers it, the section that says when to seek care.

In the folder `vectors/`; S sections, vectors of d components:

    care.npy     float32 (S,)   how surely a section says when to seek care, -2 to 2; 0 where it has no heading,
                               or is in English and tells nobody to turn to a doctor or the like
    symptom.npy  float32 (d,)   the direction in which questions about symptoms lie, from questions about subjects

Both are learnt from examples at build time (indexer/care.py), by the index's own model.

A reader sees the section once: as a result where it is one of the first, else as the companion.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.arrays import mapped

SURELY = 0.75
"""Sections that say nothing about care stay below: heading and opening of an ordinary one have some .3 each."""

ABOUT_A_SYMPTOM = 0.185

FIRST = 3
"""Among so many results the section is seen; further down it is taken out, since it comes along instead."""


class CompanionFinder:
    """Read-only and safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._care = mapped(folder, "care")
        self._symptom = mapped(folder, "symptom")

    def is_about_a_symptom(self, question: NDArray[np.float32]) -> bool:
        """Whether somebody asks about what they feel or see, rather than about a subject."""
        return float(self._symptom @ question) >= ABOUT_A_SYMPTOM

    def section(self, sections: NDArray[np.int64]) -> int | None:
        """Of the sections of an article, the one that says when to seek care; None where none does."""
        if not len(sections):
            return None
        care = self._care[sections]
        best = int(np.argmax(care))
        return int(sections[best]) if care[best] >= SURELY else None


def without(
    section: int, order: NDArray[np.int64], sections: NDArray[np.int64]
) -> NDArray[np.int64]:
    """`order` without the companion's section, or as it is where that is among the first.

    `order` are places, best first, and `sections`, indexed by them, those they belong to.
    """
    if section in sections[order[:FIRST]]:
        return order
    kept: NDArray[np.int64] = order[sections[order] != section]
    return kept
