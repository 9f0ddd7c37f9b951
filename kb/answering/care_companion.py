"""The section that says when to seek care, for a question about a symptom.

In the folder `vectors/`; S sections, vectors of d components:

    care.npy     float32 (S,)   how surely a section says when to seek care, -2 to 2; 0 if it has no heading,
                               or is in English and does not tell the reader to see a doctor or the like
    symptom.npy  float32 (d,)   the direction from questions about subjects to questions about symptoms

Both are learnt from examples at build time (indexer/writers/care_scores.py), by the index's own model.

A reader sees the section once: as a result if it is one of the first, otherwise as the companion.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import distinct, mapped
from kb.storage.passage_table import PassageTable

MIN_CARE_SCORE = 0.75
"""Minimum score of a section that says when to seek care. An ordinary heading and opening score about .3 each."""

MIN_SYMPTOM_COSINE = 0.185
"""Minimum cosine of a question about a symptom with the direction of such questions."""

SEEN_RESULTS = 3
"""Number of first results in which the section stays a result. Further down, it becomes the companion instead."""


@dataclass(frozen=True, slots=True)
class Companion:
    """A section that says when to seek care: its ordinal, and the rows of its passages."""

    section: int
    rows: NDArray[np.int64]

    def left_out_of(
        self, order: NDArray[np.int64], sections: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """`order` without the section, or unchanged if the section is among the first.

        `order` lists candidates, best first. `sections` gives the section of each candidate.
        """
        if self.section in sections[order[:SEEN_RESULTS]]:
            return order
        kept: NDArray[np.int64] = order[sections[order] != self.section]
        return kept


class CompanionFinder:
    """Finds companions in one generation. Read-only and safe to share between threads."""

    def __init__(self, folder: Path, passages: PassageTable) -> None:
        """`folder` is the generation's `vectors/`."""
        self._passages = passages
        self._care = mapped(folder, "care")
        self._symptom = mapped(folder, "symptom")

    def find(self, question: NDArray[np.float32], article: int) -> Companion | None:
        """The companion of an answer from the article with that ordinal.

        None if the question is about a subject and no symptom, or no section says when to seek care.
        """
        if float(self._symptom @ question) < MIN_SYMPTOM_COSINE:
            return None
        rows = self._passages.of_article(article)
        owners = self._passages.columns["section"][rows]
        sections = distinct(owners)
        best = int(sections[np.argmax(self._care[sections])])
        return Companion(best, rows[owners == best]) if self._care[best] >= MIN_CARE_SCORE else None
