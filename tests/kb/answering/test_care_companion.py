from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kb.answering.care_companion import (
    MIN_CARE_SCORE,
    MIN_SYMPTOM_COSINE,
    SEEN_RESULTS,
    Companion,
    CompanionFinder,
)
from kb.storage.passage_table import PassageTable

ROW = np.dtype([("article", "<u4"), ("section", "<u4")])
SURE, UNSURE = 1.5 * MIN_CARE_SCORE, 0.5 * MIN_CARE_SCORE


@pytest.fixture
def finder(tmp_path: Path) -> CompanionFinder:
    """Article 0 has sections 0 and 1, of which 1 tells; article 1 has 2 and 3, of which none does surely enough."""
    rows = np.array([(0, 1), (1, 3), (0, 0), (0, 1), (1, 2)], dtype=ROW)
    np.save(tmp_path / "care.npy", np.array([UNSURE, SURE, 0, UNSURE], dtype=np.float32))
    np.save(tmp_path / "symptom.npy", np.array([1, 0], dtype=np.float32))
    return CompanionFinder(tmp_path, PassageTable(rows))


def question(symptom: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array([symptom, 0], dtype=np.float32)


def test_a_question_about_a_symptom_gets_the_surest_section_of_the_article(
    finder: CompanionFinder,
) -> None:
    found = finder.find(question(2 * MIN_SYMPTOM_COSINE), 0)
    assert found is not None
    assert (found.section, found.rows.tolist()) == (1, [0, 3])
    assert finder.find(question(2 * MIN_SYMPTOM_COSINE), 1) is None
    assert finder.find(question(0.5 * MIN_SYMPTOM_COSINE), 0) is None


def test_it_stays_a_result_among_the_first_and_is_none_further_down() -> None:
    sections = np.array([9, 4, 5, 7, 6, 4])
    care = Companion(7, np.array([3]))
    for place in range(len(sections)):
        order = np.roll(np.arange(len(sections)), place - 3)
        assert order.tolist().index(3) == place
        kept = care.left_out_of(order, sections)
        assert kept.tolist() == (order if place < SEEN_RESULTS else order[order != 3]).tolist()
